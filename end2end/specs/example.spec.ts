import type { Locator, Page } from '@playwright/test';
import { alice, bob, heading, passProvider, settle } from '../fixtures/journey.ts';
import { example, type Server } from '../fixtures/server.ts';
import { expect, test as base } from '../fixtures/test.ts';

const test = base.extend<{ guestbook: Server }>({
  guestbook: async ({ launch }, use) => {
    await use(await launch({ program: example }));
  },
});

/** Comes from the guestbook's first page to the one where whoever is signed in writes. */
async function signIn(page: Page, guestbook: Server, account: typeof alice | typeof bob = alice): Promise<void> {
  await page.goto(guestbook.url);
  await page.getByRole('link', { name: 'Sign in with Demo' }).click();
  await expect(heading(page, 'Sign in to Demo')).toBeVisible();
  await passProviderOf(page, account);
  await expect(heading(page, 'Write in the guestbook')).toBeVisible();
}

/** Answers whatever the demo provider asks, until it sends the browser back to the guestbook. */
async function passProviderOf(page: Page, account: typeof alice | typeof bob = alice): Promise<void> {
  await passProvider(page, account, 'Guestbook');
}

/** What the page says: the place for a sign-out's progress is a status as well, but empty. */
function said(page: Page): Locator {
  return page.getByRole('status').filter({ hasText: /\S/ });
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByLabel('Your entry').fill(text);
  await page.getByRole('button', { name: 'Write it down' }).click();
}

test('an app of its own: somebody signs in, writes, and everybody reads it', async ({ page, guestbook, stranger, render }) => {
  await signIn(page, guestbook);
  await write(page, 'Lovely place.');
  await expect(said(page)).toHaveText('Written: Lovely place.');
  await expect(page.getByLabel('Your entry')).toHaveValue('');
  await expect(page).toHaveTitle('Write · Guestbook');

  const other = await stranger(guestbook.url);
  const answer = await other.goto('/');
  expect(await answer?.text()).toContain(`data-render="${render}"`);
  await expect(other.getByText(`${alice.name}: Lovely place.`)).toBeVisible();
  await expect(other.getByRole('link', { name: 'Sign in with Demo' })).toBeVisible();

  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(heading(page, 'Who was here')).toBeVisible();
});

test.describe('what the guestbook does not take', () => {
  // The browser itself reports a refused call.
  test.use({ expectedConsole: /Failed to load resource.* 400/ });

  test('its own routes want a user and a page of its own, and take each for what they are', async ({ page, guestbook }) => {
    const call = (method: string, headers: Record<string, string>) =>
      page.request.fetch(`${guestbook.url}/api/v1/app/entries`, { method, headers: { 'sec-fetch-site': 'same-origin', ...headers }, data: '"x"' });
    expect((await call('POST', { 'content-type': 'application/json' })).status()).toBe(403);
    const anonymous = await call('POST', { 'content-type': 'application/json', 'x-csrf': '1' });
    expect(anonymous.status()).toBe(401);
    expect(await anonymous.json()).toMatchObject({ code: 'unauthenticated' });

    await signIn(page, guestbook);
    await write(page, '   ');
    await expect(page.getByRole('alert')).toContainText('between 1 and 280 characters');
  });
});

test.describe('with an end in between', () => {
  // The refused call is what the dialog comes from.
  test.use({ expectedConsole: /Failed to load resource.* 401/ });

  test('what was being written is sent once its writer is back', async ({ page, context, guestbook }) => {
    await signIn(page, guestbook);
    await settle(page);
    await context.clearCookies({ name: /session/ });
    await write(page, 'Half a thought.');
    await expect(page.getByRole('alertdialog')).toBeVisible();
    await page.evaluate(() => {
      window.open = () => null;
    });
    await page.getByRole('link', { name: 'Sign in again' }).click();
    await passProviderOf(page);
    await expect(page.getByLabel('Your entry')).toHaveValue('Half a thought.');
    await write(page, 'A whole one.');
    await expect(said(page)).toHaveText('Written: A whole one.');
  });
});

test('whoever has just signed in may take back what they have written, and only that', async ({ page, guestbook, stranger }) => {
  const other = await stranger(guestbook.url);
  await signIn(other, guestbook, bob);
  await write(other, 'I stay.');
  await expect(said(other)).toBeVisible();

  await signIn(page, guestbook);
  await write(page, 'I go.');
  await expect(said(page)).toBeVisible();
  await page.getByRole('link', { name: 'Forget me' }).click();
  await page.getByRole('button', { name: 'Remove my entries' }).click();
  await expect(said(page)).toHaveText('Removed: 1');
  await page.getByRole('link', { name: 'Guestbook', exact: true }).click();
  await expect(page.getByText('I stay.')).toBeVisible();
  await expect(page.getByText('I go.')).toBeHidden();
});
