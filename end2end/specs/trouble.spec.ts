import type { Page, Route } from '@playwright/test';
import { alice, detail, expectAccountPage, heading, loginPath, passProvider, session, signIn } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

// What a page does when something is missing, blocked, wrong or too old: it says so, and how to go on.

const home = 'Sign in, and see how it works';

/** Where only the browser says in its console what is the matter. */
const refused = /Failed to load resource|Failed to fetch|ERR_|WebAssembly|module did not load|Error|^uncaught: /;

/** The ways in which a file of the app does not come. */
const missing: Record<string, (route: Route) => Promise<void>> = {
  gone: (route) => route.fulfill({ status: 404, contentType: 'application/problem+json', body: '{}' }),
  blocked: (route) => route.abort('blockedbyclient'),
  'half there': async (route) => {
    const answer = await route.fetch();
    const body = await answer.body();
    await route.fulfill({ contentType: answer.headers()['content-type'] ?? '', body: body.subarray(0, body.length / 2) });
  },
};

test.describe('without the app', () => {
  test.use({ expectedConsole: refused });

  for (const [file, pattern] of Object.entries({ WebAssembly: '**/pkg/oauth2flow.*.wasm', script: '**/pkg/oauth2flow.*.js' })) {
    for (const [way, answer] of Object.entries(missing)) {
      test(`a page whose ${file} is ${way} says so, and starts once it is there`, async ({ page }) => {
        await page.route(pattern, answer);
        await page.goto('/account');
        await expect(page.getByRole('alert')).toContainText('This page could not start');
        await expect(page.getByText('Loading…')).toHaveCount(0);
        await page.unroute(pattern);
        const asked = page.waitForResponse('**/api/v1/session');
        await page.getByRole('link', { name: 'Reload' }).click();
        await asked;
        await expect(page.getByRole('alert')).toHaveCount(0);
        await expect(heading(page, 'Sign in to see your account')).toBeVisible();
      });
    }
  }

  test('a sign-in whose last page cannot start is finished after a reload', async ({ page }) => {
    await page.route('**/pkg/oauth2flow.*.wasm', (route) => route.abort());
    await page.goto(loginPath());
    await passProvider(page);
    await expect(page.getByRole('alert')).toContainText('This page could not start');
    await page.unroute('**/pkg/oauth2flow.*.wasm');
    await page.reload();
    await expectAccountPage(page);
  });

  test('an old page of an app that was updated says so, and the link brings the new one', async ({ page }) => {
    await signIn(page);
    await page.route('**/pkg/*.wasm', missing['gone'] as (route: Route) => Promise<void>);
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Learn' }).click();
    await expect(heading(page, 'This page could not be loaded')).toBeFocused();
    await expect(page.getByText('the app has just been updated')).toBeVisible();
    await page.unrouteAll();
    const document = page.waitForRequest((request) => request.isNavigationRequest());
    await page.getByRole('link', { name: 'Load it again' }).click();
    expect(new URL((await document).url()).pathname).toBe('/learn');
    await expect(heading(page, 'This page could not be loaded')).toHaveCount(0);
  });
});

test('a page that does not understand the server says that it is too old, and how to go on', async ({ page }) => {
  await page.route('**/api/v1/proxy/notes', (route) => route.fulfill({ json: { version: 2, notes: { first: 'x' } } }));
  await page.goto(loginPath('/account#notes'));
  await passProvider(page);
  const notice = page.getByRole('alert');
  await expect(notice).toContainText('This page is older than the server');
  // To follow a link with a fragment would stay on the old page.
  await expect(notice.getByRole('link', { name: 'Reload' })).toHaveAttribute('href', '/account');
  await page.unrouteAll();
  const document = page.waitForRequest((request) => request.isNavigationRequest());
  await notice.getByRole('link', { name: 'Reload' }).click();
  expect(new URL((await document).url()).pathname).toBe('/account');
  await expectAccountPage(page);
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test.describe('without cookies', () => {
  test.use({ expectedConsole: /oauth\/code: Failed to load resource/ });

  test('the page says that signing in needs them', async ({ page, context }) => {
    const devtools = await context.newCDPSession(page);
    await devtools.send('Emulation.setDocumentCookieDisabled', { disabled: true });
    await page.goto('/');
    await expect(page.getByRole('status').filter({ hasText: 'blocks cookies' })).toBeVisible();
    // It stays when the app has taken over.
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Account' }).click();
    await expect(heading(page, 'Sign in to see your account')).toBeVisible();
    await expect(page.getByRole('status').filter({ hasText: 'blocks cookies' })).toBeVisible();
  });

  test('a sign-in whose cookie does not come back ends with words about cookies', async ({ page, context }) => {
    await page.goto(loginPath());
    await expect(heading(page, 'Sign in to Demo')).toBeVisible();
    await context.clearCookies({ name: /^tx-/ });
    await passProvider(page);
    await expect(heading(page, 'This sign-in was not started in this browser')).toBeVisible();
    await expect(page.getByText('the cookies were blocked or cleared on the way')).toBeVisible();
    await expect(page.getByText('with cookies allowed')).toBeVisible();
    expect(await session(page)).toEqual({ authenticated: false });
  });
});

test('where storage, channels and locks are blocked, everything works that does not need them', async ({ page }) => {
  await page.addInitScript(() => {
    const blocked = (): never => {
      throw new DOMException('blocked', 'SecurityError');
    };
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB', 'caches']) Object.defineProperty(window, name, { get: blocked });
    Object.defineProperty(navigator, 'locks', { get: blocked });
    Object.defineProperty(window, 'BroadcastChannel', { value: function BroadcastChannel() { blocked(); } });
  });
  await signIn(page);
  await page.getByLabel('New note').fill('kept by the server');
  await page.getByRole('button', { name: 'Add note' }).click();
  await expect(page.getByRole('list', { name: 'Notes' })).toContainText('kept by the server');
  await page.getByRole('button', { name: 'Delete note: kept by the server' }).click();
  await expect(page.getByRole('list', { name: 'Notes' })).not.toContainText('kept by the server');
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(heading(page, home)).toBeVisible();
});

for (const [direction, days] of Object.entries({ behind: -1, ahead: 1 })) {
  test(`a clock that is a day ${direction} changes nothing: the server's counts`, async ({ page }) => {
    await page.addInitScript((milliseconds) => {
      const Right = Date;
      const wrong = class extends Right {
        constructor(...time: []) {
          if (time.length === 0) super(Right.now() + milliseconds);
          else super(...time);
        }
        static override now(): number {
          return Right.now() + milliseconds;
        }
      };
      Object.defineProperty(window, 'Date', { value: wrong });
    }, days * 86_400_000);
    await signIn(page);
    const left = detail(page, 'If you do nothing');
    await expect(left).toHaveText(/^(?:29 minutes \d+ seconds?|30 minutes 0 seconds)$/);
    const before = await left.innerText();
    await expect(left, 'it counts down').not.toHaveText(before);
    await expect(left).toHaveText(/^29 minutes \d+ seconds?$/);
    await page.reload();
    await expect(detail(page, 'If you do nothing')).toHaveText(/^29 minutes \d+ seconds?$/);
  });
}

test.describe('offline', () => {
  // Whoever listens for events when the session ends may be refused once.
  test.use({ expectedConsole: /ERR_INTERNET_DISCONNECTED|session\/events: Failed to load resource.* 401/ });

  const notice = (page: Page) => page.getByRole('status').filter({ hasText: 'What is on this page stays' });

  test('is said, and what was typed is kept until it can be sent', async ({ page, context }) => {
    await signIn(page);
    await page.getByLabel('New note').fill('written in a tunnel');
    await context.setOffline(true);
    await expect(notice(page)).toBeVisible();
    // The question that goes with the call learns only afterwards that it was asked in vain.
    const held: Route[] = [];
    await page.route(/\/api\/v1\/session$/, (route) => void held.push(route));
    await page.getByRole('button', { name: 'Add note' }).click();
    await expect(page.getByRole('alert')).toContainText('You are offline');
    await expect(page.getByLabel('New note')).toHaveValue('written in a tunnel');

    // Back online, the session is asked for, and its events are listened to again.
    const asked = page.waitForRequest(/\/api\/v1\/session\?prolong=false$/);
    const listening = page.waitForRequest('**/api/v1/session/events');
    await context.setOffline(false);
    await expect(notice(page)).toHaveCount(0);
    await asked;
    await listening;
    for (const route of held) await route.abort('internetdisconnected');
    await page.unroute(/\/api\/v1\/session$/);
    await page.getByRole('button', { name: 'Add note' }).click();
    await expect(page.getByRole('list', { name: 'Notes' })).toContainText('written in a tunnel');
    await expect(page.getByRole('alert')).toHaveCount(0);
  });

  test('a sign-out is made up for as soon as there is a connection', async ({ page, context }) => {
    await signIn(page);
    await context.setOffline(true);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await expect(page.getByRole('status').filter({ hasText: 'You will be signed out' })).toBeVisible();
    await context.setOffline(false);
    await expect(heading(page, home)).toBeVisible();
    expect(await session(page)).toEqual({ authenticated: false });
  });
});

test('a page that is left while its calls are running does no harm when they are answered', async ({ page, launch, stranger }) => {
  const server = await launch();
  await signIn(await stranger(server.url));
  await page.goto(server.url + loginPath());
  await passProvider(page);
  await expectAccountPage(page);
  await page.getByLabel('New note').fill('soon gone');
  await page.getByRole('button', { name: 'Add note' }).click();
  const remove = page.getByRole('button', { name: 'Delete note: soon gone' });
  await expect(remove).toBeVisible();
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  for (const calls of ['**/api/v1/proxy/notes/*', '**/api/v1/sessions/*/end']) {
    await page.route(calls, async (route) => {
      await released;
      await route.continue();
    });
  }
  const deleted = page.waitForResponse((answer) => answer.request().method() === 'DELETE');
  const ended = page.waitForResponse('**/api/v1/sessions/*/end');
  await remove.click();
  await page.getByRole('button', { name: /^Sign out .+, last used / }).click();
  const menu = page.getByRole('navigation', { name: 'Main' });
  await menu.getByRole('link', { name: 'Home' }).click();
  await expect(page.getByText(`Signed in as ${alice.name}`)).toBeVisible();
  // What follows a deletion is another call.
  const told = page.waitForResponse('**/api/v1/session');
  release();
  await Promise.all([deleted, ended, told]);
  await menu.getByRole('link', { name: 'Account' }).click();
  await expectAccountPage(page);
  await expect(page.getByRole('list', { name: 'Sessions' }).getByRole('listitem')).toHaveCount(1);
  await expect(remove).toHaveCount(0);
});

test('a page that comes back from the back/forward cache shows nobody who has left meanwhile', async ({ page, context }) => {
  // What the events begin with would bring the user back.
  const listening = page.waitForResponse('**/api/v1/session/events');
  await signIn(page);
  await listening;
  await context.clearCookies({ name: 'session' });
  await page.evaluate(() => window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })));
  await expect(page.getByText(alice.email)).toHaveCount(0);
});
