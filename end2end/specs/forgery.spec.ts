import { alice, bob, consent, enterCredentials, heading, interceptCallback, loginPath, session, signIn } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

const mismatch = 'This sign-in was not started in this browser';

test.use({ expectedConsole: /oauth\/code: Failed to load resource.*( 400|ERR_FAILED)/ });

for (const [name, query] of [
  ['a state that nobody issued', 'code=stolen&state=0123456789abcdef0123456789abcdef'],
  ['a state with markup in it', `code=stolen&state=${encodeURIComponent('"><img src=x onerror=alert(1)>')}`],
  ['an error with a state that nobody issued', `error=access_denied&error_description=${encodeURIComponent('<img src=x onerror=alert(1)>')}&state=unknown`],
] as const) {
  test(`${name} is refused, and the address is cleaned`, async ({ page }) => {
    await page.goto(`/callback?${query}`);
    await expect(heading(page, mismatch)).toBeVisible();
    await expect(page.locator('code', { hasText: 'state_mismatch' })).toBeVisible();
    await expect(page).not.toHaveURL(/code=stolen|state=|error=/);
    expect(await page.locator('img[src="x"]').count()).toBe(0);
    expect(await session(page)).toEqual({ authenticated: false });
    await expect(page.getByRole('link', { name: 'Sign in again' })).toBeVisible();
  });
}

for (const [name, query] of [
  ['no state', 'code=stolen'],
  ['two states', 'code=stolen&state=one&state=two'],
  ['two codes', 'code=one&code=two&state=one'],
  ['both a code and an error', 'code=stolen&error=access_denied&state=one'],
] as const) {
  test(`a callback with ${name} is refused`, async ({ page }) => {
    await page.goto(`/callback?${query}`);
    await expect(heading(page, 'This request could not be read').or(heading(page, mismatch))).toBeVisible();
    await expect(page).not.toHaveURL(/code=stolen|state=|error=/);
    expect(await session(page)).toEqual({ authenticated: false });
  });
}

test('an altered state is refused', async ({ page }) => {
  const address = new URL(await interceptCallback(page, alice));
  const state = address.searchParams.get('state') ?? '';
  address.searchParams.set('state', state.slice(0, -1) + (state.endsWith('A') ? 'B' : 'A'));
  await page.goto(address.href);
  await expect(heading(page, mismatch)).toBeVisible();
});

test('an answer that names another issuer is refused', async ({ page }) => {
  const address = new URL(await interceptCallback(page, alice));
  expect(address.searchParams.get('iss')).not.toBeNull();
  address.searchParams.set('iss', 'https://evil.example');
  await page.goto(address.href);
  await expect(heading(page, 'The answer came from the wrong provider')).toBeVisible();
  expect(await session(page)).toEqual({ authenticated: false });
});

test('a forged transaction cookie is refused', async ({ page, context }) => {
  await page.goto(loginPath());
  const transactions = (await context.cookies()).filter(({ name }) => name.startsWith('tx-'));
  expect(transactions).toHaveLength(1);
  expect(transactions[0]).toMatchObject({ httpOnly: true, sameSite: 'Strict' });
  await context.addCookies(transactions.map((cookie) => ({ ...cookie, value: cookie.value.replace(/^.{8}/, 'AAAAAAAA') })));
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  await expect(heading(page, mismatch)).toBeVisible();
  expect(await session(page)).toEqual({ authenticated: false });
});

test('an answer that comes after the browser has dropped the expired transaction is refused', async ({ page, context }) => {
  const address = await interceptCallback(page, alice);
  await context.clearCookies({ name: /^tx-/ });
  await page.goto(address);
  await expect(heading(page, mismatch)).toBeVisible();
  expect(await session(page)).toEqual({ authenticated: false });
});

test("another login's transaction cookie does not fit", async ({ page, context }) => {
  await page.goto(loginPath());
  const [foreign] = (await context.cookies()).filter(({ name }) => name.startsWith('tx-'));
  await context.clearCookies({ name: /^tx-/ });
  const address = await interceptCallback(page, alice);
  const [own] = (await context.cookies()).filter(({ name }) => name.startsWith('tx-'));
  if (foreign === undefined || own === undefined) throw new Error('a login has no transaction cookie');
  await context.addCookies([{ ...own, value: foreign.value }]);
  await page.goto(address);
  await expect(heading(page, mismatch)).toBeVisible();
});

test("an attacker's answer signs nobody in as the attacker", async ({ page, stranger }) => {
  const address = await interceptCallback(await stranger(), bob);
  await page.goto(address);
  await expect(heading(page, mismatch)).toBeVisible();
  expect(await session(page)).toEqual({ authenticated: false });
});

test("an attacker's answer does not replace the victim's session, and stays good for nobody else", async ({ page, stranger }) => {
  const attacker = await stranger();
  const address = await interceptCallback(attacker, bob);
  await signIn(page, alice);
  await page.goto(address);
  await expect(heading(page, mismatch)).toBeVisible();
  expect(await session(page)).toMatchObject({ authenticated: true, user: { login: 'alice' } });
});
