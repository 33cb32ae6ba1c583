import { heading, session, signIn, visit } from '../fixtures/journey.ts';
import { freePorts } from '../fixtures/server.ts';
import { expect, test } from '../fixtures/test.ts';

test('an unknown provider gets a problem page with a way on', async ({ page }) => {
  await page.goto('/api/v1/oauth/login?provider=nobody');
  await expect(heading(page, 'There is no such way to sign in')).toBeVisible();
  await expect(page.locator('code', { hasText: 'unknown_provider' })).toBeVisible();
  await expect(page.getByText(/Request ID: \S+/)).toBeVisible();
  await page.getByRole('link', { name: 'Go to the home page' }).click();
  await expect(heading(page, 'Sign in, and see how it works')).toBeVisible();
});

for (const [code, title, next] of [
  ['access_denied', 'You cancelled the sign-in', 'Sign in again'],
  ['login_expired', 'The sign-in took too long', 'Sign in again'],
  ['already_completed', 'This sign-in is already finished', 'Open your account'],
  ['provider_timeout', 'The provider did not answer in time', 'Open your account'],
  ['invalid_request', 'This request could not be read', 'Go to the home page'],
] as const) {
  test(`the problem page of ${code} says what happened and offers “${next}”`, async ({ page }) => {
    await page.goto(`/problem?code=${code}&request_id=01J8Z3`);
    await expect(heading(page, title)).toBeVisible();
    await expect(page.getByText('Request ID: 01J8Z3')).toBeVisible();
    await expect(page.getByRole('main').getByRole('link', { name: next })).toBeVisible();
    await expect(page).toHaveTitle(/ · oauth2flow$/);
  });
}

test('a problem page shows what it is given as text only', async ({ page }) => {
  const markup = '<img src=x onerror=alert(1)>';
  await page.goto(`/problem?${new URLSearchParams({ code: markup, request_id: markup })}`);
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  expect(await page.locator('img[src="x"]').count()).toBe(0);
});

test('a provider that is down is a problem page, and nobody else notices', async ({ launch, stranger }) => {
  const [closed] = await freePorts(1);
  const server = await launch({
    config: () => `
      [demo]
      enabled = true

      [providers.down]
      name = "Down"
      preset = "openid"
      issuer = "http://127.0.0.1:${closed}"
      client_id = "oauth2flow"
      client_secret = "secret"
    `,
  });
  const page = await stranger(server.url);
  await visit(page, '/');
  await page.getByRole('link', { name: 'Sign in with Down' }).first().click();
  await expect(heading(page, 'The provider cannot be reached')).toBeVisible();
  await expect(page.locator('code', { hasText: 'provider_unavailable' })).toBeVisible();
  await expect(page.getByRole('link', { name: 'Try again' })).toHaveAttribute('href', '/api/v1/oauth/login?provider=down&return_to=/account');

  await signIn(page);
  expect(await session(page)).toMatchObject({ authenticated: true });
});

test('an address that does not exist is a page of the app, with status 404', async ({ page }) => {
  const response = await page.goto('/no/such/page');
  expect(response?.status()).toBe(404);
  await expect(heading(page, 'There is nothing here')).toBeVisible();
});
