import { type Combination, demandsNonces, describe, matrix, nameOf, signedRequests } from '../fixtures/combination.ts';
import { account, type Client } from '../fixtures/foreign-provider.ts';
import { expect, type Peers, test } from '../fixtures/peers.ts';
import type { Answer } from '../fixtures/resource-server.ts';
import type { Visitor } from '../fixtures/visitor.ts';

// Every way to talk to `oidc-provider`, which is certified by the OpenID Foundation and shares no code with this project:
// login, call, refresh and logout, and what the provider has seen of them.

/** From the click to the session. */
async function signIn(visitor: Visitor, { server }: Peers, combination: Combination): Promise<void> {
  const login = new URLSearchParams({ provider: nameOf(combination), return_to: '/account' });
  const interaction = await visitor.go(`${server.url}/api/v1/oauth/login?${login}`, new URL(server.url));
  expect(interaction.body).toContain('Foreign provider');
  const answer = await visitor.submit(interaction, { account: account.preferred_username });
  if (combination.responseMode === 'form_post') {
    expect(answer.url.origin, 'the provider answers with a page that posts').not.toBe(server.url);
    const arrived = await visitor.submit(answer);
    expect(arrived.url.href, arrived.body).toBe(`${server.url}/account`);
  } else {
    expect([answer.status, answer.url.pathname]).toEqual([200, '/callback']);
    const parameters = Object.fromEntries(answer.url.searchParams);
    expect(Object.keys(parameters).sort()).toEqual(combination.responseMode === 'jwt' ? ['response'] : ['code', 'iss', 'state']);
    const completed = await visitor.call(server.url, '/api/v1/oauth/code', 'POST', parameters);
    expect(completed).toMatchObject({ status: 200, body: { return_to: '/account' } });
  }
}

async function session(visitor: Visitor, { server }: Peers): Promise<object> {
  return (await visitor.call<object>(server.url, '/api/v1/session')).body;
}

/** Out of the app; the answer is where to go on. */
async function signOut(visitor: Visitor, { server }: Peers): Promise<string> {
  const { status, body } = await visitor.call<{ redirect_to: string }>(server.url, '/api/v1/oauth/logout', 'POST');
  expect(status).toBe(200);
  return body.redirect_to;
}

/** What a combination looks like from the provider's side. */
function expectCombination(client: Client, combination: Combination): void {
  const { clientAuth, par, requestObject = false, algorithm } = combination;
  const authenticated = ['pushed_authorization_request', 'token', 'revocation'].flatMap((endpoint) => client.visitsOf(endpoint));
  expect(new Set(authenticated.map(({ authentication }) => authentication))).toEqual(new Set([clientAuth]));

  const pushes = client.visitsOf('pushed_authorization_request').filter(({ status }) => status === 201);
  expect(pushes).toHaveLength(par ? 1 : 0);
  const [authorization] = client.visitsOf('authorization');
  const names = new Set(authorization?.parameters);
  if (par) {
    expect(names, 'the browser carries a reference only').toEqual(new Set(['client_id', 'request_uri']));
  } else if (requestObject) {
    expect(names).toContain('request');
    expect(names).not.toContain('code_challenge');
  } else {
    expect([...names]).toEqual(expect.arrayContaining(['code_challenge', 'nonce', 'redirect_uri', 'state']));
  }
  if (par && requestObject) expect(pushes[0]?.parameters).toContain('request');

  // The nonce of the token endpoint is known from an earlier login, unless this is the first.
  const refused = client.visitsOf('token').filter(({ status }) => status !== 200);
  expect(refused.filter(({ status }) => !demandsNonces(combination) || status !== 400)).toEqual([]);

  const signatures = client.idTokens.map((token) => JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()).alg);
  expect(signatures).toEqual([algorithm, algorithm]);
}

for (const combination of [...matrix, ...signedRequests]) {
  test(describe(combination), async ({ peers, visitor }) => {
    const { provider, server } = peers;
    const client = provider.client(nameOf(combination));
    await signIn(visitor, peers, combination);
    expect(await session(visitor, peers)).toMatchObject({
      authenticated: true,
      provider: nameOf(combination),
      user: { sub: account.sub, name: account.name, email: account.email },
    });
    expect(client.grants).toEqual(['authorization_code']);

    // A call soon finds the token about to end and renews it; the next has no need to.
    const expected = { sub: account.sub, scheme: combination.dpop ? 'DPoP' : 'Bearer', client: nameOf(combination), cookie: null } as const;
    const call = async () => {
      expect(await visitor.call<Answer>(server.url, '/api/v1/proxy/foreign/me')).toEqual({ status: 200, body: expected });
      return client.grants;
    };
    await expect.poll(call, { intervals: [100] }).toEqual(['authorization_code', 'refresh_token']);
    expect(await call()).toEqual(['authorization_code', 'refresh_token']);

    const tokens = [client.accessTokens.at(-1), client.refreshTokens.at(-1)].map(String);
    for (const token of tokens) {
      const introspection = await provider.introspect(token);
      expect(introspection.active).toBe(true);
      // A token of a client that has a secret is bound by that; only the access token carries a key.
      if (token === tokens[0]) expect(introspection.cnf?.jkt !== undefined).toBe(combination.dpop);
    }

    // Whoever gets hold of a bound token can do nothing with it.
    const thief = await fetch(`${provider.issuer}/resource/me`, { headers: { authorization: `Bearer ${tokens[0]}` } });
    expect(thief.status).toBe(combination.dpop ? 401 : 200);

    const onwards = await signOut(visitor, peers);
    expect(await session(visitor, peers)).toEqual({ authenticated: false });
    expect((await visitor.call(server.url, '/api/v1/proxy/foreign/me')).status).toBe(401);
    // The app takes its tokens back by itself, wherever the browser goes.
    const active = async () => (await Promise.all(tokens.map(provider.introspect))).map((introspection) => introspection.active);
    await expect.poll(active).toEqual([false, false]);
    const question = await visitor.go(onwards, new URL(server.url));
    expect(question.body).toContain('Sign out of the foreign provider');
    const home = await visitor.submit(question, { logout: 'yes' });
    expect([home.status, home.url.href]).toEqual([200, `${server.url}/`]);

    expectCombination(client, combination);
    expect(provider.noncesDemanded(nameOf(combination))).toBe(demandsNonces(combination) ? 1 : 0);
  });
}
