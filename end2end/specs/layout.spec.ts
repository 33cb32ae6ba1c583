import type { Page } from '@playwright/test';
import { places } from '../fixtures/places.ts';
import { expect, test } from '../fixtures/test.ts';

/** What sticks out of the page on the right. */
async function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    const wide = [...document.body.querySelectorAll('*')].filter((element) => {
      const { right, width: own } = element.getBoundingClientRect();
      return own > 0 && right > width + 0.5 && getComputedStyle(element).position !== 'fixed';
    });
    return document.documentElement.scrollWidth > width ? wide.map((element) => element.outerHTML.slice(0, 120)) : [];
  });
}

for (const place of places) {
  test(`${place.name} fits from 320 px to a wide screen, in light and dark`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await place.open(page);
    const backgrounds = new Set<string>();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const width of [320, 768, 1920]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await overflowing(page), `${width} px, ${colorScheme}`).toEqual([]);
        await expect(page.getByRole('heading', { level: 1 })).toBeInViewport();
      }
      backgrounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor + getComputedStyle(document.documentElement).backgroundColor));
    }
    expect(backgrounds.size, 'light and dark differ').toBe(2);
  });
}

test('nothing moves when the app takes over', async ({ page }) => {
  const asked = page.waitForResponse('**/api/v1/session');
  await page.goto('/');
  await asked;
  await expect(page.getByRole('link', { name: 'Sign in with Demo' })).toBeVisible();
  const shift = await page.evaluate(
    () =>
      new Promise<number>((done) => {
        let sum = 0;
        const add = (entries: PerformanceEntryList) => entries.forEach((entry) => (sum += (entry as PerformanceEntry & { value: number }).value));
        const observer = new PerformanceObserver((list) => add(list.getEntries()));
        observer.observe({ type: 'layout-shift', buffered: true });
        requestAnimationFrame(() => requestAnimationFrame(() => {
          add(observer.takeRecords());
          done(sum);
        }));
      }),
  );
  expect(shift).toBe(0);
});

test('signing in does not wait for the app', async ({ page }) => {
  // It never comes.
  await page.route('**/pkg/*.wasm', () => undefined);
  await page.goto('/');
  await page.getByRole('link', { name: 'Sign in with Demo' }).click();
  await expect(page.getByRole('heading', { level: 1, name: 'Sign in to Demo' })).toBeVisible();
  await page.unrouteAll({ behavior: 'ignoreErrors' });
});

test.describe('a part of the app that does not come', () => {
  test.use({ expectedConsole: /Failed to fetch|ERR_FAILED/ });

  test('is said to be missing, and is loaded when that is asked for', async ({ page }) => {
    const asked = page.waitForResponse('**/api/v1/session');
    await page.goto('/');
    await asked;
    await page.route('**/pkg/*.wasm', (route) => route.abort());
    await page.getByRole('navigation').getByRole('link', { name: 'Account' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'This page did not arrive' })).toBeFocused();
    await page.unrouteAll();
    await page.getByRole('link', { name: 'Load it again' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Sign in to see your account' })).toBeVisible();
  });
});
