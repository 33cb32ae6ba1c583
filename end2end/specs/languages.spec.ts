import { overflowing } from '../fixtures/appearance.ts';
import { expect, test } from '../fixtures/test.ts';

test.describe('somebody who reads German', () => {
  test.use({ locale: 'de-AT' });

  test('reads German from the first paint on, and the app leaves it so', async ({ page }) => {
    // Every text that the heading ever had.
    await page.addInitScript(() => {
      const seen = new Set<string>();
      (globalThis as unknown as { seen: Set<string> }).seen = seen;
      const look = () => {
        for (const element of document.querySelectorAll('h1, nav a')) seen.add(element.textContent ?? '');
      };
      new MutationObserver(look).observe(document, { childList: true, subtree: true, characterData: true });
    });
    const asked = page.waitForResponse('**/api/v1/session');
    await page.goto('/');
    await asked;
    await expect(page.locator('html')).toHaveAttribute('lang', 'de');
    await expect(page.getByRole('heading', { level: 1, name: 'Melde dich an und sieh, wie es funktioniert' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Mit Demo anmelden' })).toBeVisible();
    const seen = await page.evaluate(() => [...(globalThis as unknown as { seen: Set<string> }).seen]);
    expect(seen).toContain('Konto');
    expect(seen.filter((text) => /Account|Home|Sign in/.test(text))).toEqual([]);
    // The next page's texts come with it.
    await page.getByRole('navigation').getByRole('link', { name: 'Konto' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Melde dich an, um dein Konto zu sehen' })).toBeFocused();
    await expect(page.getByText('Melde dich an, um fortzufahren.')).toBeVisible();
    await expect(page).toHaveTitle('Melde dich an, um dein Konto zu sehen · oauth2flow');
  });

  test('is told of problems in German, and of the details in the language they are in', async ({ page }) => {
    await page.goto('/problem?code=access_denied&request_id=r-1');
    await expect(page.getByRole('heading', { level: 1, name: 'Du hast die Anmeldung abgebrochen' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'Neu anmelden' })).toBeVisible();
    await expect(page.getByText('Anfrage-ID: r-1')).toBeVisible();
  });
});

test('another language is chosen at the foot of the page, and remembered', async ({ page }) => {
  const asked = page.waitForResponse('**/api/v1/session');
  await page.goto('/problem?code=access_denied');
  await asked;
  await page.getByRole('button', { name: 'Français' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Vous avez annulé la connexion' })).toBeVisible();
  await expect(page).toHaveURL(/\/problem\?code=access_denied$/);
  await page.goto('/');
  await expect(page.locator('html')).toHaveAttribute('lang', 'fr');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Connectez-vous, et voyez comment ça marche');
  await page.getByRole('button', { name: '中文' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'zh-Hans');
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('登录，并看看它是如何工作的');
});

for (const path of ['/', '/account', '/problem?code=access_denied', '/flow', '/learn', '/lab', '/nothing']) {
  test(`${path} fits in every language`, async ({ page, context, baseURL }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    for (const language of ['de', 'es', 'fr', 'zh-Hans']) {
      await context.addCookies([{ name: 'language', value: language, url: baseURL ?? '' }]);
      await page.goto(path);
      await expect(page.locator('html')).toHaveAttribute('lang', language);
      await expect(page.getByRole('contentinfo')).toBeVisible();
      expect(await overflowing(page), language).toEqual([]);
    }
  });
}

test.describe('without a script', () => {
  test.use({ javaScriptEnabled: false, locale: 'es' });

  test('the page and the choice of another language work as well', async ({ page }) => {
    await page.goto('/');
    await expect(page.getByRole('link', { name: 'Iniciar sesión con Demo' })).toBeVisible();
    await page.getByRole('button', { name: 'Deutsch' }).click();
    await expect(page.getByRole('link', { name: 'Mit Demo anmelden' })).toBeVisible();
  });
});
