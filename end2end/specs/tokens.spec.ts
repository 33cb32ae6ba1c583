import { account } from '../fixtures/foreign-provider.ts';
import { alice, consent, enterCredentials, expectAccountPage, heading, loginPath, notesStatus, session } from '../fixtures/journey.ts';
import { Recorder } from '../fixtures/recorder.ts';
import { expect, test } from '../fixtures/test.ts';

test('the browser never sees anything like a token of the demo provider', async ({ page, context, server }) => {
  const recorder = new Recorder(context, server.url);
  await page.goto('/');
  await page.goto(loginPath());
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  await expectAccountPage(page);
  expect(await notesStatus(page)).toBe(200);
  await session(page);
  await page.reload();
  await expectAccountPage(page);
  expect(recorder.size).toBeGreaterThan(20);
  expect(await recorder.leaks([])).toEqual([]);
});

test('none of the tokens that a provider has issued reaches the browser, before and after a refresh', async ({ page, context, launch, foreignProvider }) => {
  // The token is about to expire from the start: every proxied call brings a new one.
  const server = await launch({ config: (publicUrl) => foreignProvider.register(publicUrl, { accessTokenSeconds: 5 }) });
  const recorder = new Recorder(context, server.url);
  await page.goto(`${server.url}/api/v1/oauth/login?provider=foreign&return_to=/account`);
  await page.getByLabel('Account').fill(account.preferred_username);
  await page.getByRole('button', { name: 'Continue' }).click();
  await expect(heading(page, 'Your account')).toBeVisible();
  const status = await page.evaluate(async () => (await fetch('/api/v1/proxy/foreign/me', { headers: { 'x-csrf': '1' } })).status);
  expect(status).toBe(200);
  await session(page);

  const { accessTokens, refreshTokens, idTokens } = foreignProvider.issued;
  expect(accessTokens.size).toBeGreaterThan(1);
  expect(refreshTokens.size).toBeGreaterThan(0);
  expect(recorder.size).toBeGreaterThan(20);
  expect(await recorder.leaks([...accessTokens, ...refreshTokens, ...idTokens])).toEqual([]);
  // The scan is not blind.
  expect(await recorder.leaks([account.sub])).not.toEqual([]);

  // Signing out hands the browser the ID token as `id_token_hint`, as RP-Initiated Logout asks, and only that.
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByRole('button', { name: 'Sign out here too' }).click();
  await page.waitForURL(`${server.url}/`);
  expect(await recorder.leaks([...accessTokens, ...refreshTokens])).toEqual([expect.stringMatching(/^body of 200 POST .*\/api\/v1\/oauth\/logout$/)]);
});
