import { account } from '../fixtures/foreign-provider.ts';
import { callUpstream, expectAccountPage, heading, loginPath, passProvider, session } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

// The stream of events ends with the recorder that passes it on.
test.use({ expectedConsole: /session\/events: Failed to load resource: net::ERR_/ });

test('the browser never sees anything like a token of the demo provider', async ({ page, context, launch, recorder }) => {
  const server = await launch({ publicUrl: recorder.url });
  recorder.forwardTo(server.address);
  await page.goto(recorder.url);
  await page.goto(recorder.url + loginPath());
  await passProvider(page);
  await expectAccountPage(page);
  expect(await callUpstream(page, 'notes')).toMatchObject({ status: 200 });
  expect(await session(page)).toMatchObject({ authenticated: true });
  await page.reload();
  await expectAccountPage(page);
  expect(recorder.size).toBeGreaterThan(10);
  expect(await recorder.leaks(context)).toEqual([]);
});

test('none of the tokens that a provider has issued reaches the browser, before and after a refresh', async ({
  page,
  context,
  launch,
  recorder,
  foreignProvider,
}) => {
  // The access token is about to expire from the start: proxied calls soon bring new ones.
  const server = await launch({
    publicUrl: recorder.url,
    config: (publicUrl) => foreignProvider.register(publicUrl, { accessTokenSeconds: 2 }),
  });
  recorder.forwardTo(server.address);
  await page.goto(`${recorder.url}/api/v1/oauth/login?provider=foreign&return_to=/account`);
  await page.getByLabel('Account').fill(account.preferred_username);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(heading(page, 'Your account')).toBeVisible();
  const call = async () => {
    expect(await callUpstream(page, 'foreign/me')).toMatchObject({ status: 200 });
    return foreignProvider.issued.accessTokens.size;
  };
  await expect.poll(call, { intervals: [100] }).toBeGreaterThan(1);
  expect(await session(page)).toMatchObject({ authenticated: true });

  const { accessTokens, refreshTokens, idTokens } = foreignProvider.issued;
  expect(refreshTokens.size).toBeGreaterThan(1);
  expect(await recorder.leaks(context, [...accessTokens, ...refreshTokens, ...idTokens])).toEqual([]);
  // The scan is not blind.
  expect(await recorder.leaks(context, [account.sub])).toContain('GET /api/v1/session');

  // Signing out hands the browser the ID token as `id_token_hint`, as RP-Initiated Logout asks, and nothing else.
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.getByRole('button', { name: 'Sign out here too' }).click();
  await page.waitForURL(`${recorder.url}/`);
  await expect(heading(page, 'Sign in, and see how it works')).toBeVisible();
  expect(await recorder.leaks(context, [...accessTokens, ...refreshTokens])).toEqual(['POST /api/v1/oauth/logout']);
});
