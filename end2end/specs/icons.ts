import { readFile, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from '@playwright/test';
import sharp from 'sharp';

// The icons and the picture for links elsewhere, all made of `public/favicon.svg`: `cargo xtask icons`.
const made = resolve(import.meta.dirname, '../../public');
const page = pathToFileURL(resolve(import.meta.dirname, '../fixtures/social.html')).href;

/** The mark as a picture with transparent corners. */
async function mark(): Promise<string> {
  return readFile(resolve(made, 'favicon.svg'), 'utf8');
}

/** The mark on a ground without corners: the system cuts them, and keeps what is in the middle. */
async function withoutCorners(): Promise<string> {
  const svg = await mark();
  expect(svg).toContain(' rx="9"');
  return svg.replace(' rx="9"', '');
}

async function png(svg: string, size: number): Promise<Buffer> {
  const image = sharp(Buffer.from(svg), { density: (72 * size) / 32 }).resize(size, size);
  return image.png({ compressionLevel: 9, effort: 10, palette: true }).toBuffer();
}

/** Pictures of several sizes in one `.ico`: a list of where each begins, then each as it is. */
function ico(pictures: readonly (readonly [size: number, png: Buffer])[]): Buffer {
  const head = Buffer.alloc(6);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(pictures.length, 4);
  let place = head.length + 16 * pictures.length;
  const entries = pictures.map(([size, content]) => {
    const entry = Buffer.alloc(16);
    entry.writeUInt8(size, 0);
    entry.writeUInt8(size, 1);
    entry.writeUInt16LE(1, 4);
    entry.writeUInt16LE(32, 6);
    entry.writeUInt32LE(content.length, 8);
    entry.writeUInt32LE(place, 12);
    place += content.length;
    return entry;
  });
  return Buffer.concat([head, ...entries, ...pictures.map(([, content]) => content)]);
}

test('icons', async () => {
  const sizes = await Promise.all([16, 32, 48].map(async (size) => [size, await png(await mark(), size)] as const));
  await writeFile(resolve(made, 'favicon.ico'), ico(sizes));
  await writeFile(resolve(made, 'apple-touch-icon.png'), await png(await withoutCorners(), 180));
  await writeFile(resolve(made, 'icon-192.png'), await png(await mark(), 192));
  await writeFile(resolve(made, 'icon-512.png'), await png(await mark(), 512));
  await writeFile(resolve(made, 'icon-maskable-512.png'), await png(await withoutCorners(), 512));
});

test('the picture for links', async ({ browser }) => {
  const opened = await browser.newPage({ viewport: { width: 1200, height: 630 } });
  const html = await readFile(new URL(page), 'utf8');
  expect(html).toContain('<!-- mark -->');
  await opened.setContent(html.replace('<!-- mark -->', await mark()));
  await opened.evaluate(() => document.fonts.ready);
  const picture = await opened.screenshot();
  await writeFile(resolve(made, 'social.png'), await sharp(picture).png({ palette: true, colours: 64, effort: 10 }).toBuffer());
});
