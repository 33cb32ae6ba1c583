import { attempt, test } from '../fixtures/hostile-provider.ts';
import { heading, session } from '../fixtures/journey.ts';
import { expect } from '../fixtures/test.ts';

// A handful of the defects of docs/hostile-provider.md; the server's own tests try them all.

/** What a person reads, and what the provider may have been asked. */
const refused = [
  { defect: 'metadata-issuer-other', title: 'This app and the provider do not agree', asked: {} },
  { defect: 'response-iss-other', title: 'The answer came from the wrong provider', asked: { '/authorize': 1 } },
  { defect: 'response-state-other', title: 'This sign-in was not started in this browser', asked: { '/authorize': 1 } },
  { defect: 'token-html', title: "The provider’s answer makes no sense", asked: { '/authorize': 1, '/token': 1 } },
  { defect: 'id-token-nonce-other', title: "The provider’s proof of who you are is not valid", asked: { '/authorize': 1, '/jwks': 1, '/token': 1, '/revoke': 1 } },
  { defect: 'id-token-header-jku', title: "The provider’s proof of who you are is not valid", asked: { '/authorize': 1, '/jwks': 1, '/token': 1, '/revoke': 1 } },
] as const;

test.describe('a provider that does one thing wrong', () => {
  test.use({ expectedConsole: /oauth\/code: Failed to load resource/ });

  for (const { defect, title, asked } of refused) {
    test(`signs nobody in: ${defect}`, async ({ page, hostile }) => {
      const login = await hostile(defect);
      await attempt(page, login);
      await expect(heading(page, title)).toBeVisible();
      // What came with a proof that does not hold is given back, for which nobody waits.
      await expect
        .poll(async () => {
          const { '/.well-known/openid-configuration': _metadata, ...others } = await login.requests();
          return others;
        })
        .toEqual(asked);
      if ('/authorize' in asked) await expect(page).toHaveURL(`${login.server.url}/callback`);
      expect(await session(page)).toEqual({ authenticated: false });
    });
  }

  test('shows its words as words', async ({ page, hostile }) => {
    await attempt(page, await hostile('response-error-script'));
    await expect(heading(page, 'You cancelled the sign-in')).toBeVisible();
    await expect(page.getByText('<img src=x onerror=alert(1)><script>alert(2)</script>')).toBeVisible();
    await expect(page.locator('img[src="x"]')).toHaveCount(0);
  });
});

test('a name that is script is a name', async ({ page, hostile }) => {
  const login = await hostile('userinfo-script');
  await attempt(page, login);
  await expect(heading(page, 'Your account')).toBeVisible();
  await expect(page.locator('#identity')).toHaveText('<img src=x onerror=alert(1)><script>alert(2)</script>');
  await expect(page.locator('img[src="x"], img[src^="javascript"]')).toHaveCount(0);
  expect(await session(page)).toMatchObject({ authenticated: true });
});

test('a logout token for another client ends nothing', async ({ page, hostile }) => {
  const login = await hostile('logout-aud-other');
  await attempt(page, login);
  await expect(heading(page, 'Your account')).toBeVisible();
  expect(await login.postLogoutTokens()).toEqual([400]);
  await page.reload();
  await expect(heading(page, 'Your account')).toBeVisible();
  expect(await session(page)).toMatchObject({ authenticated: true });
});
