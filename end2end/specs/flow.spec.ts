import { readFile } from 'node:fs/promises';
import type { Locator, Page } from '@playwright/test';
import { expectNoViolation } from '../fixtures/axe.ts';
import { alice, consent, enterCredentials, heading, loginPath, passProvider, signIn, visit } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

const title = 'How you signed in with Demo';

/** Signs in and opens the X-ray of that login, which then listens for what happens next. */
async function openXRay(page: Page): Promise<void> {
  const listens = page.waitForResponse('**/api/v1/flow/events');
  await page.goto(loginPath('/flow'));
  await passProvider(page);
  await expect(heading(page, title)).toBeVisible();
  await listens;
}

/** A login that the user refuses at the provider, and its X-ray. */
async function deny(page: Page): Promise<void> {
  await page.goto(loginPath('/flow'));
  await enterCredentials(page, alice);
  await consent(page, 'Deny');
  await expect(heading(page, 'You cancelled the sign-in')).toBeVisible();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'X-ray' }).click();
  await expect(page.getByRole('heading', { level: 2, name: 'Message by message' })).toBeVisible();
}

/** The messages, from the first to the last. */
function messages(page: Page): Locator {
  return page.locator('details[id^="message-"]');
}

/** The message whose line says so. */
function message(page: Page, act: string): Locator {
  return messages(page).filter({ has: page.locator('summary', { hasText: act }) });
}

/** Opens every message: each parameter says what it is for. */
async function expectEveryParameterExplained(page: Page): Promise<void> {
  const count = await messages(page).count();
  for (let number = 1; number <= count; number += 1) {
    const details = page.locator(`#message-${number}`);
    if ((await details.getAttribute('open')) === null) await details.locator('summary').click();
    await expect(details).toHaveAttribute('open');
  }
  const rows = page.locator('.parameters > div');
  expect(await rows.count()).toBeGreaterThan(20);
  const unexplained = rows.filter({ hasNot: page.locator('dd .fine-print') });
  expect(await unexplained.locator('dt').allTextContents()).toEqual([]);
}

/** What the browser saves when the button is pressed. */
async function saved(page: Page, button: string): Promise<{ name: string; text: string }> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: button }).click();
  const file = await download;
  return { name: file.suggestedFilename(), text: await readFile(await file.path(), 'utf8') };
}

test('without a login the X-ray offers one, and comes back', async ({ page }) => {
  await visit(page, '/flow');
  await expect(heading(page, 'See a sign-in from the inside')).toBeVisible();
  await expectNoViolation(page);
  await page.getByRole('link', { name: 'Sign in with Demo' }).click();
  await passProvider(page);
  await expect(heading(page, title)).toBeVisible();
  await expect(page).toHaveTitle(`${title} · oauth2flow`);
});

test('the styles of the X-ray come with it, and it is never shown without them', async ({ page }) => {
  const sheet = /\/pkg\/flow\.[0-9a-f]+\.css$/;
  const asked: string[] = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  await page.route(sheet, async (route) => {
    await released;
    await route.continue();
  });
  await signIn(page);
  expect(asked.filter((path) => sheet.test(path))).toEqual([]);
  const wanted = page.waitForRequest(sheet);
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'X-ray' }).click();
  await wanted;
  await expect(page.locator('.skeleton-line').first()).toBeVisible();
  await expect(heading(page, title)).toHaveCount(0);
  release();
  await expect(heading(page, title)).toBeVisible();
  expect(await page.evaluate(() => [...document.styleSheets].filter(({ href }) => href?.includes('/pkg/flow.')).length)).toBe(1);
  expect(asked.filter((path) => sheet.test(path))).toHaveLength(1);
});

test('a good login can be studied message by message', async ({ page }) => {
  await openXRay(page);
  const request = message(page, 'brings the authorization request');
  await expect(request.getByText('code_challenge_method', { exact: true })).toBeHidden();
  await request.locator('summary').click();
  await expect(request.getByText('code_challenge_method', { exact: true })).toBeVisible();
  await expect(request.getByRole('link', { name: 'RFC 6749 §4.1.1' }).first()).toHaveAttribute(
    'href',
    'https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1',
  );

  // The state is hidden, and seen to be the one that came back: the link opens the message where it did.
  const state = request.locator('.parameters > div').filter({ has: page.locator('dt code', { hasText: /^state$/ }) });
  await expect(state).toContainText(/hidden: \d+ characters, fingerprint [0-9a-f]{8} – the same as in message \d+/);
  const other = state.getByRole('link', { name: /^message \d+$/ }).first();
  const target = page.locator((await other.getAttribute('href')) ?? '');
  await other.click();
  await expect(target).toHaveAttribute('open');
  await expect(target.locator('summary')).toBeFocused();

  const exchange = message(page, 'answers with the tokens');
  await exchange.locator('summary').click();
  await expect(exchange.getByText('The state that came back', { exact: false })).toHaveCount(0);
  await expect(exchange.locator('.check.failed')).toHaveCount(0);
  await expect(exchange.locator('.check.passed').first()).toBeVisible();
  await expect(page.getByRole('heading', { level: 2, name: 'The ID token, taken apart' })).toBeVisible();
  await expect(page.getByRole('row', { name: /^In all/ })).toBeVisible();
  await expectNoViolation(page);
});

test('every parameter of a login says what it is for', async ({ page, launch }) => {
  // The first login of a server is the one that asks for the provider's metadata and keys.
  const server = await launch();
  await page.goto(server.url + loginPath('/flow'));
  await passProvider(page);
  await expect(heading(page, title)).toBeVisible();
  await expectEveryParameterExplained(page);
  const words = (act: string): Locator => message(page, act).locator('.parameters > div').filter({ hasText: 'set-cookie' });
  await expect(words('sends the browser to the provider')).toContainText('This sign-in itself, sealed');
  await expect(words('begins your session')).toContainText('The random name of your session');
  await expect(messages(page).getByText('code_challenge_methods_supported')).toBeVisible();
});

test.describe('a login that fails', () => {
  test.use({ expectedConsole: /oauth\/code: Failed to load resource: the server responded with a status of 403/ });

  test('is open at the message where it did', async ({ page }) => {
    await deny(page);
    await expect(heading(page, 'You cancelled the sign-in')).toBeVisible();
    const failing = page.locator('details[open]');
    await expect(failing).toHaveCount(1);
    await expect(failing.locator('summary')).toBeFocused();
    await expect(failing.locator('summary')).toContainText('failed here');
    await expect(failing.locator('.check.failed')).toContainText('The provider has not answered with an error');
    await expect(page.getByRole('link', { name: 'Sign in with Demo again' })).toBeVisible();
    await expectNoViolation(page);
    await expectEveryParameterExplained(page);
  });

  test('can be chosen among others', async ({ page }) => {
    await deny(page);
    await openXRay(page);
    await page.getByText('Other sign-ins in this browser (1)').click();
    await page.locator('.logins').getByRole('link').click();
    await expect(heading(page, 'You cancelled the sign-in')).toBeVisible();
    await page.goBack();
    await expect(heading(page, title)).toBeFocused();
  });
});

test('the messages can be stepped through from the keyboard', async ({ page }) => {
  await openXRay(page);
  const count = await messages(page).count();
  expect(count).toBeGreaterThan(8);
  await page.locator('#message-1 summary').focus();
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('#message-2 summary')).toBeFocused();
  await expect(page.locator('#message-2')).toHaveAttribute('open');
  await page.keyboard.press('End');
  await expect(page.locator(`#message-${count} summary`)).toBeFocused();
  await expect(page.locator('#message-2')).not.toHaveAttribute('open');
  await page.keyboard.press('ArrowDown');
  await expect(page.locator(`#message-${count} summary`)).toBeFocused();
  await page.keyboard.press('Home');
  await expect(page.locator('#message-1 summary')).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.locator('#message-1')).not.toHaveAttribute('open');

  // With the buttons the focus stays, and the step is announced.
  const next = page.getByRole('button', { name: 'Next message' });
  await next.focus();
  await page.keyboard.press('Enter');
  await expect(page.locator('#message-2')).toHaveAttribute('open');
  await expect(next).toBeFocused();
  await expect(page.getByRole('status').filter({ hasText: `Message 2 of ${count}: ` })).toBeVisible();
  await page.getByRole('button', { name: 'Previous message' }).click();
  await expect(page.getByRole('button', { name: 'Previous message' })).toHaveAttribute('aria-disabled', 'true');
});

test('the diagram grows while a login happens in another tab', async ({ page, context }) => {
  const listens = page.waitForResponse('**/api/v1/flow/events');
  await page.goto('/flow');
  await expect(heading(page, 'See a sign-in from the inside')).toBeVisible();
  await listens;
  const other = await context.newPage();
  await other.goto(loginPath('/account'));
  await expect(heading(other, 'Sign in to Demo')).toBeVisible();
  await expect(heading(page, 'Signing in with Demo')).toBeVisible();
  await expect(message(page, 'sends the browser to the provider')).toHaveCount(1);
  const before = await messages(page).count();
  await passProvider(other);
  await expect(heading(page, title)).toBeVisible();
  expect(await messages(page).count()).toBeGreaterThan(before);
  await other.close();
});

test('what is saved holds no secret', async ({ page, context, browserName }) => {
  test.skip(browserName === 'firefox', 'Playwright cannot see there what a page posts');
  const sent: string[] = [];
  page.on('request', (request) => {
    const body = request.url().endsWith('/oauth/code') ? (request.postDataJSON() as Record<string, string>) : {};
    for (const name of ['code', 'state']) if (body[name] !== undefined) sent.push(body[name]);
  });
  await openXRay(page);
  const secrets = [...sent, ...(await context.cookies()).map(({ value }) => value)];
  expect(sent).toHaveLength(2);
  expect(secrets.length).toBeGreaterThan(2);

  const data = await saved(page, 'Save as JSON');
  expect(data.name).toMatch(/^sign-in-demo-[0-9A-Za-z-]+\.json$/);
  expect(JSON.parse(data.text)).toMatchObject({ provider: 'demo', outcome: 'signed_in' });
  const picture = await saved(page, 'Save as picture');
  expect(picture.name).toMatch(/\.svg$/);
  expect(picture.text).toContain('brings the authorization request');
  expect(picture.text).not.toMatch(/<script|<style|href|url\(|\son\w+=/i);
  const wellFormed = await page.evaluate((text) => new DOMParser().parseFromString(text, 'image/svg+xml').querySelector('parsererror') === null, picture.text);
  expect(wellFormed).toBe(true);
  expect(picture.text).toMatch(/<title>Sign-in with Demo<\/title><desc>Signed in with Demo/);

  // The picture speaks the language of the page.
  await page.getByRole('button', { name: 'Deutsch' }).click();
  await expect(page.locator('html')).toHaveAttribute('lang', 'de');
  await visit(page, '/flow');
  const german = await saved(page, 'Als Bild speichern');
  expect(german.text).toMatch(/^<svg [^>]*lang="de"[^>]*><title>Anmeldung mit Demo<\/title><desc>Angemeldet /);
  expect(german.text).toContain('Geheimnisse stehen nicht in diesem Bild.');
  expect(german.text).not.toMatch(/Sign-in|brings the|Thin line/);
  for (const secret of secrets) {
    for (const text of [data.text, picture.text, german.text, await page.content()]) expect(text).not.toContain(secret);
  }
});

test('the logins of this browser can be forgotten, and the next one is followed all the same', async ({ page, context }) => {
  await openXRay(page);
  const listens = page.waitForResponse('**/api/v1/flow/events');
  await page.getByRole('button', { name: 'Forget all sign-ins' }).click();
  await expect(heading(page, 'See a sign-in from the inside')).toBeVisible();
  await expect(heading(page, 'See a sign-in from the inside')).toBeFocused();
  await listens;
  const other = await context.newPage();
  await other.goto(loginPath('/account'));
  await expect(page.getByRole('heading', { level: 1, name: /(?:signed|Signing) in with Demo$/ })).toBeVisible();
  await other.close();
  await page.getByRole('button', { name: 'Forget all sign-ins' }).click();
  await expect(heading(page, 'See a sign-in from the inside')).toBeVisible();
  await page.reload();
  await expect(heading(page, 'See a sign-in from the inside')).toBeVisible();
});

test.describe('where nothing is recorded', () => {
  test.use({ expectedConsole: /api\/v1\/flow: Failed to load resource: the server responded with a status of 404/ });

  test('the X-ray says so, and what would change it', async ({ page, launch }) => {
    const server = await launch({ config: () => '[flow]\nenabled = false\n' });
    await page.goto(`${server.url}/flow`);
    await expect(heading(page, 'Sign-ins are not recorded here')).toBeVisible();
    await expect(page.getByText('enabled = true')).toBeVisible();
    await expectNoViolation(page);
  });
});

test('the story is told with the reader’s own login, and leads to its messages', async ({ page, server }) => {
  await visit(page, '/learn');
  await expect(heading(page, 'How a sign-in works')).toBeVisible();
  await expect(page.getByText('In your sign-in', { exact: true })).toHaveCount(0);
  await page.getByRole('link', { name: 'Sign in with Demo' }).click();
  await passProvider(page);
  await expect(heading(page, 'How a sign-in works')).toBeVisible();
  await expect(page.getByText('In your sign-in', { exact: true }).first()).toBeVisible();
  await expect(page.getByText(new URL(server.demoProviderUrl).host, { exact: true }).first()).toBeVisible();
  await expectNoViolation(page);
  await page.getByRole('link', { name: /exchanges the code$/ }).click();
  await expect(heading(page, title)).toBeVisible();
  await expect(message(page, 'exchanges the code')).toHaveAttribute('open');
});

for (const width of [320, 768, 1440]) {
  test(`the X-ray and the story fit into ${width} pixels`, async ({ page }) => {
    await signIn(page);
    await page.setViewportSize({ width, height: 800 });
    for (const address of ['/flow', '/learn']) {
      await visit(page, address);
      await expect(page.getByRole('heading', { level: 2 }).first()).toBeVisible();
      await messages(page).evaluateAll((all) => all.forEach((details) => details.setAttribute('open', '')));
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      expect(overflow, address).toBe(0);
    }
  });
}
