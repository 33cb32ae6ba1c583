import type { Page } from '@playwright/test';
import {
  alice, bob, callUpstream, consent, enterCredentials, expectAccountPage, heading, loginPath, passProvider, session, settle, signIn, signInInWindow, visit,
} from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

// The refused call is what the dialog comes from.
test.use({ expectedConsole: /Failed to load resource.* 401|oauth\/code: Failed to load resource.* 403/ });

/** Takes the session from under the user's hands, while a note is being typed. */
async function interrupt(page: Page): Promise<void> {
  await settle(page);
  await page.getByLabel('New note').fill('half a thought');
  await page.context().clearCookies({ name: /session/ });
  await page.getByRole('button', { name: 'Add note' }).click();
  await expect(page.getByRole('alertdialog', { name: 'Your session has ended' })).toBeVisible();
}

const notes = (page: Page) => page.getByRole('list', { name: 'Notes' });

test('a note that was being written is sent once its writer is back, from a window of its own', async ({ page, server }) => {
  await signIn(page);
  await visit(page, '/account?tab=notes#notes');
  await expectAccountPage(page);
  await interrupt(page);
  await expect(page.getByRole('alertdialog')).toContainText(alice.name);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('alertdialog')).toBeVisible();

  const sent: string[] = [];
  page.on('request', (request) => {
    if (request.method() === 'POST' && request.url().endsWith('/proxy/notes')) sent.push(request.url());
  });
  await signInAgain(page);
  await expect(notes(page)).toContainText('half a thought');
  await expect(page.getByLabel('New note')).toHaveValue('');
  expect(sent).toHaveLength(1);
  expect(page.url()).toBe(`${server.url}/account?tab=notes#notes`);
  expect(await session(page)).toMatchObject({ authenticated: true });
});

test.describe('where no window opens', () => {
  /** Leaves the page to sign in again. */
  async function leave(page: Page): Promise<void> {
    await page.evaluate(() => {
      window.open = () => null;
    });
    await page.getByRole('link', { name: 'Sign in again' }).click();
  }

  /** Leaves it, and comes back to it. */
  async function leaveAndComeBack(page: Page): Promise<void> {
    const address = page.url();
    await leave(page);
    await passProvider(page);
    await expectAccountPage(page);
    expect(page.url()).toBe(address);
  }

  test('the page is left, and the note that was being written is sent afterwards', async ({ page, launch }) => {
    const { url } = await launch();
    await page.goto(url + loginPath('/account?tab=notes#notes'));
    await passProvider(page);
    await expectAccountPage(page);
    await interrupt(page);
    await leaveAndComeBack(page);
    await expect(notes(page)).toContainText('half a thought');
    await expect(page.getByLabel('New note')).toHaveValue('');
    // Once, however often the page is loaded.
    await page.reload();
    await expectAccountPage(page);
    await expect(notes(page).getByText('half a thought')).toHaveCount(1);
  });

  test('what had been typed for later is there again, while the call that waited is made', async ({ page }) => {
    await signIn(page);
    await page.getByLabel('New note').fill('done with');
    await page.getByRole('button', { name: 'Add note' }).click();
    await expect(notes(page)).toContainText('done with');
    await settle(page);
    await page.getByLabel('New note').fill('half a thought');
    await page.context().clearCookies({ name: /session/ });
    await notes(page).getByRole('listitem').filter({ hasText: 'done with' }).getByRole('button').click();
    await expect(page.getByRole('alertdialog')).toBeVisible();
    await leaveAndComeBack(page);
    await expect(notes(page)).not.toContainText('done with');
    await expect(page.getByLabel('New note')).toHaveValue('half a thought');
    await page.reload();
    await expectAccountPage(page);
    await expect(page.getByLabel('New note')).toHaveValue('');
  });

  test('whoever declines at the provider has what they typed, and it is not sent', async ({ page, launch }) => {
    const { url } = await launch();
    await page.goto(url + loginPath());
    await passProvider(page);
    await expectAccountPage(page);
    await interrupt(page);
    await page.context().clearCookies();
    await leave(page);
    await enterCredentials(page, alice);
    await consent(page, 'Deny');
    await expect(heading(page, 'You cancelled the sign-in')).toBeVisible();
    await page.goto(url + loginPath());
    await passProvider(page);
    await expectAccountPage(page);
    await expect(page.getByLabel('New note')).toHaveValue('half a thought');
    await expect(notes(page)).not.toContainText('half a thought');
  });

  test('a session that was to be ended in another browser is ended afterwards', async ({ page, launch, stranger }) => {
    const { url } = await launch();
    const other = await stranger(url);
    for (const tab of [other, page]) {
      await tab.goto(url + loginPath());
      await passProvider(tab);
      await expectAccountPage(tab);
    }
    await settle(page);
    const sessions = page.getByRole('list', { name: 'Sessions' }).getByRole('listitem');
    await expect(sessions).toHaveCount(2);
    await page.context().clearCookies({ name: /session/ });
    await sessions.filter({ hasNotText: 'This browser' }).getByRole('button').click();
    await expect(page.getByRole('alertdialog')).toBeVisible();
    await leaveAndComeBack(page);
    await expect(heading(other, 'Sign in to see your account')).toBeVisible();
  });
});

test('whoever does not want to sign in again sees nothing more of the account', async ({ page }) => {
  await signIn(page);
  await interrupt(page);
  await page.getByRole('button', { name: 'Not now' }).click();
  await expect(heading(page, 'Sign in to see your account')).toBeVisible();
  await expect(page.getByText(alice.email)).toBeHidden();
});

test('somebody else who signs in gets a page of their own, and sends nothing of what was typed', async ({ page, context }) => {
  await signIn(page);
  await interrupt(page);
  const other = await context.newPage();
  await visit(other, '/account');
  await context.clearCookies();
  const reloaded = page.waitForEvent('load');
  await signIn(other, bob);
  await reloaded;
  await expectAccountPage(page, bob);
  await expect(page.getByLabel('New note')).toHaveValue('');
  await expect(notes(page)).not.toContainText('half a thought');
});

test('a session that nobody uses ends on every page that is open, and goes on where it was', async ({ context, launch }) => {
  // No longer than the pages need to open: somebody waits for its end.
  const server = await launch({ config: () => '[session]\nidle = "10s"\n' });
  const [page, other] = [await context.newPage(), await context.newPage()];
  await page.goto(server.url + loginPath());
  await passProvider(page);
  await expectAccountPage(page);
  await page.getByLabel('New note').fill('half a thought');
  await other.goto(`${server.url}/learn`);
  const dialogs = [page, other].map((tab) => tab.getByRole('alertdialog', { name: 'Your session has ended' }));
  for (const dialog of dialogs) await expect(dialog).toBeVisible();
  expect(await session(page)).toEqual({ authenticated: false });

  await signInAgain(page);
  for (const dialog of dialogs) await expect(dialog).toBeHidden();
  await expect(page.getByLabel('New note')).toHaveValue('half a thought');
  expect(await session(page)).toMatchObject({ authenticated: true });
});

test('a page that knows the end by its clock alone tells the others of an end, and not of a sign-out', async ({ context, launch }) => {
  const server = await launch({ config: () => '[session]\nidle = "10s"\n' });
  // As after a sleep of the machine: nobody has heard it from the server.
  await context.route('**/api/v1/session/events', () => undefined);
  const [page, other] = [await context.newPage(), await context.newPage()];
  await page.goto(server.url + loginPath());
  await passProvider(page);
  await expectAccountPage(page);
  await other.goto(`${server.url}/account`);
  await expectAccountPage(other);
  for (const tab of [page, other]) await tab.getByLabel('New note').fill('half a thought');
  for (const tab of [page, other]) {
    await expect(tab.getByRole('alertdialog', { name: 'Your session has ended' })).toBeVisible();
    await expect(tab.getByLabel('New note', { exact: true })).toHaveValue('half a thought');
  }
});

test.describe('a provider that takes its permission back', () => {
  // The server is gone for a while.
  test.use({ expectedConsole: /Failed to load resource.*(?: 401|net::ERR_)/ });

  test('where the provider has withdrawn the session, the page stays as well', async ({ context, launch }) => {
    const server = await launch({ config: () => '[demo]\naccess_token_lifetime = "5s"\n' });
    const page = await context.newPage();
    await page.goto(server.url + loginPath());
    await passProvider(page);
    await expectAccountPage(page);
    await page.getByLabel('New note').fill('half a thought');

    await server.kill();
    await server.wipeDemoProvider();
    const listens = page.waitForResponse((answer) => answer.ok() && answer.url().endsWith('/api/v1/session/events'));
    await server.resume();
    await listens;
    await expect.poll(() => callUpstream(page, 'notes')).toMatchObject({ status: 401, body: { code: 'session_ended' } });
    await expect(page.getByRole('alertdialog', { name: 'Your session has ended' })).toBeVisible();

    await signInAgain(page);
    await expect(page.getByLabel('New note')).toHaveValue('half a thought');
    await page.getByRole('button', { name: 'Add note' }).click();
    await expect(notes(page)).toContainText('half a thought');
  });
});

/** Signs in again in the window that the dialog opens. */
async function signInAgain(page: Page): Promise<void> {
  await signInInWindow(page, page.getByRole('link', { name: 'Sign in again' }), passProvider);
  await expect(page.getByRole('alertdialog')).toBeHidden();
}
