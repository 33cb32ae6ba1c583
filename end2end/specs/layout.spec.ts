import { visit } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

test('nothing moves when the app takes over', async ({ page }) => {
  await visit(page, '/');
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
    await visit(page, '/');
    await page.route('**/pkg/*.wasm', (route) => route.abort());
    await page.getByRole('navigation').getByRole('link', { name: 'Account' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'This page could not be loaded' })).toBeFocused();
    await page.unrouteAll();
    await page.getByRole('link', { name: 'Load it again' }).click();
    await expect(page.getByRole('heading', { level: 1, name: 'Sign in to see your account' })).toBeVisible();
  });
});
