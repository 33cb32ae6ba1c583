import { expect } from '@playwright/test';
import { account, password, type Registration, test, type Together } from '../fixtures/python-provider.ts';
import type { Visitor } from '../fixtures/visitor.ts';

// Authlib reads the specifications in another language: what two implementations agree on is no habit of one.

// One after the other: the first of them may have to install the packages.
test.describe.configure({ mode: 'default' });

/** From the click to the answer that the page passes on to the app. */
async function enter(visitor: Visitor, { server }: Together, entered: string): Promise<{ status: number; body: unknown }> {
  const form = await visitor.go(`${server.url}/api/v1/oauth/login?provider=python&return_to=/account`, new URL(server.url));
  expect(form.body).toContain('Python provider');
  const callback = await visitor.submit(form, { account: account.login, password: entered });
  expect([callback.status, callback.url.pathname]).toEqual([200, '/callback']);
  return visitor.call(server.url, '/api/v1/oauth/code', 'POST', Object.fromEntries(callback.url.searchParams));
}

const registrations: readonly Registration[] = [
  { clientAuth: 'basic', algorithm: 'RS256', signedUserinfo: false },
  { clientAuth: 'post', algorithm: 'ES384', signedUserinfo: true },
  { clientAuth: 'private_key_jwt', algorithm: 'PS512', signedUserinfo: false },
];
const authMethods = { basic: 'client_secret_basic', post: 'client_secret_post', private_key_jwt: 'private_key_jwt' } as const;

for (const registration of registrations) {
  const { clientAuth, algorithm, signedUserinfo } = registration;
  test(`a login, a call, a refresh and a logout with ${clientAuth} and ${algorithm}${signedUserinfo ? ', signed user data' : ''}`, async ({ together, visitor }) => {
    const peers = await together(registration);
    const { provider, server } = peers;
    expect(await enter(visitor, peers, password)).toMatchObject({ status: 200, body: { return_to: '/account' } });
    expect((await visitor.call(server.url, '/api/v1/session')).body).toMatchObject({
      authenticated: true,
      provider: 'python',
      user: { ...account, email_verified: true },
    });
    expect((await provider.seen()).grants).toEqual(['authorization_code']);

    // A call soon finds the token about to end and renews it; the next has no need to.
    const call = async () => {
      const answer = await visitor.call(server.url, '/api/v1/proxy/python/me');
      expect(answer).toEqual({ status: 200, body: { sub: account.sub, client: 'oauth2flow', cookie: null } });
      return (await provider.seen()).grants;
    };
    await expect.poll(call, { intervals: [100] }).toEqual(['authorization_code', 'refresh_token']);
    await call();
    const seen = await provider.seen();
    expect(seen.grants).toEqual(['authorization_code', 'refresh_token']);
    expect(seen.authentications).toEqual([authMethods[clientAuth], authMethods[clientAuth]]);
    expect(await Promise.all(seen.tokens.map((token) => provider.accepts(token)))).toEqual([401, 200]);

    const signedOut = await visitor.call<{ redirect_to: string }>(server.url, '/api/v1/oauth/logout', 'POST');
    expect(signedOut.status).toBe(200);
    expect((await visitor.call(server.url, '/api/v1/session')).body).toEqual({ authenticated: false });
    // The app takes its tokens back by itself, wherever the browser goes.
    await expect.poll(() => provider.accepts(seen.tokens.at(-1) ?? '')).toBe(401);
    expect((await provider.seen()).revocations[0]).toBe('refresh_token');
    const home = await visitor.go(signedOut.body.redirect_to, new URL(server.url));
    expect([home.status, home.url.href]).toEqual([200, `${server.url}/`]);
    expect((await provider.seen()).logouts).toEqual([account.sub]);
  });
}

test('a login that the provider refuses', async ({ together, visitor }) => {
  const peers = await together({ clientAuth: 'basic', algorithm: 'RS256', signedUserinfo: false });
  expect(await enter(visitor, peers, 'wrong')).toMatchObject({ status: 403, body: { code: 'access_denied' } });
  expect((await peers.provider.seen()).grants).toEqual([]);
});
