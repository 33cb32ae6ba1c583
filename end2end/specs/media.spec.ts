import type { Page } from '@playwright/test';
import { expectAccountPage, heading, loginPath, passProvider, signIn } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

// Paper, forced colours and eyes that want no motion; and the icons and pictures that stand for the app elsewhere.

/** The pages with the most on them. */
const places: Record<string, (page: Page) => Promise<void>> = {
  'the home page': async (page) => {
    await page.goto('/');
    await expect(page.getByRole('link', { name: 'Sign in with Demo' })).toBeVisible();
  },
  'the account page': async (page) => {
    await signIn(page);
    await expectAccountPage(page);
  },
  'the X-ray': async (page) => {
    await page.goto(loginPath('/flow'));
    await passProvider(page);
    await expect(heading(page, 'How you signed in with Demo')).toBeVisible();
  },
};

for (const [name, open] of Object.entries(places)) {
  test(`${name} can be printed: without what is there to be pressed`, async ({ page }) => {
    await open(page);
    await page.emulateMedia({ media: 'print' });
    await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
    for (const pressed of [page.getByRole('navigation', { name: 'Main' }), page.getByRole('contentinfo'), page.getByRole('button')]) {
      await expect(pressed.filter({ visible: true })).toHaveCount(0);
    }
    const size = (await page.pdf({ format: 'A4' })).length;
    expect(size).toBeGreaterThan(1000);
  });

  test(`${name} shows what can be pressed and where one is in forced colours`, async ({ page }) => {
    await open(page);
    await page.emulateMedia({ forcedColors: 'active' });
    const unseen = await page.locator('.button:visible').evaluateAll((buttons) =>
      buttons.filter((button) => getComputedStyle(button).borderTopStyle === 'none' || parseFloat(getComputedStyle(button).borderTopWidth) === 0).map((button) => button.textContent),
    );
    expect(unseen).toEqual([]);
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    const outline = await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement as Element);
      return [document.activeElement?.tagName, outlineStyle !== 'none' && parseFloat(outlineWidth) > 0];
    });
    expect(outline).toEqual([expect.not.stringMatching(/^(?:BODY|H1|MAIN)$/), true]);
  });

  test(`${name} keeps still for those who want no motion`, async ({ page }) => {
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await open(page);
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
    const moving = await page.evaluate(() =>
      [...document.querySelectorAll('*')].filter((element) => {
        const { animationName, transitionDuration } = getComputedStyle(element);
        return animationName !== 'none' || parseFloat(transitionDuration) > 0;
      }).length,
    );
    expect(moving).toBe(0);
    expect(await page.evaluate(() => getComputedStyle(document.documentElement).scrollBehavior)).toBe('auto');
  });
}

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
