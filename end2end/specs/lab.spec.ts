import type { Locator, Page, Route } from '@playwright/test';
import { expectNoViolation } from '../fixtures/axe.ts';
import { alice, consent, enterCredentials, heading, visit } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

/** The five attacks: the heading, the switch, what is said without the defence and with it, and where it is decided. */
const attacks = [
  {
    title: 'The stolen code',
    defence: 'PKCE',
    off: 'PKCE off – the attack worked: Bob’s browser is now signed in as Alice Example, with the code that he stole.',
    on: /^PKCE on – the attack failed: the provider refused the code/,
    decidedBy: 'Provider → App',
  },
  {
    title: 'Signed in as somebody else',
    defence: 'State',
    off: 'State off – the attack worked: Alice’s browser is now signed in as Bob Example, and she has not noticed.',
    on: /^State on – the attack failed: Alice’s browser has begun no such sign-in/,
    decidedBy: 'Alice → App',
  },
  {
    title: 'An ID token from another sign-in',
    defence: 'Nonce',
    off: 'Nonce off – the attack worked: Bob’s browser is now signed in as Alice Example, with an ID token from her sign-in.',
    on: /^Nonce on – the attack failed: the nonce in the ID token is not that of Bob’s sign-in/,
    decidedBy: 'Provider → App',
  },
  {
    title: 'The wrong provider',
    defence: 'Check of iss',
    off: 'Check of iss off – the attack worked: the app has brought Alice’s code to Bob, and Bob’s browser is now signed in as Alice Example.',
    on: /^Check of iss on – the attack failed: the answer says that it comes from the real provider/,
    decidedBy: 'Alice → App',
  },
  {
    title: 'A way back that leads away',
    defence: 'Check of return_to',
    off: 'Check of return_to off – the attack worked: Alice has signed in, and her browser has ended at https://evil.example/session-expired.',
    on: /^Check of return_to on – the attack failed: Alice has signed in, and her browser has ended on the app’s own home page/,
    decidedBy: 'Alice → App',
  },
] as const;

async function openLab(page: Page): Promise<void> {
  await visit(page, '/lab');
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

/** By how much the page is wider than the window. */
async function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
}

for (const { title, defence, off, on, decidedBy } of attacks) {
  test(`${title}: it works without the defence, and not with it`, async ({ page, context }) => {
    await openLab(page);
    const attack = card(page, title);
    const toggle = attack.getByRole('switch', { name: `Defence: ${defence}`, exact: true });
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
    await card(page, title).getByRole('switch', { name: `Defence: ${defence}`, exact: true }).click();
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
  await attack.locator('.report > p').getByRole('link', { name: /^message \d+$/ }).focus();
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
  expect(await overflow(page)).toBe(0);
});

for (const from of ['/learn', '/flow']) {
  test(`${from} leads to the lab`, async ({ page }) => {
    await visit(page, from);
    await page.getByRole('link', { name: 'the attack lab' }).click();
    await expect(heading(page, 'The attack lab')).toBeVisible();
    await expect(heading(page, 'The attack lab')).toBeFocused();
  });
}

test('a login in the X-ray leads to the lab before its messages', async ({ page, launch }) => {
  const server = await launch();
  await page.goto(`${server.url}/api/v1/oauth/login?provider=demo&return_to=/flow`);
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  await expect(heading(page, 'How you signed in with Demo')).toBeVisible();
  const [link, messages] = await Promise.all([
    page.getByRole('link', { name: 'the attack lab' }).boundingBox(),
    page.getByRole('heading', { name: 'Message by message' }).boundingBox(),
  ]);
  expect(link !== null && messages !== null && link.y < messages.y).toBe(true);
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

/** What somebody is told, and the way on, when the server answers a run with this. */
const troubles = [
  {
    name: 'the server is away',
    answer: (route: Route) => route.abort('connectionrefused'),
    told: 'This app’s server does not answer',
    reload: false,
  },
  {
    name: 'the demo provider is gone',
    answer: (route: Route) => route.fulfill({ status: 404, json: problem('not_found', 404) }),
    told: 'The demo provider does not run here any more',
    reload: true,
  },
  {
    name: 'the request is not taken for one of this page',
    answer: (route: Route) => route.fulfill({ status: 403, json: problem('csrf_rejected', 403) }),
    told: 'This request did not come from this app',
    reload: true,
  },
  {
    name: 'others are making experiments',
    answer: (route: Route) => route.fulfill({ status: 429, json: problem('rate_limited', 429) }),
    told: 'Wait a moment, and try again.',
    reload: false,
  },
] as const;

function problem(code: string, status: number): object {
  return { type: `/problem?code=${code}`, title: code, status, code, detail: '', request_id: 'r-1' };
}

test.describe('when nothing comes of it', () => {
  test.use({ expectedConsole: /\/lab\/runs|ERR_CONNECTION_REFUSED/ });

  for (const { name, answer, told, reload } of troubles) {
    test(`${name}: the card says so, and the way on`, async ({ page }) => {
      await openLab(page);
      const attack = card(page, 'The stolen code');
      await page.route('**/api/v1/lab/runs', answer);
      await attack.getByRole('button', { name: 'Run the attack' }).click();
      await expect(attack.getByRole('alert')).toContainText(told);
      await page.unroute('**/api/v1/lab/runs');
      if (reload) {
        const asked = page.waitForResponse('**/api/v1/session');
        await attack.getByRole('link', { name: 'Reload' }).click();
        await asked;
        await expect(attack.getByRole('alert')).toHaveCount(0);
      }
      await attack.getByRole('button', { name: 'Run the attack' }).click();
      await expect(attack.getByRole('status')).toContainText('the attack failed');
      await expect(attack.getByRole('alert')).toHaveCount(0);
    });
  }
});

/** What the lab says in each language: its heading, the button, and the first verdict. */
const languages = [
  { locale: 'de', title: 'Das Angriffslabor', run: 'Angriff ausführen', worked: /^PKCE aus – der Angriff ist gelungen: Bobs Browser ist jetzt als Alice Example/ },
  { locale: 'fr', title: 'Le laboratoire d’attaques', run: 'Lancer l’attaque', worked: /^Sans la défense «\sPKCE\s»\s: l’attaque a réussi/ },
  { locale: 'es', title: 'El laboratorio de ataques', run: 'Lanzar el ataque', worked: /^Sin la defensa «PKCE»: el ataque funcionó/ },
  { locale: 'zh', title: '攻击实验室', run: '发起攻击', worked: /^PKCE 已关闭：攻击成功/ },
] as const;

for (const { locale, title, run, worked } of languages) {
  test.describe(`in ${locale}`, () => {
    test.use({ locale });

    test('every word of an experiment is in the language of its reader, and fits', async ({ page }) => {
      await page.setViewportSize({ width: 320, height: 640 });
      await visit(page, '/lab');
      await expect(heading(page, title)).toBeVisible();
      const cards = page.locator('.experiment');
      await expect(cards).toHaveCount(attacks.length);
      for (let at = 0; at < attacks.length; at += 1) {
        await cards.nth(at).getByRole('switch').click();
        await cards.nth(at).getByRole('button', { name: run }).click();
        await expect(cards.nth(at).locator('.verdict-line.succeeded')).toBeVisible();
      }
      await expect(cards.first().getByRole('status')).toHaveText(worked);
      // Nothing is left of the English words, but for what the servers said and the names of the specifications.
      const words = await page.locator('main').evaluate((main) => {
        const copy = main.cloneNode(true) as HTMLElement;
        for (const foreign of copy.querySelectorAll('code, .call, .reason, .reference, .sentences')) foreign.remove();
        return copy.textContent ?? '';
      });
      expect(words.match(/\b(the|with|and|sign-in|attack|browser asks|has been|checked)\b/gi) ?? []).toEqual([]);
      for (const width of [320, 768, 1440]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await overflow(page), `${width} px`).toBe(0);
      }
    });
  });
}

test.describe('without script', () => {
  test.use({ javaScriptEnabled: false });

  test('each attack is run by a form, and told on the page that comes back', async ({ page, context, render }) => {
    test.skip(render === 'spa', 'a page that is made in the browser needs one');
    await page.goto('/lab');
    await expect(page.getByRole('switch')).toHaveCount(attacks.length);
    for (const { title, defence, off, on } of attacks) {
      const attack = card(page, title);
      const toggle = attack.getByRole('switch', { name: `Defence: ${defence}`, exact: true });
      await toggle.uncheck();
      await attack.getByRole('button', { name: 'Run the attack' }).click();
      await expect(attack.getByRole('status')).toHaveText(off);
      await expect(decisive(attack).getByText('the attack got past here')).toBeVisible();
      await expect(toggle).not.toBeChecked();
      await expect(page.locator('.report')).toHaveCount(1);
      await expect(page).toHaveURL(/\/lab#/);
      await toggle.check();
      await attack.getByRole('button', { name: 'Run the attack' }).click();
      await expect(attack.getByRole('status')).toHaveText(on);
    }
    expect((await context.cookies()).map(({ name }) => name).filter((name) => name.includes('session'))).toEqual([]);
  });

  test('a page that is made in the browser says that it needs a script', async ({ page, render }) => {
    test.skip(render === 'ssr', 'the server makes the page');
    await page.goto('/lab');
    await expect(page.locator('noscript p')).toContainText('This page needs JavaScript.');
    await expect(page.getByRole('switch')).toHaveCount(0);
  });
});

test.describe('a form that was sent before the script came', () => {
  test.use({ expectedConsole: /\.wasm: Failed to load resource|\/lab: TypeError: Failed to fetch/ });

  test('is taken over with what happened, and goes on from there', async ({ page, render }) => {
    test.skip(render === 'spa', 'a page that is made in the browser has no form before');
    // The script comes when the answer is there.
    await page.route('**/pkg/*.wasm', (route) => route.abort());
    await page.goto('/lab');
    const attack = card(page, 'The wrong provider');
    await attack.getByRole('switch').uncheck();
    await page.unroute('**/pkg/*.wasm');
    const session = page.waitForResponse('**/api/v1/session');
    await attack.getByRole('button', { name: 'Run the attack' }).click();
    await expect(attack.getByRole('status')).toContainText('the attack worked');
    await session;
    await expect(attack.getByRole('status')).toContainText('the attack worked');
    await expect(attack.getByRole('switch')).not.toBeChecked();
    await attack.getByRole('switch').check();
    const called = page.waitForResponse('**/api/v1/lab/runs');
    await attack.getByRole('button', { name: 'Run the attack' }).click();
    expect((await called).status()).toBe(200);
    await expect(attack.getByRole('status')).toContainText('the attack failed');
  });
});
