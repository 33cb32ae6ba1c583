import type { Page, Request } from '@playwright/test';
import { account } from '../fixtures/foreign-provider.ts';
import {
  type Account, alice, bob, callUpstream, detail, expectAccountPage, heading, loginPath, passProvider, session, signIn, visit,
} from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

/** Sign-out anywhere shows everywhere within a second; a busy machine gets some more to draw it. */
const soon = { timeout: 3_000 };

// Whoever listens for events when the session ends may be refused once, which the browser itself reports.
test.use({ expectedConsole: /session\/events: Failed to load resource.* 401|sessions\/[^/]+\/end: Failed to load resource.* 503/ });

/** Signs in, and waits until the page listens to what becomes of the session. */
async function signInAndListen(page: Page, account: Account = alice): Promise<void> {
  const listens = page.waitForResponse((answer) => answer.ok() && answer.url().endsWith('/api/v1/session/events'));
  await signIn(page, account);
  await listens;
}

/** How many tabs of this browser listen to the server, and how many wait for their turn. */
async function queue(tab: Page): Promise<[listening: number, waiting: number]> {
  const { held = [], pending = [] } = await tab.evaluate(() => navigator.locks.query());
  return [held.length, pending.length];
}

test('the account page tells where the user is signed in, and ends what is no longer wanted', async ({ launch, stranger }) => {
  const server = await launch();
  const [here, there] = [await stranger(server.url), await stranger(server.url)];
  await signInAndListen(there);
  await signIn(here);
  const sessions = here.getByRole('list', { name: 'Sessions' });
  await expect(sessions.getByRole('listitem')).toHaveCount(2);
  await expect(sessions.getByRole('listitem').filter({ hasText: 'this browser' })).toHaveCount(1);
  await expect(sessions.getByRole('listitem').first()).toContainText(/(?:Chrome|Firefox) on Windows.*127\.0\.0\.1.*signed in just now/);

  await sessions.getByRole('button', { name: /^Sign out (?:Chrome|Firefox) on Windows, last used / }).click();
  await expect(sessions.getByRole('listitem')).toHaveCount(1);
  await expect(here.getByText('You are signed in nowhere else.')).toBeVisible();
  await expect(heading(there, 'Sign in to see your account')).toBeVisible(soon);
  await expect(there.getByText('Your session has ended. Sign in to go on.')).toBeVisible();
  expect(await session(there)).toEqual({ authenticated: false });
  expect(await session(here)).toMatchObject({ authenticated: true });
});

test('a session that is ended is gone from the list at once, and back where that fails', async ({ launch, stranger }) => {
  const server = await launch();
  const [here, there] = [await stranger(server.url), await stranger(server.url)];
  await signInAndListen(there);
  await signIn(here);
  const sessions = here.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
  await expect(sessions).toHaveCount(2);
  let settle = (): void => undefined;
  let isRefused = true;
  const hold = (): Promise<void> => new Promise((resolve) => (settle = resolve));
  let held = hold();
  await here.route('**/api/v1/sessions/*/end', async (route) => {
    await held;
    await (isRefused ? route.fulfill({ status: 503, body: '' }) : route.continue());
  });

  await here.bringToFront();
  const end = here.getByRole('button', { name: /^Sign out .+, last used / });
  await end.click();
  await expect(sessions).toHaveCount(1);
  // Nothing is said to be over that may fail.
  await expect(here.getByText('Signing out…')).toBeFocused();
  settle();
  await expect(sessions).toHaveCount(2);
  await expect(here.getByRole('alert')).toContainText(/(?:Chrome|Firefox) on Windows is still signed in\./);
  expect(await session(there)).toMatchObject({ authenticated: true });

  isRefused = false;
  held = hold();
  await here.getByRole('alert').getByRole('button', { name: 'Try again' }).click();
  await expect(here.getByRole('alert')).toHaveCount(0);
  await expect(sessions).toHaveCount(1);
  expect(await session(there)).toMatchObject({ authenticated: true });
  settle();
  await expect(heading(there, 'Sign in to see your account')).toBeVisible(soon);
  await expect(sessions).toHaveCount(1);
  await expect(here.getByText('You are signed in nowhere else.')).toBeVisible();
});

test('signing out everywhere ends every session of the user, and nobody else’s', async ({ launch, stranger }) => {
  const server = await launch();
  const [here, there, neighbour] = [await stranger(server.url), await stranger(server.url), await stranger(server.url)];
  await signInAndListen(there);
  await signIn(neighbour, bob);
  await signIn(here);
  await here.getByRole('button', { name: 'Sign out everywhere' }).click();
  await here.waitForURL(`${server.url}/`);
  await expect(heading(there, 'Sign in to see your account')).toBeVisible(soon);
  expect(await session(there)).toEqual({ authenticated: false });
  expect(await session(here)).toEqual({ authenticated: false });
  expect(await session(neighbour)).toMatchObject({ authenticated: true });
});

test('the tabs of a browser stay in step', async ({ page, context, server }) => {
  const other = await context.newPage();
  await visit(other, '/account');
  await expect(heading(other, 'Sign in to see your account')).toBeVisible();
  await signIn(page);
  await expectAccountPage(other);

  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await page.waitForURL(`${server.url}/`);
  await expect(heading(other, 'Sign in to see your account')).toBeVisible(soon);
});

test('a tab that hears of the end of a session that a newer one has replaced asks again', async ({ page, context }) => {
  const other = await context.newPage();
  await signIn(page);
  await other.goto('/account');
  await expectAccountPage(other);
  // Whoever waits for their turn hears the others.
  await expect.poll(() => queue(other)).toEqual([1, 1]);
  const asked = Promise.all([page, other].map((tab) => tab.waitForResponse(/\/api\/v1\/session\?prolong=false$/)));
  const third = await context.newPage();
  await third.route('**/nothing', (route) => route.fulfill({ contentType: 'text/html', body: '<!doctype html><title>Nothing</title>' }));
  await third.goto('/nothing');
  await third.evaluate(() => new BroadcastChannel('oauth2flow session').postMessage('{"authenticated":false}'));
  await asked;
  for (const tab of [page, other]) await expectAccountPage(tab);
});

test('a new sign-in in another tab leaves what is being typed where it is', async ({ page, context }) => {
  await signInAndListen(page);
  await page.getByLabel('New note').fill('half a thought');
  const asked = page.waitForResponse(/\/api\/v1\/session\?prolong=false$/);
  const other = await context.newPage();
  await other.goto(loginPath());
  await expectAccountPage(other);
  await asked;
  await expectAccountPage(page);
  await expect(page.getByLabel('New note')).toHaveValue('half a thought');
});

test('a tab that listened and is closed makes way for another', async ({ context, server, playwright }) => {
  const [first, second] = [await context.newPage(), await context.newPage()];
  await signIn(first);
  const taken = second.waitForRequest('**/api/v1/session/events');
  await second.goto('/account');
  await expectAccountPage(second);
  await first.close();
  await (await taken).response();

  // Somebody ends the session from elsewhere: no tab of this browser has asked for it.
  const [cookie] = (await context.cookies()).filter(({ name }) => name === 'session');
  const elsewhere = await playwright.request.newContext({
    baseURL: server.url,
    extraHTTPHeaders: { cookie: `session=${cookie?.value}`, 'x-csrf': '1', 'sec-fetch-site': 'same-origin' },
  });
  expect((await elsewhere.post('/api/v1/oauth/logout')).status()).toBe(200);
  await elsewhere.dispose();
  await expect(heading(second, 'Sign in to see your account')).toBeVisible(soon);
});

test('ten tabs of one browser all work, and one of them listens', async ({ context }) => {
  test.slow();
  const [streams, ended] = [[] as Request[], new Set<Request>()];
  context.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/v1/session/events') streams.push(request);
  });
  context.on('requestfinished', (request) => ended.add(request));
  context.on('requestfailed', (request) => ended.add(request));
  const pages = await Promise.all(Array.from({ length: 10 }, () => context.newPage()));
  const [first, second] = pages as [Page, Page, ...Page[]];
  await signIn(first);
  for (const page of pages) {
    await page.goto('/account');
    await expectAccountPage(page);
  }
  // With one connection each, six tabs would leave none for anything else.
  await expect.poll(() => queue(second)).toEqual([1, 9]);
  expect(streams.filter((stream) => !ended.has(stream))).toHaveLength(1);
});

test('new tokens show in every tab', async ({ context, launch, foreignProvider }) => {
  // The first access token is about to expire from the start: a proxied call soon brings another.
  const server = await launch({ config: (publicUrl) => foreignProvider.register(publicUrl, { accessTokenSeconds: 2, renewedTokenSeconds: 3600 }) });
  const [here, there] = [await context.newPage(), await context.newPage()];
  await here.goto(`${server.url}/api/v1/oauth/login?provider=foreign&return_to=/account`);
  await here.getByLabel('Account').fill(account.preferred_username);
  await here.getByRole('button', { name: 'Continue' }).click();
  await there.goto(`${server.url}/account`);
  const shown = [here, there].map((tab) => detail(tab, 'Access token'));
  for (const lifetime of shown) await expect(lifetime).toHaveText(/^(?:\d second|renewed)/);
  const renewed = async () => {
    expect(await callUpstream(here, 'foreign/me')).toMatchObject({ status: 200 });
    return foreignProvider.client().grants;
  };
  await expect.poll(renewed, { intervals: [100] }).toEqual(['authorization_code', 'refresh_token']);
  for (const lifetime of shown) await expect(lifetime).toHaveText(/^(?:1 hour|59 minutes)/);
});

test('without script a session elsewhere is ended, and then all of them', async ({ launch, browser, browserName, stranger, render }) => {
  test.skip(render === 'spa', 'without script there is only what the server renders');
  test.skip(browserName === 'firefox', 'WebDriver BiDi cannot turn its scripts off');
  const server = await launch();
  const context = await browser.newContext({ baseURL: server.url, javaScriptEnabled: false });
  const page = await context.newPage();
  const elsewhere = await stranger(server.url);
  await signInAndListen(elsewhere);
  await page.goto(loginPath());
  await passProvider(page);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.goto('/account');
  await expectAccountPage(page);
  const sessions = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
  await expect(sessions).toHaveCount(2);
  await sessions.getByRole('button', { name: /^Sign out (?:Chrome|Firefox) on Windows, last used / }).click();
  await expectAccountPage(page);
  await expect(sessions).toHaveCount(1);
  await expect(heading(elsewhere, 'Sign in to see your account')).toBeVisible(soon);

  await signInAndListen(elsewhere);
  await page.reload();
  await page.getByRole('button', { name: 'Sign out everywhere' }).click();
  await expect(heading(page, 'Sign in, and see how it works')).toBeVisible();
  await expect(heading(elsewhere, 'Sign in to see your account')).toBeVisible();
  await context.close();
});
