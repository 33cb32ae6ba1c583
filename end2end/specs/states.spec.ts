import { readFile, writeFile } from 'node:fs/promises';
import type { Locator, Page, TestInfo } from '@playwright/test';
import sharp from 'sharp';
import { focusRing, headingsToRead, likeText, moving, ofOwnColour, overflowing } from '../fixtures/appearance.ts';
import { violations } from '../fixtures/axe.ts';
import { test } from '../fixtures/hostile-provider.ts';
import { states } from '../fixtures/states.ts';
import { settled, steady } from '../fixtures/steady.ts';
import { expect } from '../fixtures/test.ts';

// What holds for every page and state, in both render modes: axe finds nothing, the same is read aloud, it fits, and it looks as it did;
// and it is as good for those who want no motion, choose the colours themselves, read from the right, or read on paper.
// `cargo xtask snapshots` takes the pictures and the texts anew.

const schemes = ['light', 'dark'] as const;
const widths = [320, 768, 1440] as const;

/** What a sheet of A4 has room for between its margins, in CSS pixels. */
const paper = 718;

/** How much of a long page is pictured, in CSS pixels: the rest is more of the same. */
const tallest = { 320: 1800, 768: 1500, 1440: 1200 } as const;

for (const state of states) {
  test.describe(state.name, () => {
    test.skip(({ render }) => render !== (state.render ?? render), 'the other mode has no such page');
    test.use({ viewport: { width: 1024, height: 768 }, ...(state.console === undefined ? {} : { expectedConsole: state.console }) });

    test(`${state.name} is for everybody, on every screen`, async ({ page, launch, hostile, stranger, render }, testInfo) => {
      await state.open({ page, launch, hostile, stranger });
      await settled(page, state.waits);
      await expect(page.getByRole('heading', { level: 1 })).toHaveCount(1);
      await steady(page);

      await test.step('it reads the same', async () => {
        await expect.soft(page.locator('body')).toMatchAriaSnapshot({ name: `${state.name}.aria.yml` });
      });

      const grounds = new Set<string>();
      for (const colorScheme of schemes) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        grounds.add(await page.evaluate(() => getComputedStyle(document.body).backgroundColor + getComputedStyle(document.documentElement).backgroundColor));
        await test.step(`axe finds nothing, ${colorScheme}`, async () => {
          expect.soft(await violations(page), colorScheme).toEqual([]);
        });
        for (const width of widths) {
          await page.setViewportSize({ width, height: 800 });
          await page.evaluate(() => scrollTo(0, 0));
          expect.soft(await tooSmall(page), `what is hard to hit at ${width} px`).toEqual([]);
          expect.soft(await overflowing(page), `what sticks out at ${width} px, ${colorScheme}`).toEqual([]);
          await expect.soft(page.getByRole('heading', { level: 1 })).toBeInViewport();
          // The pages are the same in both modes, which one picture shows.
          if (render === 'spa' || (width === 768 && colorScheme === 'light')) {
            await test.step(`it looks the same at ${width} px, ${colorScheme}`, async () => {
              await picture(page, [state.name, `${width}-${colorScheme}.png`], width, testInfo);
              if (state.part !== undefined) await pictureOfPart(state.part(page), [state.name, `${width}-${colorScheme}-part.png`], testInfo);
            });
          }
        }
        await page.setViewportSize({ width: 1024, height: 768 });
      }
      expect(grounds.size, 'light and dark differ').toBe(2);
      expect.soft(await moving(page), 'what moves for those who want no motion').toEqual([]);
      // The pages are the same in both modes: one takes the pictures, the other measures.
      if (render === (state.render ?? 'ssr')) {
        await test.step('it works in forced colours', () => expectForcedColors(page));
        await test.step('it can be printed', () => expectPaper(page));
        await test.step('it fits when it is mirrored', () => expectMirrored(page));
      }
      await page.unrouteAll({ behavior: 'ignoreErrors' });
    });
  });
}

/** In forced colours it is seen what can be pressed and where one is, and everything can be read. */
async function expectForcedColors(page: Page): Promise<void> {
  await page.emulateMedia({ forcedColors: 'active' });
  expect.soft(await likeText(page), 'what does not look as if it could be pressed').toEqual([]);
  expect.soft(await ofOwnColour(page), 'what has colours of its own').toEqual([]);
  await page.keyboard.press('Tab');
  const { on, isSeen } = await focusRing(page);
  expect.soft(on, 'where one is').not.toMatch(/^(?:BODY|HTML|H1|MAIN)$/);
  expect.soft(isSeen, 'it is seen where one is').toBe(true);
  await page.emulateMedia({ forcedColors: 'none' });
}

/** On paper there is all that can be read, and nothing that would be pressed. */
async function expectPaper(page: Page): Promise<void> {
  const read = await headingsToRead(page);
  // Browsers print on white.
  await page.emulateMedia({ media: 'print', colorScheme: 'light' });
  expect.soft(await headingsToRead(page), 'what is left to read').toEqual(read);
  // The provider's form is all that its pages are.
  if ((await page.locator('html[data-render]').count()) > 0) {
    const pressed = page.locator('button, .button, input, textarea, nav, footer').filter({ visible: true });
    expect.soft(await pressed.evaluateAll((all) => all.map((control) => control.outerHTML.slice(0, 120))), 'what nobody can press').toEqual([]);
  }
  for (const width of [320, paper]) {
    await page.setViewportSize({ width, height: 800 });
    expect.soft(await overflowing(page), `what sticks out of paper of ${width} px`).toEqual([]);
  }
  await page.emulateMedia({ media: 'screen' });
}

/** No language of the app is written from the right yet; its layout is ready. */
async function expectMirrored(page: Page): Promise<void> {
  await page.evaluate(() => document.documentElement.setAttribute('dir', 'rtl'));
  for (const width of widths) {
    await page.setViewportSize({ width, height: 800 });
    expect.soft(await overflowing(page), `what sticks out at ${width} px, mirrored`).toEqual([]);
  }
  const [name, menu] = [page.locator('.site-name'), page.getByRole('banner').getByRole('navigation')];
  if ((await name.count()) === 0 || (await menu.count()) === 0) return;
  const [right, left] = await Promise.all([name.boundingBox(), menu.boundingBox()]);
  expect.soft(right !== null && left !== null && right.x > left.x, 'the name of the site is on the right').toBe(true);
}

/** What is pressed has room for a finger (WCAG 2.5.5), but for links in the middle of a text. */
async function tooSmall(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const targets = [...document.querySelectorAll<HTMLElement>('a[href], button, summary, input:not([type=hidden], [role=switch])')];
    const small = targets.filter((target) => {
      const { width, height } = target.getBoundingClientRect();
      const isThere = target.checkVisibility({ visibilityProperty: true }) && !target.matches('.skip-link');
      return isThere && getComputedStyle(target).display !== 'inline' && (height < 43.5 || width < 43.5);
    });
    return small.map((target) => target.outerHTML.slice(0, 120));
  });
}

/** How much may differ: what a letter needs, and no more. */
const comparison = { animations: 'disabled', caret: 'hide', maxDiffPixels: 200 } as const;

/** Compares the page with its picture. */
async function picture(page: Page, path: [string, string], width: (typeof widths)[number], testInfo: TestInfo): Promise<void> {
  const height = await page.evaluate(() => document.documentElement.scrollHeight);
  const clip = { x: 0, y: 0, width, height: Math.min(height, tallest[width]) };
  await expect.soft(page).toHaveScreenshot(path, { fullPage: true, clip, ...comparison });
  if (testInfo.config.updateSnapshots !== 'none') await shrink(testInfo.snapshotPath(...path));
}

/** Compares the part that matters. */
async function pictureOfPart(part: Locator, path: [string, string], testInfo: TestInfo): Promise<void> {
  await expect.soft(part).toHaveScreenshot(path, comparison);
  if (testInfo.config.updateSnapshots !== 'none') await shrink(testInfo.snapshotPath(...path));
}

/** Few colours are enough for a page. */
async function shrink(file: string): Promise<void> {
  const picture = await readFile(file);
  const { isPalette } = await sharp(picture).metadata();
  if (isPalette !== true) await writeFile(file, await sharp(picture).png({ palette: true, colours: 64, dither: 0, effort: 10 }).toBuffer());
}
