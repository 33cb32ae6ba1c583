import type { Page } from '@playwright/test';
import { test } from '../fixtures/hostile-provider.ts';
import { alice, expectAccountPage, heading, loginPath, passProvider, session, settle, signIn, visit } from '../fixtures/journey.ts';
import { expectFocusKept, expectFocusSeen, tabTo, tabUntil } from '../fixtures/keyboard.ts';
import { states } from '../fixtures/states.ts';
import { expect } from '../fixtures/test.ts';

// Everything works from the keyboard, and the focus is always somewhere where it can be seen. No test here uses a mouse.

const home = 'Sign in, and see how it works';

/** Signs in at the demo provider, from its first page. */
async function typeCredentials(page: Page): Promise<void> {
  await expect(heading(page, 'Sign in to Demo')).toBeVisible();
  if (!(await page.getByLabel('Username').evaluate((field) => field === document.activeElement))) {
    await tabTo(page, 'textbox', 'Username');
  }
  await page.keyboard.type(alice.login);
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(alice.password);
  await page.keyboard.press('Enter');
}

test('the whole login works from the keyboard', async ({ page }) => {
  await visit(page, '/');
  await expect(heading(page, home)).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await expectFocusSeen(page);
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  expect(await page.evaluate(() => document.activeElement?.matches('main *')), 'the menu is skipped').toBe(true);
  await page.keyboard.press('Shift+Tab');
  await tabTo(page, 'link', 'Sign in with Demo');
  await page.keyboard.press('Enter');

  await typeCredentials(page);
  await expect(heading(page, 'oauth2flow would like to')).toBeVisible();
  await tabTo(page, 'button', 'Allow');
  await page.keyboard.press('Enter');

  await page.waitForURL((url) => url.hostname === 'localhost' && url.pathname !== '/callback');
  await tabTo(page, 'link', 'Account');
  await page.keyboard.press('Enter');
  await expectAccountPage(page);
  await tabTo(page, 'button', 'Sign out');
  await page.keyboard.press('Enter');
  await expect(heading(page, home)).toBeVisible();
});

test('a change of route without a page load moves the focus and the title', async ({ page }) => {
  await signIn(page);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  const titles = [await page.title()];
  for (const [link, h1] of [
    ['Home', home],
    ['X-ray', 'How you signed in with Demo'],
    ['Learn', 'How a sign-in works'],
    ['Account', 'Your account'],
  ] as const) {
    await tabTo(page, 'link', link, true);
    await page.keyboard.press('Enter');
    await expect(heading(page, h1)).toBeFocused();
    await expect(page).toHaveTitle(/ · oauth2flow$/);
    titles.push(await page.title());
    await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: link })).toHaveAttribute('aria-current', 'page');
  }
  expect(new Set(titles).size).toBe(4);
  expect(titles[0]).toBe(titles[4]);
  await page.goBack();
  await expect(heading(page, 'How a sign-in works')).toBeFocused();
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);
});

test('notes are written and deleted', async ({ page, launch }) => {
  const server = await launch();
  await page.goto(server.url + loginPath());
  await passProvider(page);
  await expectAccountPage(page);
  const notes = page.getByRole('list', { name: 'Notes' });
  // Nothing is added while they load.
  await expect(notes).toBeAttached();
  await tabTo(page, 'textbox', 'New note');
  await page.keyboard.type('written without a mouse');
  await page.keyboard.press('Enter');
  await expect(notes.getByText('written without a mouse')).toBeVisible();
  await expect(page.getByLabel('New note')).toBeFocused();
  await page.keyboard.type('and another');
  await tabTo(page, 'button', 'Add note');
  await page.keyboard.press('Space');
  await expect(notes.getByText('and another')).toBeVisible();
  await expectFocusKept(page);

  await tabTo(page, 'button', 'Delete note: written without a mouse', true);
  await page.keyboard.press('Space');
  await expect(notes.getByText('written without a mouse')).toHaveCount(0);
  await expectFocusKept(page);
});

test('a session elsewhere is ended', async ({ page, launch, stranger }) => {
  const server = await launch();
  const elsewhere = await stranger(server.url);
  await signIn(elsewhere);
  await page.goto(server.url + loginPath());
  await passProvider(page);
  await expectAccountPage(page);
  const sessions = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
  await expect(sessions).toHaveCount(2);
  await tabTo(page, 'button', /^Sign out .+, last used /);
  await page.keyboard.press('Enter');
  await expect(sessions).toHaveCount(1);
  await expectFocusKept(page);
  await expect(heading(elsewhere, 'Sign in to see your account')).toBeVisible();
});

test.describe('a session that ends under the user’s hands', () => {
  test.use({ expectedConsole: /Failed to load resource.* 401/ });

  test('is begun again in a window of its own, and the work goes on', async ({ page, context }) => {
    await signIn(page);
    await settle(page);
    // Nothing is added while they load.
    await expect(page.getByRole('list', { name: 'Notes' })).toBeAttached();
    await tabTo(page, 'textbox', 'New note');
    await page.keyboard.type('half a thought');
    await context.clearCookies({ name: /session/ });
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('alertdialog', { name: 'Your session has ended' });
    await expect(dialog).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(dialog).toBeVisible();
    // Tab stays inside: what is behind the dialog waits.
    for (let presses = 0; presses < 5; presses += 1) {
      await page.keyboard.press('Tab');
      expect(await page.evaluate(() => document.activeElement?.matches('body, dialog, dialog *'))).toBe(true);
    }
    await tabTo(page, 'link', 'Sign in again');
    const opened = context.waitForEvent('page');
    await page.keyboard.press('Enter');
    const popup = await opened;
    const closed = popup.waitForEvent('close');
    await typeCredentials(popup);
    // The provider may want to hear again what the app may know.
    await heading(popup, 'oauth2flow would like to').waitFor().then(
      async () => {
        await tabTo(popup, 'button', 'Allow');
        await popup.keyboard.press('Enter');
      },
      () => undefined,
    );
    await closed;
    await expect(dialog).toBeHidden();
    await expect(page.getByRole('list', { name: 'Notes' })).toContainText('half a thought');
    await expect(page.getByLabel('New note')).toBeFocused();
    expect(await session(page)).toMatchObject({ authenticated: true });
  });

  test('is left, and the page says so', async ({ page, context }) => {
    await signIn(page);
    await settle(page);
    // Nothing is added while they load.
    await expect(page.getByRole('list', { name: 'Notes' })).toBeAttached();
    await tabTo(page, 'textbox', 'New note');
    await page.keyboard.type('half a thought');
    await context.clearCookies({ name: /session/ });
    await page.keyboard.press('Enter');
    await expect(page.getByRole('alertdialog')).toBeVisible();
    await tabTo(page, 'button', 'Not now');
    await page.keyboard.press('Space');
    await expect(heading(page, 'Sign in to see your account')).toBeVisible();
    await expectFocusKept(page);
    await tabTo(page, 'link', 'Sign in with Demo');
  });
});

test('the X-ray is stepped through, read and taken along', async ({ page }) => {
  await page.goto(loginPath('/flow'));
  await typeCredentials(page);
  await expect(heading(page, 'oauth2flow would like to')).toBeVisible();
  await tabTo(page, 'button', 'Allow');
  await page.keyboard.press('Enter');
  await expect(heading(page, 'How you signed in with Demo')).toBeVisible();

  // With the buttons, and from message to message.
  await tabTo(page, 'button', 'Next message');
  await page.keyboard.press('Space');
  await expect(page.locator('#message-1')).toHaveAttribute('open');
  await expect(page.getByRole('button', { name: 'Next message' })).toBeFocused();
  await tabUntil(page, page.locator('#message-1 summary'));
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('#message-2 summary')).toBeFocused();
  await expectFocusSeen(page);
  await page.keyboard.press('End');
  await page.keyboard.press('ArrowUp');
  await expectFocusSeen(page);
  await page.keyboard.press('Home');
  await expect(page.locator('#message-1 summary')).toBeFocused();

  // Into a message, along a link to where the same secret is, and on from there.
  const request = page.locator('details').filter({ has: page.locator('summary', { hasText: 'brings the authorization request' }) });
  await tabUntil(page, request.locator('summary'));
  await page.keyboard.press('Enter');
  await expect(request).toHaveAttribute('open');
  const link = request.getByRole('link', { name: /^message \d+$/ }).first();
  const target = page.locator((await link.getAttribute('href')) ?? '');
  await tabUntil(page, link);
  await page.keyboard.press('Enter');
  await expect(target.locator('summary')).toBeFocused();
  await expect(target).toHaveAttribute('open');
  await expectFocusSeen(page);
  await page.keyboard.press('Space');
  await expect(target).not.toHaveAttribute('open');

  const download = page.waitForEvent('download');
  await tabTo(page, 'button', 'Save as JSON');
  await page.keyboard.press('Enter');
  expect((await download).suggestedFilename()).toMatch(/\.json$/);
  await tabTo(page, 'button', 'Forget all sign-ins');
  await page.keyboard.press('Space');
  await expect(heading(page, 'See a sign-in from the inside')).toBeFocused();
});

for (const state of states.filter(({ name }) => ['home-ten-providers', 'account-two-sessions', 'flow', 'learn-own-login'].includes(name))) {
  test(`on ${state.name} the focus is seen at every stop, there and back`, async ({ page, launch, hostile, stranger }) => {
    await state.open({ page, launch, hostile, stranger });
    await page.evaluate(() => {
      if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
      document.body.setAttribute('tabindex', '-1');
      document.body.focus();
      document.body.removeAttribute('tabindex');
      scrollTo(0, 0);
    });
    const current = () => page.evaluate(() => [...document.querySelectorAll('*')].indexOf(document.activeElement ?? document.body));
    const stops: number[] = [];
    for (;;) {
      await page.keyboard.press('Tab');
      const stop = await current();
      // After the last one it begins again.
      if (stops.includes(stop) || (await page.evaluate(() => document.activeElement === document.body))) break;
      await expectFocusSeen(page);
      stops.push(stop);
      expect(stops.length).toBeLessThan(150);
    }
    expect(stops.length).toBeGreaterThan(6);
    expect(stops, 'in the order of the page').toEqual(stops.toSorted((one, other) => one - other));
    await expect(page.getByRole('link', { name: 'Skip to content' })).toHaveCount(1);

    const back: number[] = [];
    for (let place = 0; place < stops.length; place += 1) {
      await page.keyboard.press('Shift+Tab');
      if (await page.evaluate(() => document.activeElement === document.body)) await page.keyboard.press('Shift+Tab');
      back.push(await current());
    }
    expect(new Set(back), 'the same stops backwards').toEqual(new Set(stops));
  });
}
