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
