import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Page } from '@playwright/test';
import sharp from 'sharp';
import { places } from '../fixtures/places.ts';
import { test } from '../fixtures/test.ts';

// The pictures of the README and the docs: `npm run screenshots`.
const directory = resolve(import.meta.dirname, '../../docs/screenshots');
const pictured = ['home', 'login', 'consent', 'account', 'problem', 'callback', 'not-found'];
const widths = { wide: { width: 1024, height: 640 }, narrow: { width: 360, height: 640 } } as const;

// What the console says is for the tests.
test.use({ expectedConsole: /./ });

async function picture(page: Page, name: string): Promise<void> {
  const image = await page.screenshot({ fullPage: true, animations: 'disabled', caret: 'hide' });
  await sharp(image).png({ palette: true, colours: 64, effort: 10 }).toFile(resolve(directory, `${name}.png`));
}

for (const place of places.filter(({ name }) => pictured.includes(name))) {
  test(`pictures of ${place.name}`, async ({ page, server }) => {
    await mkdir(directory, { recursive: true });
    await place.open(page);
    // The port that people see, instead of the one that was free just now.
    await page.getByText(server.url).evaluateAll((elements) => elements.forEach((element) => (element.textContent = 'http://localhost:3000')));
    for (const [size, viewport] of Object.entries(widths)) {
      await page.setViewportSize(viewport);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await picture(page, `${place.name}-${size}-${colorScheme}`);
      }
    }
  });
}
