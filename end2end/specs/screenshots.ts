import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import sharp from 'sharp';
import { test } from '../fixtures/hostile-provider.ts';
import { states } from '../fixtures/states.ts';
import { ports, settled, steady } from '../fixtures/steady.ts';

// The pictures of the README and the docs: `cargo xtask screenshots`.
const directory = resolve(import.meta.dirname, '../../docs/screenshots');
const pictured = ['home', 'consent', 'account', 'account-interrupted', 'problem', 'flow', 'flow-failed', 'learn-own-login', 'home-ten-providers'];
const viewport = { width: 1024, height: 720 };

/** The headings that pictures begin with, where that is not the page's own. */
const beginning: Readonly<Record<string, string>> = { flow: 'Message by message' };

// What the console says is for the tests.
test.use({ expectedConsole: /./, viewport });

async function picture(page: Page, name: string): Promise<void> {
  const image = await page.screenshot({ animations: 'disabled', caret: 'hide' });
  await sharp(image).png({ palette: true, colours: 64, effort: 10 }).toFile(resolve(directory, `${name}.png`));
}

for (const state of states.filter(({ name }) => pictured.includes(name))) {
  test(`pictures of ${state.name}`, async ({ page, launch, hostile, stranger }) => {
    await mkdir(directory, { recursive: true });
    await state.open({ page, launch, hostile, stranger });
    await settled(page);
    await steady(page, ports);
    const heading = beginning[state.name];
    const first = page.getByRole('heading', heading === undefined ? { level: 1 } : { name: heading });
    await first.evaluate((element, isTitle) => {
      scrollTo({ top: isTitle ? 0 : element.getBoundingClientRect().top + scrollY - 48, behavior: 'instant' });
    }, heading === undefined);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      await picture(page, `${state.name}-${colorScheme}`);
    }
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });
}
