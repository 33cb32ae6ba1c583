import { alice, callUpstream, expectAccountPage, heading, session, signIn } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

test('signing out ends the session here, at the provider, and for a stolen cookie', async ({ page, context, playwright, server }) => {
  await signIn(page);
  const [cookie] = (await context.cookies()).filter(({ name }) => name === 'session');
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Strict', path: '/', domain: 'localhost' });

  const thief = await playwright.request.newContext({
    baseURL: server.url,
    extraHTTPHeaders: { cookie: `session=${cookie?.value}`, 'x-csrf': '1', 'sec-fetch-site': 'same-origin' },
  });
  // The replay is a good one: before the logout it works.
  expect(await (await thief.get('/api/v1/session')).json()).toMatchObject({ authenticated: true });
  expect((await thief.get('/api/v1/proxy/notes')).status()).toBe(200);

  const ended = page.waitForRequest((request) => new URL(request.url()).origin === server.demoProviderUrl && request.isNavigationRequest());
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await ended;
  await page.waitForURL(`${server.url}/`);
  await expect(page.getByRole('link', { name: 'Sign in with Demo' }).first()).toBeVisible();
  expect(await session(page)).toEqual({ authenticated: false });
  expect((await context.cookies(server.url)).filter(({ name }) => name === 'session')).toEqual([]);

  expect(await (await thief.get('/api/v1/session')).json()).toEqual({ authenticated: false });
  const refused = await thief.get('/api/v1/proxy/notes');
  expect(refused.status()).toBe(401);
  expect(refused.headers()['content-type']).toContain('application/problem+json');
  await thief.dispose();
});

test('Back after signing out shows nobody the account', async ({ page, server }) => {
  await signIn(page);
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL(`${server.url}/`);
  await page.goto('/account');
  await expect(heading(page, 'Sign in to see your account')).toBeVisible();
  await page.goBack();
  await page.goBack();
  await expect(page.getByText(alice.email)).toHaveCount(0);
});

test.describe('in another tab', () => {
  test.use({ expectedConsole: /Failed to load resource.* 401/ });

  test('the session ends as well', async ({ page, context, server }) => {
    await signIn(page);
    const other = await context.newPage();
    await other.goto('/account');
    await expectAccountPage(other);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.waitForURL(`${server.url}/`);
    expect(await callUpstream(other, 'notes')).toMatchObject({ status: 401 });
    await other.reload();
    await expect(heading(other, 'Sign in to see your account')).toBeVisible();
  });
});
