import { expect, test } from '../fixtures/test.ts';

// The icons and pictures that stand for the app elsewhere.

/** What a PNG says of its size. */
function sizeOf(png: Buffer): string {
  expect(png.subarray(1, 4).toString()).toBe('PNG');
  return `${png.readUInt32BE(16)}x${png.readUInt32BE(20)}`;
}

test('every icon is there, of the size that is promised', async ({ page, server }) => {
  await page.goto('/');
  const links = await page.locator('link[rel~="icon"], link[rel="apple-touch-icon"]').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  expect(links).toEqual(['/favicon.ico', '/favicon.svg', '/apple-touch-icon.png']);
  for (const link of links) expect((await page.request.get(server.url + link)).headers()['content-type']).toMatch(/^image\//);
  expect(sizeOf(await (await page.request.get(`${server.url}/apple-touch-icon.png`)).body())).toBe('180x180');

  const address = await page.locator('link[rel="manifest"]').getAttribute('href');
  const manifest = (await (await page.request.get(server.url + address)).json()) as {
    start_url: string;
    icons: { src: string; sizes: string; type: string; purpose?: string }[];
    shortcuts: { url: string }[];
  };
  for (const { src, sizes, type } of manifest.icons) {
    const answer = await page.request.get(server.url + src);
    expect([src, answer.status(), answer.headers()['content-type']]).toEqual([src, 200, type]);
    if (type === 'image/png') expect([src, sizeOf(await answer.body())]).toEqual([src, sizes]);
  }
  expect(manifest.icons.map(({ sizes, purpose }) => [sizes, purpose])).toEqual([
    ['any', undefined],
    ['192x192', undefined],
    ['512x512', undefined],
    ['512x512', 'maskable'],
  ]);
  for (const { url } of [{ url: manifest.start_url }, ...manifest.shortcuts]) {
    expect((await page.request.get(server.url + url, { headers: { accept: 'text/html' } })).status(), url).toBe(200);
  }
});

test('a link to the app elsewhere has a picture', async ({ page, server }) => {
  await page.goto('/learn');
  const picture = await page.locator('meta[property="og:image"]').getAttribute('content');
  expect(picture).toBe(`${server.url}/social.png`);
  expect(sizeOf(await (await page.request.get(String(picture))).body())).toBe('1200x630');
  await expect(page.locator('meta[name="twitter:card"]')).toHaveAttribute('content', 'summary_large_image');
  for (const property of ['og:title', 'og:description', 'og:type']) await expect(page.locator(`meta[property="${property}"]`)).toHaveAttribute('content', /./);
});
