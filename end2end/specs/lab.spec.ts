import { AxeBuilder } from '@axe-core/playwright';
import type { Locator, Page } from '@playwright/test';
import { heading } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

/** The five attacks: the heading, the switch, what is said without the defence and with it, and where it is decided. */
const attacks = [
  {
    title: 'The stolen code',
    defence: 'PKCE',
    off: 'PKCE off: the attack worked: Bob\'s browser is now signed in as Alice Example, with the code that he stole.',
    on: /^PKCE on: the attack failed: the provider refused the code/,
    decidedBy: 'Provider → App',
  },
  {
    title: 'Signed in as somebody else',
    defence: 'State',
    off: 'State off: the attack worked: Alice\'s browser is now signed in as Bob Example, and she has not noticed.',
    on: /^State on: the attack failed: Alice's browser has begun no such sign-in/,
    decidedBy: 'Alice → App',
  },
  {
    title: 'An ID token from another sign-in',
    defence: 'Nonce',
    off: 'Nonce off: the attack worked: Bob\'s browser is now signed in as Alice Example, with an ID token from her sign-in.',
    on: /^Nonce on: the attack failed: the nonce in the ID token is not that of Bob's sign-in/,
    decidedBy: 'Provider → App',
  },
  {
    title: 'The wrong provider',
    defence: 'Check of iss',
    off: 'Check of iss off: the attack worked: The app has brought Alice\'s code to Bob, and Bob\'s browser is now signed in as Alice Example.',
    on: /^Check of iss on: the attack failed: the answer says that it comes from the real provider/,
    decidedBy: 'Alice → App',
  },
  {
    title: 'A way back that leads away',
    defence: 'Check of return_to',
    off: 'Check of return_to off: the attack worked: Alice has signed in, and her browser has ended at https://evil.example/session-expired.',
    on: /^Check of return_to on: the attack failed: Alice has signed in, and her browser has ended on the app's own home page/,
    decidedBy: 'Alice → App',
  },
] as const;

async function openLab(page: Page): Promise<void> {
  await page.goto('/lab');
  await expect(heading(page, 'The attack lab')).toBeVisible();
  await expect(page.getByRole('switch')).toHaveCount(attacks.length);
}

/** The part of the page that is about one attack. */
function card(page: Page, title: string): Locator {
  return page.getByRole('region', { name: title, exact: true });
}

/** The message at which it was decided, which is open. */
function decisive(of: Locator): Locator {
  return of.locator('.decisive details[open]');
}

async function expectNoViolation(page: Page): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
    const { violations } = await new AxeBuilder({ page }).analyze();
    expect(violations.map(({ id, help, nodes }) => ({ id, help, nodes: nodes.map(({ html }) => html) })), colorScheme).toEqual([]);
  }
}

for (const { title, defence, off, on, decidedBy } of attacks) {
  test(`${title}: it works without the defence, and not with it`, async ({ page, context }) => {
    await openLab(page);
    const attack = card(page, title);
    const toggle = attack.getByRole('switch', { name: defence, exact: true });
    await expect(toggle).toBeChecked();
    await toggle.click();
    await expect(toggle).not.toBeChecked();
    await attack.getByRole('button', { name: 'Run the attack' }).click();
    await expect(attack.getByRole('status')).toHaveText(off);
    await expect(decisive(attack).getByText('the attack got past here')).toBeVisible();
    await expect(decisive(attack).locator('.route')).toHaveText(decidedBy);

    await toggle.click();
    await attack.getByRole('button', { name: 'Run the attack' }).click();
    await expect(attack.getByRole('status')).toHaveText(on);
    await expect(decisive(attack).getByText('the attack was stopped here')).toBeVisible();
    await expect(decisive(attack).locator('.check.failed')).toHaveCount(1);
    await expect(decisive(attack).locator('.route')).toHaveText(decidedBy);
    // Nobody is signed in by it, here or there.
    expect((await context.cookies()).map(({ name }) => name).filter((name) => name.includes('session'))).toEqual([]);
  });
}

test('the lab has no violation, before and after the attacks', async ({ page }) => {
  await openLab(page);
  await expect(page).toHaveTitle('The attack lab · oauth2flow');
  await expectNoViolation(page);
  for (const { title, defence } of attacks) {
    await card(page, title).getByRole('switch', { name: defence, exact: true }).click();
    await card(page, title).getByRole('button', { name: 'Run the attack' }).click();
    await expect(card(page, title).getByRole('status')).toContainText('the attack worked');
  }
  await expectNoViolation(page);
});

test('an attack can be run and read from the keyboard', async ({ page }) => {
  await openLab(page);
  const attack = card(page, 'The stolen code');
  await attack.getByRole('switch').focus();
  await page.keyboard.press('Space');
  await expect(attack.getByRole('switch')).not.toBeChecked();
  await page.keyboard.press('Tab');
  await expect(attack.getByRole('button', { name: 'Run the attack' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(attack.getByRole('status')).toContainText('the attack worked');
  await attack.getByRole('link', { name: /^message \d+$/ }).focus();
  await page.keyboard.press('Enter');
  await expect(decisive(attack).locator('summary')).toBeFocused();
  await page.keyboard.press('Home');
  await expect(attack.locator('summary.line').first()).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(attack.locator('details[open] > summary.line')).toHaveCount(1);
  await expect(attack.locator('summary.line').nth(1)).toBeFocused();
});

test('the report fits into 320 pixels', async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await openLab(page);
  await card(page, 'The wrong provider').getByRole('button', { name: 'Run the attack' }).click();
  await expect(card(page, 'The wrong provider').getByRole('status')).toContainText('the attack failed');
  const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(await overflow()).toBe(0);
});

test('the story of a sign-in leads to the lab', async ({ page }) => {
  await page.goto('/learn');
  await page.getByRole('link', { name: 'the attack lab' }).click();
  await expect(heading(page, 'The attack lab')).toBeVisible();
  await expect(heading(page, 'The attack lab')).toBeFocused();
});

test('with a real provider there is no lab, and the page says so', async ({ page, launch }) => {
  const server = await launch({ config: () => '[providers.github]\nclient_id = "app"\nclient_secret = "secret"\n' });
  await page.goto(`${server.url}/lab`);
  await expect(page.getByText('The lab is there only beside the demo provider')).toBeVisible();
  await expect(page.getByRole('switch')).toHaveCount(0);
  const headers = { 'x-csrf': '1', origin: server.url };
  const answer = await page.request.post(`${server.url}/api/v1/lab/runs`, { headers, data: { attack: 'stolen_code', defence: 'off' } });
  expect(answer.status()).toBe(404);
});

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('the stories can be read', async ({ page, render }) => {
    test.skip(render === 'spa', 'a page that is made in the browser needs one');
    await page.goto('/lab');
    for (const { title } of attacks) await expect(page.getByRole('heading', { level: 2, name: title, exact: true })).toBeVisible();
    await expect(page.getByText('To run an attack takes a script.')).toBeVisible();
    await expect(page.getByRole('switch')).toHaveCount(0);
  });
});
