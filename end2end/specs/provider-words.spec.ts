import type { Page } from '@playwright/test';
import { overflowing } from '../fixtures/appearance.ts';
import { account } from '../fixtures/foreign-provider.ts';
import { heading, loginPath, passProvider } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';
import { beginning, cleaned, expectNoMarkup, turning, words } from '../fixtures/words.ts';

// What a provider says of a person or of what went wrong is shown as it is, breaks no page, turns nothing around it, and runs nothing.

/** That a page with such words is as good as any other. */
async function expectUnharmed(page: Page, said: string): Promise<void> {
  await expectNoMarkup(page);
  for (const width of [320, 1440]) {
    await page.setViewportSize({ width, height: 800 });
    expect(await overflowing(page), `${width} px`).toEqual([]);
  }
  expect(await turning(page, beginning(said))).toEqual([]);
}

test.describe('a page that is told so', () => {
  // The refused call is what the dialog comes from.
  test.use({ expectedConsole: /Failed to load resource.* 401/ });

  for (const [kind, said] of Object.entries(words)) {
    test(`shows words ${kind} for a name, a username and an address`, async ({ page, context }) => {
      await page.route('**/api/v1/session', async (route) => {
        const answer = await route.fetch();
        const known = (await answer.json()) as { user?: object };
        const user = { ...known.user, name: said, login: said, email: `${said}@${said}`, picture: 'javascript:alert(1)' };
        await route.fulfill({ response: answer, json: known.user === undefined ? known : { ...known, user } });
      });
      // The server's events say the same as it does otherwise, so they would bring the real name back.
      await page.route('**/api/v1/session/events', (route) => route.fulfill({ contentType: 'text/event-stream', body: ': nothing\n\n' }));
      const menu = page.getByRole('navigation', { name: 'Main' });
      await page.goto(loginPath());
      await passProvider(page);
      await expect(heading(page, 'Your account')).toBeVisible();
      await expect(page.locator('#identity')).toContainText(beginning(said));
      await expectUnharmed(page, said);
      await menu.getByRole('link', { name: 'Home' }).click();
      await expect(page.locator('.welcome')).toContainText(beginning(said));
      await expectUnharmed(page, said);

      // The same in the dialog, when the session ends under the user's hands.
      await menu.getByRole('link', { name: 'Account' }).click();
      await expect(heading(page, 'Your account')).toBeVisible();
      await page.setViewportSize({ width: 320, height: 640 });
      await context.clearCookies({ name: /session/ });
      await page.getByLabel('New note').fill('half a thought');
      await page.getByRole('button', { name: 'Add note' }).click();
      const dialog = page.getByRole('alertdialog', { name: 'Your session has ended' });
      await expect(dialog).toContainText(beginning(said));
      expect(await turning(page, beginning(said))).toEqual([]);
      expect(await dialog.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth), 'what sticks out of the dialog').toBe(0);
      const again = dialog.getByRole('link', { name: 'Sign in again' });
      await again.scrollIntoViewIfNeeded();
      await expect(again).toBeInViewport({ ratio: 1 });
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    });
  }
});

test('a provider may say of a person what it likes', async ({ page, launch, foreignProvider, render }) => {
  test.skip(render !== 'ssr', 'what the server makes of it is the same, and here it is in its pages as well');
  test.slow();
  const server = await launch({ config: (publicUrl) => foreignProvider.register(publicUrl) });
  for (const [kind, said] of Object.entries(words)) {
    await test.step(`words ${kind}`, async () => {
      foreignProvider.claims = { name: said, preferred_username: said, email: `${said}@${said}`, picture: `javascript:${said}` };
      await page.goto(`${server.url}/api/v1/oauth/login?provider=foreign&return_to=/account`);
      const asked = page.getByLabel('Account');
      const identity = page.locator('#identity');
      await expect(asked.or(identity)).toBeVisible();
      // The provider remembers who was there.
      if (await asked.isVisible()) {
        await asked.fill(account.preferred_username);
        await page.getByRole('button', { name: 'Continue' }).click();
      }
      await expect(identity).toBeVisible();
      await page.reload();
      await expect(identity).toContainText(beginning(cleaned(said)));
      await expectUnharmed(page, cleaned(said));
      await page.goto(server.url);
      await expect(page.locator('.welcome')).toContainText(beginning(cleaned(said)));
      await expectUnharmed(page, cleaned(said));
      await page.goto(`${server.url}/flow`);
      await expect(heading(page, 'How you signed in with Foreign')).toBeVisible();
      await expectUnharmed(page, cleaned(said));
    });
  }
});

test.describe('a login that the provider refuses', () => {
  test.use({ expectedConsole: /oauth\/code: Failed to load resource.* 4\d\d/ });

  test('may be refused in any words', async ({ page, launch, foreignProvider }) => {
    test.slow();
    const server = await launch({ config: (publicUrl) => foreignProvider.register(publicUrl) });
    for (const [kind, said] of Object.entries(words)) {
      await test.step(`words ${kind}`, async () => {
        foreignProvider.refusal = said;
        await page.goto(`${server.url}/api/v1/oauth/login?provider=foreign`);
        await page.getByLabel('Account').fill('mallory');
        await page.getByRole('button', { name: 'Continue' }).click();
        // An answer that is longer than any provider's is not read at all.
        const isRead = Buffer.byteLength(said) <= 4096;
        const title = isRead ? 'You cancelled the sign-in' : 'This request could not be read';
        const detail = page.locator('.problem-detail').filter({ hasText: beginning(cleaned(said)) });
        await expect(heading(page, title)).toBeVisible();
        await expect(detail).toHaveCount(isRead ? 1 : 0);
        await expectUnharmed(page, cleaned(said));
        await page.goto(`${server.url}/flow`);
        await expect(heading(page, title)).toBeVisible();
        await expect(detail).toHaveCount(isRead ? 1 : 0);
        await expect(page.locator('details[open]')).toHaveCount(1);
        await expectUnharmed(page, cleaned(said));
      });
    }
  });
});
