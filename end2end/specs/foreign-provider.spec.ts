import { type Combination, demandsNonces, describe } from '../fixtures/combination.ts';
import { account, type ForeignProvider } from '../fixtures/foreign-provider.ts';
import { callUpstream, detail, heading, session, visit } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';
import type { Page } from '@playwright/test';

// `oidc-provider` is certified by the OpenID Foundation and shares no code with this project.

async function signIn(page: Page, url: string): Promise<void> {
  await visit(page, url);
  await page.getByRole('main').getByRole('link', { name: 'Sign in with Foreign' }).first().click();
  await expect(heading(page, 'Foreign provider')).toBeVisible();
  await page.getByLabel('Account').fill(account.preferred_username);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.waitForURL((address) => address.origin === url && !['/callback', '/api/v1/oauth/code'].includes(address.pathname));
  expect(await session(page)).toMatchObject({ authenticated: true });
}

function refreshes(foreignProvider: ForeignProvider): number {
  return foreignProvider.client().grants.filter((grant) => grant === 'refresh_token').length;
}

test('a login at a certified provider, down to the account page and a call of its API', async ({ page, launch, foreignProvider }) => {
  const server = await launch({ config: (publicUrl) => foreignProvider.register(publicUrl) });
  await signIn(page, server.url);
  await page.goto(`${server.url}/account`);
  await expect(heading(page, 'Your account')).toBeVisible();
  await expect(page.locator('#identity')).toHaveText(account.name);
  await expect(detail(page, 'Username')).toHaveText(account.preferred_username);
  await expect(detail(page, 'Email')).toContainText(account.email);
  await expect(detail(page, 'Identifier')).toHaveText(account.sub);
  await expect(detail(page, 'Provider')).toHaveText('Foreign');
  expect(await callUpstream(page, 'foreign/me')).toEqual({ status: 200, body: { sub: account.sub, scheme: 'Bearer', client: 'oauth2flow', cookie: null } });
  expect(foreignProvider.client().grants).toEqual(['authorization_code']);
});

test('an access token that is about to expire is renewed once for many calls at a time', async ({ page, launch, foreignProvider }) => {
  const server = await launch({ config: (publicUrl) => foreignProvider.register(publicUrl, { accessTokenSeconds: 2, renewedTokenSeconds: 3600 }) });
  await signIn(page, server.url);
  const before = refreshes(foreignProvider);
  const many = async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => callUpstream(page, 'foreign/me')));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    return refreshes(foreignProvider) - before;
  };
  await expect.poll(many, { intervals: [100] }).toBe(1);
  expect(await many()).toBe(1);
  expect(await session(page)).toMatchObject({ authenticated: true });
});

test.describe('a login that the provider refuses', () => {
  test.use({ expectedConsole: /oauth\/code: Failed to load resource.* 403/ });

  test('is a problem page', async ({ page, launch, foreignProvider }) => {
    const server = await launch({ config: (publicUrl) => foreignProvider.register(publicUrl) });
    await page.goto(`${server.url}/api/v1/oauth/login?provider=foreign`);
    await page.getByLabel('Account').fill('mallory');
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect(heading(page, 'You cancelled the sign-in')).toBeVisible();
    expect(foreignProvider.client().grants).toEqual([]);
  });
});

test('signing out ends the session at the provider and comes back to the app', async ({ page, launch, foreignProvider }) => {
  const server = await launch({ config: (publicUrl) => foreignProvider.register(publicUrl) });
  await signIn(page, server.url);
  await visit(page, `${server.url}/account`);
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(heading(page, 'Sign out of the foreign provider')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out here too' }).click();
  await page.waitForURL((address) => address.origin === server.url && address.pathname === '/');
  expect(await session(page)).toEqual({ authenticated: false });

  // Nobody is signed in there either: the next login asks again.
  await page.goto(`${server.url}/api/v1/oauth/login?provider=foreign`);
  await expect(page.getByLabel('Account')).toBeVisible();
});

test('two providers stand side by side, and each session knows its own', async ({ page, launch, foreignProvider }) => {
  const server = await launch({ config: (publicUrl) => `[demo]\nenabled = true\n${foreignProvider.register(publicUrl)}` });
  await page.goto(server.url);
  await expect(page.getByRole('main').getByRole('link', { name: 'Sign in with Demo' }).first()).toBeVisible();
  await signIn(page, server.url);
  expect(await session(page)).toMatchObject({ provider: 'foreign', user: { login: account.preferred_username } });
});

// The rest of the matrix needs no browser: matrix.spec.ts. These show what a real one makes of each way to answer.
const combinations: readonly Combination[] = [
  { clientAuth: 'basic', responseMode: 'query', par: false, dpop: false, algorithm: 'PS256' },
  { clientAuth: 'post', responseMode: 'form_post', par: false, dpop: true, algorithm: 'ES256' },
  { clientAuth: 'private_key_jwt', responseMode: 'form_post', par: true, dpop: false, algorithm: 'RS256' },
  { clientAuth: 'private_key_jwt', responseMode: 'jwt', par: true, dpop: true, algorithm: 'EdDSA' },
];

for (const combination of combinations) {
  test(`a login, a call, a refresh and a logout with ${describe(combination)}`, async ({ page, launch, foreignProvider }) => {
    const lifetimes = { accessTokenSeconds: 2, renewedTokenSeconds: 3600 };
    const server = await launch({ config: (publicUrl) => foreignProvider.register(publicUrl, { combination, ...lifetimes }) });
    await signIn(page, server.url);
    const scheme = combination.dpop ? 'DPoP' : 'Bearer';
    const client = foreignProvider.client();
    const call = async () => {
      expect(await callUpstream(page, 'foreign/me')).toMatchObject({ status: 200, body: { sub: account.sub, scheme } });
      return client.grants;
    };
    await expect.poll(call, { intervals: [100] }).toEqual(['authorization_code', 'refresh_token']);
    // Who demands nonces says so once at the token endpoint and once at the API, and everything is made again.
    const once = demandsNonces(combination) ? 1 : 0;
    expect(client.visitsOf('token').filter(({ status }) => status === 400)).toHaveLength(once);
    expect(foreignProvider.noncesDemanded()).toBe(once);
    await visit(page, `${server.url}/account`);
    await expect(detail(page, 'Email')).toContainText(account.email);
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByRole('button', { name: 'Sign out here too' }).click();
    await page.waitForURL((address) => address.origin === server.url && address.pathname === '/');
    expect(await session(page)).toEqual({ authenticated: false });
  });
}
