import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import sharp from 'sharp';
import { alice, heading } from '../fixtures/journey.ts';
import { ports, settled, steady } from '../fixtures/steady.ts';
import { expect, test } from '../fixtures/test.ts';

// The login that the README shows, as it happens: `cargo xtask record`.
const directory = resolve(import.meta.dirname, '../../docs/screenshots');

/** How long a picture stays, in milliseconds. */
const long = 1800;
const short = 160;

/** A film, picture by picture. */
class Film {
  readonly #page: Page;
  readonly #pictures: { image: Uint8Array; milliseconds: number }[] = [];

  constructor(page: Page) {
    this.#page = page;
  }

  /** Takes a picture of the page as it is. */
  async shoot(milliseconds: number): Promise<void> {
    await steady(this.#page, ports);
    this.#pictures.push({ image: await this.#page.screenshot({ caret: 'initial' }), milliseconds });
  }

  /** Shows where the mouse is before it clicks. */
  async click(target: Locator): Promise<void> {
    await target.scrollIntoViewIfNeeded();
    const { x = 0, y = 0, width = 0, height = 0 } = (await target.boundingBox()) ?? {};
    await this.#page.mouse.move(x + width / 2, y + height / 2);
    await this.#page.evaluate(
      ([left, top]) => {
        const ring = document.createElement('div');
        ring.id = 'film-pointer';
        // A dialog or a heading is not above what is in the top layer.
        ring.popover = 'manual';
        Object.assign(ring.style, { position: 'fixed', inset: 'auto', left: `${left - 17}px`, top: `${top - 17}px`, width: '34px', height: '34px' });
        Object.assign(ring.style, { margin: '0', padding: '0', border: '4px solid #f08c00', borderRadius: '50%', background: '#f08c0055', pointerEvents: 'none' });
        document.body.append(ring);
        ring.showPopover();
      },
      [x + width / 2, y + height / 2] as const,
    );
    this.#pictures.push({ image: await this.#page.screenshot({ caret: 'initial' }), milliseconds: 700 });
    await this.#page.evaluate(() => document.getElementById('film-pointer')?.remove());
    await target.click();
  }

  /** Types as people do. */
  async type(target: Locator, text: string): Promise<void> {
    await target.click();
    for (const letter of text) {
      await this.#page.keyboard.type(letter);
      await this.shoot(short);
    }
  }

  /** Makes an animated picture of it. */
  async develop(name: string): Promise<void> {
    await mkdir(directory, { recursive: true });
    await sharp(this.#pictures.map(({ image }) => Buffer.from(image)), { join: { animated: true } })
      .webp({ delay: this.#pictures.map(({ milliseconds }) => milliseconds), loop: 0, nearLossless: true, quality: 60, effort: 5 })
      .toFile(resolve(directory, `${name}.webp`));
  }
}

for (const colorScheme of ['light', 'dark'] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme, contextOptions: { reducedMotion: 'reduce' }, viewport: { width: 900, height: 600 }, expectedConsole: /./ });

    test(`a login, from the home page to its X-ray, ${colorScheme}`, async ({ page, launch }) => {
      const server = await launch();
      const film = new Film(page);
      await page.goto(server.url);
      await expect(page.getByRole('link', { name: 'Sign in with Demo' })).toBeVisible();
      await settled(page);
      await film.shoot(long);
      await film.click(page.getByRole('link', { name: 'Sign in with Demo' }));

      await expect(heading(page, 'Sign in to Demo')).toBeVisible();
      await film.shoot(short * 4);
      await film.type(page.getByLabel('Username'), alice.login);
      await film.type(page.getByLabel('Password'), alice.password);
      await film.click(page.getByRole('button', { name: 'Sign in', exact: true }));
      await expect(heading(page, 'oauth2flow would like to')).toBeVisible();
      await film.shoot(long);
      await film.click(page.getByRole('button', { name: 'Allow' }));

      await expect(heading(page, 'Your account')).toBeVisible();
      await expect(page.getByRole('list', { name: 'Notes' })).toBeAttached();
      await settled(page);
      await film.shoot(long);
      await film.click(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'X-ray' }));

      await expect(heading(page, 'How you signed in with Demo')).toBeVisible();
      await settled(page);
      await film.shoot(long);
      await page.locator('.diagram').evaluate((diagram) => diagram.scrollIntoView({ behavior: 'instant' }));
      await film.shoot(long);
      for (const act of ['brings the authorization request', 'hands the answer to the backend', 'answers with the tokens']) {
        const message = page.locator('details').filter({ has: page.locator('summary', { hasText: act }) });
        await message.locator('summary').evaluate((line) => line.scrollIntoView({ behavior: 'instant', block: 'start' }));
        await page.mouse.wheel(0, -60);
        await film.click(message.locator('summary'));
        await expect(message).toHaveAttribute('open');
        await film.shoot(long);
        const checks = message.locator('.checks');
        if ((await checks.count()) > 0) {
          await checks.evaluate((list) => list.scrollIntoView({ behavior: 'instant', block: 'center' }));
          await film.shoot(long);
        }
        await message.locator('summary').click();
      }
      await film.develop(`login-${colorScheme}`);
    });
  });
}
