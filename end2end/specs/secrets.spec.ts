import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { codePosts, loginPath, passProvider, signIn } from '../fixtures/journey.ts';
import { givenAway, givenAwayByFiles, keepSecret, keepSecretsOfSettings } from '../fixtures/secrets.ts';
import { site } from '../fixtures/server.ts';
import { expect, test } from '../fixtures/test.ts';

// Every test of the browser fails when a secret or a token of the run comes to light. Here it is shown that it would.

/** The value of the cookie that no script can read. */
async function sessionId(page: Page): Promise<string> {
  const [session] = (await page.context().cookies()).filter(({ name }) => name === 'session');
  expect(session?.httpOnly).toBe(true);
  return session?.value ?? '';
}

/** The ways in which one could come to light, and what is said about it. */
const ways: Record<string, { plant: (page: Page, secret: string) => Promise<unknown>; found: RegExp }> = {
  'in a page': {
    plant: (page, secret) => page.evaluate((text) => document.body.append(`<${text}>`), secret),
    found: /^document of \/account: cookie session$/,
  },
  // Of tokens the browser never hears: they are known by how they begin.
  'of the server alone': {
    plant: (page) => page.evaluate((text) => document.body.append(text), `demo-rt-4b1d9c07.${'r'.repeat(43)}`),
    found: /^document of \/account: refresh token$/,
  },
  'in the console': {
    plant: (page, secret) => page.evaluate((text) => console.log('session', text), secret),
    found: /^console: cookie session$/,
  },
  'in what a page keeps': {
    plant: (page, secret) => page.evaluate((text) => sessionStorage.setItem('draft', `kept ${text}`), secret),
    found: /^sessionStorage of \/account: cookie session$/,
  },
  "in an API's answer": {
    plant: async (page, secret) => {
      await page.route('**/api/v1/session', (route) => route.fulfill({ json: { authenticated: false, id: secret } }));
      await page.evaluate(async () => (await fetch('/api/v1/session')).text());
    },
    found: /^GET \/api\/v1\/session: cookie session$/,
  },
  'in a header': {
    plant: async (page, secret) => {
      await page.route('**/api/v1/session', (route) => route.fulfill({ json: { authenticated: false }, headers: { etag: `"${secret}"` } }));
      await page.evaluate(async () => (await fetch('/api/v1/session')).text());
    },
    found: /^GET \/api\/v1\/session: cookie session$/,
  },
};

for (const [way, { plant, found }] of Object.entries(ways)) {
  test.describe(`a secret ${way}`, () => {
    test.use({ expectedLeaks: found });

    test('is found', async ({ page, witness }) => {
      await signIn(page);
      expect(await witness.leaks(), 'as long as nothing is wrong').toEqual([]);
      await plant(page, await sessionId(page));
      await expect.poll(async () => (await witness.leaks()).filter((leak) => found.test(leak)).length).toBe(1);
    });
  });
}

test('the page that hands a code in keeps it nowhere', async ({ page, server, witness }) => {
  await page.route('**/api/v1/oauth/code', () => undefined);
  const handedIn = page.waitForRequest('**/api/v1/oauth/code');
  await page.goto(server.url + loginPath());
  await passProvider(page);
  const { code } = (await handedIn).postDataJSON() as { code: string };
  expect(code).not.toBe('');
  expect(await page.content()).not.toContain(code);
  expect(page.url()).not.toContain(code);
  expect(await witness.leaks()).toEqual([]);
});

const closed = test.extend<{ afterwards: void }>({
  // It begins before the other browser, and so it ends after that is closed.
  afterwards: [
    async ({ witness }, use) => {
      await use();
      expect(await witness.leaks()).toEqual(['localStorage of /: access token']);
    },
    { auto: true },
  ],
});

closed.describe('a secret in a browser that is closed', () => {
  closed.use({ expectedLeaks: /^localStorage of \/: access token$/ });

  closed('is found', async ({ stranger }) => {
    const page = await stranger();
    await page.goto('/');
    await page.evaluate((text) => localStorage.setItem('kept', text), `demo-at-4b1d9c07.${'a'.repeat(43)}`);
  });
});

test.describe('an authorization code in a page', () => {
  const found = /^document of \/account: authorization code$/;
  test.use({ expectedLeaks: found });

  test('is found, though it came through the browser', async ({ page, witness }) => {
    const posts = codePosts(page);
    await page.goto(loginPath());
    await passProvider(page);
    await expect.poll(() => posts.length).toBe(1);
    await expect(page).toHaveURL(/\/account$/);
    const code = (posts[0]?.postDataJSON() as { code: string }).code;
    await page.evaluate((text) => document.body.append(text), code);
    expect((await witness.leaks()).filter((leak) => found.test(leak))).toHaveLength(1);
  });
});

test('the files of the app have none, and would be found to have one', async () => {
  expect(await givenAwayByFiles(site)).toEqual([]);
  const directory = await mkdtemp(join(tmpdir(), 'oauth2flow-site-'));
  keepSecret('access token', 'an-access-token-planted-in-a-module');
  await writeFile(join(directory, 'app.wasm'), Buffer.concat([Buffer.from([0, 0x61, 0x73, 0x6d, 0xff]), Buffer.from('an-access-token-planted-in-a-module')]));
  await writeFile(join(directory, 'app.js'), "const token = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.'");
  expect((await givenAwayByFiles(directory)).sort()).toEqual(['app.js: JSON Web Token', 'app.wasm: access token']);
  await rm(directory, { recursive: true });
});

test('what the demo provider issues is known by how it begins', () => {
  const issued = ['at', 'rt', 'ac'].map((kind) => `{"issued":"demo-${kind}-4b1d9c07.${'x'.repeat(43)}"}`);
  expect(issued.map(givenAway)).toEqual([['access token'], ['refresh token'], ['authorization code']]);
});

test('secrets are known however they are written', () => {
  keepSecretsOfSettings('[providers.a]\nclient_id = "not-a-secret-at-all"\nclient_secret = "100% \\"secret\\" of a client"\n');
  const written = ['100% "secret" of a client', '100%25%20%22secret%22%20of%20a%20client', '{"a":"100% \\"secret\\" of a client"}'];
  expect(written.map(givenAway)).toEqual([['client_secret'], ['client_secret'], ['client_secret']]);
  expect(givenAway('not-a-secret-at-all')).toEqual([]);
});
