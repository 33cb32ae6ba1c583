import { AxeBuilder } from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { alice, expectAccountPage, heading, signIn } from '../fixtures/journey.ts';
import { places } from '../fixtures/places.ts';
import { expect, test } from '../fixtures/test.ts';


for (const place of places) {
  test(`${place.name} has no accessibility violation that axe can find`, async ({ page }) => {
    await place.open(page);
    await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
    await expect(page.getByRole('main')).toHaveCount(1);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html) })), colorScheme).toEqual([]);
    }
  });
}

/** Presses Tab until `name` has the focus, as somebody without a mouse does. */
async function tabTo(page: Page, role: 'button' | 'link' | 'textbox', name: string): Promise<void> {
  const target = page.getByRole(role, { name, exact: true }).first();
  await expect(target).toBeVisible();
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press('Tab');
    if (await target.evaluate((element) => element === document.activeElement)) {
      const outline = await target.evaluate((element) => {
        const { outlineStyle, boxShadow } = getComputedStyle(element);
        return outlineStyle !== 'none' || boxShadow !== 'none';
      });
      expect(outline, `the focus on “${name}” can be seen`).toBe(true);
      return;
    }
  }
  throw new Error(`Tab never reaches the ${role} “${name}”`);
}

test('the whole login works from the keyboard', async ({ page }) => {
  await page.goto('/');
  await expect(heading(page, 'Sign in, and see how it works')).toBeVisible();
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeInViewport();
  await page.keyboard.press('Enter');
  await tabTo(page, 'link', 'Sign in with Demo');
  await page.keyboard.press('Enter');

  await expect(heading(page, 'Sign in to Demo')).toBeVisible();
  if (!(await page.getByLabel('User name').evaluate((field) => field === document.activeElement))) {
    await tabTo(page, 'textbox', 'User name');
  }
  await page.keyboard.type(alice.login);
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(alice.password);
  await page.keyboard.press('Enter');

  await expect(heading(page, 'oauth2flow would like to')).toBeVisible();
  await tabTo(page, 'button', 'Allow');
  await page.keyboard.press('Enter');

  await page.waitForURL((url) => url.hostname === 'localhost' && url.pathname !== '/callback');
  await tabTo(page, 'link', 'Account');
  await page.keyboard.press('Enter');
  await expectAccountPage(page);
  await tabTo(page, 'button', 'Sign out');
  await page.keyboard.press('Enter');
  await expect(heading(page, 'Sign in, and see how it works')).toBeVisible();
});

test('a change of route without a page load moves the focus and the title', async ({ page }) => {
  await signIn(page);
  await page.evaluate(() => Object.assign(window, { sameDocument: true }));
  const titles = [await page.title()];
  for (const [link, h1] of [
    ['Home', 'Sign in, and see how it works'],
    ['Account', 'Your account'],
  ] as const) {
    await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: link }).click();
    await expect(heading(page, h1)).toBeVisible();
    await expect(page).toHaveTitle(/ · oauth2flow$/);
    titles.push(await page.title());
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.matches('main, main *')), { message: 'the focus is in the new page' })
      .toBe(true);
    await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: link })).toHaveAttribute('aria-current', 'page');
  }
  expect(titles[0]).toBe(titles[2]);
  expect(titles[1]).not.toBe(titles[2]);
  expect(await page.evaluate(() => 'sameDocument' in window)).toBe(true);
});
