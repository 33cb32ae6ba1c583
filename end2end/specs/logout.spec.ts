import type { Page } from '@playwright/test';
import { violations } from '../fixtures/axe.ts';
import { alice, callUpstream, expectAccountPage, heading, session, signIn, visit } from '../fixtures/journey.ts';
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
  // A page that is left before it has all its files complains about them in Firefox.
  const hasLeft = page.waitForResponse('**/api/v1/session');
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL(`${server.url}/`);
  await hasLeft;
  await visit(page, '/account');
  await expect(heading(page, 'Sign in to see your account')).toBeVisible();
  const isBack = page.waitForResponse('**/api/v1/session');
  await page.goBack();
  await isBack;
  await page.goBack();
  await expect(page.getByText(alice.email)).toHaveCount(0);
});

/** Keeps every sign-out from the server until it is let through, and counts them. */
async function hold(page: Page): Promise<{ release: () => void; count: () => number }> {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  let count = 0;
  await page.route('**/api/v1/oauth/logout', async (route) => {
    count += 1;
    await released;
    await route.continue();
  });
  return { release, count: () => count };
}

const notice = (page: Page) => page.locator('.sign-out-notice');

test('the page shows at once that nobody is signed in, and says where it goes', async ({ page, context, server }) => {
  await signIn(page);
  await visit(page, '/account?tab=notes');
  await expectAccountPage(page);
  const other = await context.newPage();
  await other.goto('/account');
  await expectAccountPage(other);
  await page.bringToFront();
  const { release, count } = await hold(page);
  // While the browser is on its way nobody can look into the page but itself.
  const told: string[] = [];
  await page.exposeFunction('tell', (text: string) => told.push(text));
  await page.evaluate(() => {
    const tell = (globalThis as unknown as { tell: (text: string) => void }).tell;
    const look = () => tell(document.querySelector('.sign-out-notice')?.textContent ?? '');
    new MutationObserver(look).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  await page.route(`${server.demoProviderUrl}/**`, async (route) => {
    await expect.poll(() => told).toContain('You are signed out here. Next stop: Demo, to end your session there, too.');
    await route.continue();
  });

  // Twice, before anything has been drawn.
  await page.getByRole('button', { name: 'Sign out', exact: true }).evaluate((button: HTMLButtonElement) => {
    button.click();
    button.click();
  });
  await expect(heading(page, 'Sign in to see your account')).toBeFocused();
  await expect(page.getByText(alice.email)).toHaveCount(0);
  await expect(page.getByRole('status').filter({ hasText: 'Signing out…' })).toBeVisible();
  // Nobody begins what the sign-out would undo, by a second click either.
  await expect(page.locator('.sign-in-links')).toHaveAttribute('inert');
  expect(page.url()).toBe(`${server.url}/account?tab=notes`);
  // It is not certain yet.
  expect(await session(page)).toMatchObject({ authenticated: true });
  await expectAccountPage(other);

  const ended = page.waitForRequest((request) => new URL(request.url()).origin === server.demoProviderUrl && request.isNavigationRequest());
  release();
  await expect(heading(other, 'Sign in to see your account')).toBeVisible();
  await ended;
  await page.waitForURL(`${server.url}/`);
  await expect(page.getByRole('link', { name: 'Sign in with Demo' }).first()).toBeVisible();
  await expect(notice(page)).toHaveText('');
  expect(count()).toBe(1);
  expect(await session(page)).toEqual({ authenticated: false });
});

test.describe('when it does not come through', () => {
  test.use({ expectedConsole: /Failed to load resource|oauth\/logout/ });

  test('the user is back, is told so, and has lost nothing', async ({ page, server }) => {
    await signIn(page);
    await visit(page, '/account?tab=notes#notes');
    await expectAccountPage(page);
    await page.getByLabel('New note').fill('half a thought');
    let refuse = (): void => undefined;
    const refused = new Promise<void>((resolve) => (refuse = resolve));
    await page.route('**/api/v1/oauth/logout', async (route) => {
      await refused;
      await route.abort();
    });
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(heading(page, 'Sign in to see your account')).toBeVisible();
    await expect(page.getByText(alice.email)).toHaveCount(0);
    expect(await page.evaluate(() => sessionStorage.length)).toBe(0);

    refuse();
    await expectAccountPage(page);
    await expect(notice(page).getByRole('alert')).toContainText('You are still signed in, and nothing is lost.');
    await expect(notice(page).getByRole('alert')).toContainText('It is down, or this device is offline.');
    await expect(page.getByLabel('New note')).toHaveValue('half a thought');
    expect(page.url()).toBe(`${server.url}/account?tab=notes#notes`);
    expect(await violations(page)).toEqual([]);

    // The notice goes along, and its button does what the other one could not.
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Home' }).click();
    await expect(page.getByText(`Signed in as ${alice.name}`)).toBeVisible();
    await page.unroute('**/api/v1/oauth/logout');
    const ended = page.waitForRequest((request) => new URL(request.url()).origin === server.demoProviderUrl && request.isNavigationRequest());
    await notice(page).getByRole('button', { name: 'Try again' }).click();
    await ended;
    await page.waitForURL(`${server.url}/`);
    await expect(page.getByRole('link', { name: 'Sign in with Demo' }).first()).toBeVisible();
    expect(await session(page)).toEqual({ authenticated: false });
  });

  test('a server that refuses is heard, and an answer that was lost is not taken for one', async ({ page, context }) => {
    await signIn(page);
    await page.route('**/api/v1/oauth/logout', (route) =>
      route.fulfill({
        status: 503,
        contentType: 'application/problem+json',
        json: { type: 'about:blank', title: '', status: 503, code: 'store_unavailable', detail: '', request_id: 'r-1' },
      }),
    );
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(notice(page).getByRole('alert')).toContainText('You are still signed in');
    await expect(notice(page).getByRole('alert')).toContainText('Request ID: r-1');
    await expectAccountPage(page);

    // The server has done it, and nobody hears of that.
    await page.unroute('**/api/v1/oauth/logout');
    await page.route('**/api/v1/oauth/logout', async (route) => {
      await route.fetch();
      await context.clearCookies({ name: /session/ });
      await route.abort();
    });
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(heading(page, 'Sign in, and see how it works')).toBeFocused();
    await expect(page.getByText(alice.name)).toHaveCount(0);
    await expect(notice(page)).toHaveText('');
  });
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
