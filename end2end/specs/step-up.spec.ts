import type { Page } from '@playwright/test';
import { alice, bob, enterCredentials, expectAccountPage, heading, loginPath, passProvider, signInInWindow } from '../fixtures/journey.ts';
import { example } from '../fixtures/server.ts';
import { expect, test } from '../fixtures/test.ts';

/** Confirms who the user is in the window that this opens. */
async function confirm(page: Page, pass: (popup: Page) => Promise<void>): Promise<void> {
  await signInInWindow(page, page.getByRole('link', { name: 'Confirm it is you' }), pass);
}

/** Adds a note, which is refused. */
async function addInVain(page: Page): Promise<void> {
  await page.getByLabel('New note').fill('half a thought');
  const refused = page.waitForResponse((answer) => answer.request().method() === 'POST' && answer.url().endsWith('/proxy/notes'));
  await page.getByRole('button', { name: 'Add note' }).click();
  expect((await refused).status()).toBe(401);
}

/** Marks the page that is there, and tells afterwards whether it still is. */
async function mark(page: Page): Promise<() => Promise<boolean>> {
  await page.evaluate(() => document.documentElement.setAttribute('data-stays', ''));
  return () => page.evaluate(() => document.documentElement.hasAttribute('data-stays'));
}

test.describe('an API that wants a second factor', () => {
  test.use({ expectedConsole: /Failed to load resource.* 401/ });

  const config = (_: string, demo: string) =>
    `[upstreams.notes]\nurl = "${demo}/notes"\nproviders = ["demo"]\nacr_values = ["urn:example:acr:two-factor"]\n`;

  test('is called again once there has been one, and what was typed is sent from the page where it stands', async ({ page, launch }) => {
    const server = await launch({ config });
    await page.goto(server.url + loginPath('/account?tab=notes#notes'));
    await passProvider(page);
    await expectAccountPage(page);
    const notes = page.getByRole('region', { name: 'Notes' });
    await expect(notes.getByRole('alert')).toContainText('This API wants a stronger');
    await addInVain(page);

    const stays = await mark(page);
    await confirm(page, async (popup) => {
      await popup.getByLabel('One-time code').fill('246810');
      await enterCredentials(popup, alice);
    });
    await expect(page.getByRole('list', { name: 'Notes' })).toContainText('half a thought');
    await expect(page.getByLabel('New note')).toHaveValue('');
    await expect(notes.getByRole('alert')).toBeHidden();
    expect(await stays()).toBe(true);
    expect(page.url()).toBe(`${server.url}/account?tab=notes#notes`);
  });

  test('is not called for somebody else who signs in instead', async ({ page, launch }) => {
    const server = await launch({ config });
    await page.goto(server.url + loginPath());
    await passProvider(page);
    await expectAccountPage(page);
    await addInVain(page);
    const sent: string[] = [];
    page.on('request', (request) => {
      if (request.method() === 'POST' && request.url().endsWith('/proxy/notes')) sent.push(request.url());
    });
    await confirm(page, async (popup) => {
      await popup.getByLabel('One-time code').fill('246810');
      await passProvider(popup, bob);
    });
    await expectAccountPage(page, bob);
    await expect(page.getByRole('list', { name: 'Notes' })).toBeVisible();
    await expect(page.getByRole('list', { name: 'Notes' })).not.toContainText('half a thought');
    await expect(page.getByLabel('New note')).toHaveValue('');
    expect(sent).toEqual([]);
  });
});

test('a part that wants a recent sign-in shows once there has been one, and the page stays', async ({ page, launch }) => {
  const guestbook = await launch({ program: example });
  // It would tell of the sign-in as it was.
  await page.route('**/api/v1/session/events', () => undefined);
  await page.goto(guestbook.url + loginPath('/forget'));
  await passProvider(page, alice, 'Guestbook');
  const part = page.getByRole('button', { name: 'Remove my entries' });
  await expect(part).toBeVisible();
  // The sign-in grows old.
  await page.route('**/api/v1/session*', async (route) => {
    const answer = await route.fetch({ headers: await route.request().allHeaders() });
    await route.fulfill({ response: answer, json: { ...((await answer.json()) as object), authenticated_at: '2026-11-22T10:57:00Z' } });
  });
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await expect(part).toBeHidden();

  const stays = await mark(page);
  await confirm(page, async (popup) => {
    await expect(heading(popup, 'Sign in to Demo')).toBeVisible();
    await passProvider(popup, alice, 'Guestbook');
  });
  await expect(part).toBeVisible();
  expect(await stays()).toBe(true);
});
