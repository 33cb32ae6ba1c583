import { alice, bob, callUpstream, consent, enterCredentials, expectAccountPage, heading, loginPath, passProvider, session, signIn } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

// Pages that are open while the server is away report it, each in the words of the moment at which it was cut off, and the
// browser may send such a request again: the new process then knows that its code has been used.
test.use({ expectedConsole: /net::ERR_|TypeError: Failed to fetch|oauth\/code: Failed to load resource.* 409/ });

test('a session outlives the server, and so does the token behind it', async ({ launch, stranger }) => {
  const server = await launch();
  const page = await stranger(server.url);
  await signIn(page);
  await server.kill();
  await server.resume();

  await page.goto('/account');
  await expectAccountPage(page);
  expect(await callUpstream(page, 'notes')).toMatchObject({ status: 200 });
});

test('killed in the middle of logins, the server loses nobody who was signed in', async ({ launch, stranger }) => {
  // Seven browsers at a time.
  test.slow();
  const server = await launch();
  const signedIn = await Promise.all(
    [alice, bob, alice].map(async (account) => {
      const page = await stranger(server.url);
      await signIn(page, account);
      return { page, account };
    }),
  );
  // Four logins under way, each at another point.
  const started = await stranger(server.url);
  await started.goto(loginPath());
  const consenting = await stranger(server.url);
  await consenting.goto(loginPath());
  await enterCredentials(consenting, alice);
  await expect(heading(consenting, 'oauth2flow would like to')).toBeVisible();
  const finishing = await Promise.all(
    [alice, bob].map(async (account) => {
      const page = await stranger(server.url);
      await page.goto(loginPath());
      await enterCredentials(page, account);
      await expect(heading(page, 'oauth2flow would like to')).toBeVisible();
      return [page, account] as const;
    }),
  );
  const posted = finishing.map(([page]) => page.waitForRequest('**/api/v1/oauth/code'));
  await Promise.all(finishing.map(([page]) => consent(page, 'Allow')));
  await Promise.all(posted);
  await server.kill();
  await server.resume();

  for (const { page, account } of signedIn) {
    await page.goto('/account');
    await expectAccountPage(page, account);
    expect(await session(page)).toMatchObject({ authenticated: true, user: { login: account.login } });
  }
  // Whoever was cut off can sign in anew, with whatever cookies the attempt has left behind. In another tab: the first one
  // may be about to go somewhere itself.
  for (const [page, account] of [[started, alice], [consenting, alice], ...finishing] as const) {
    const again = await page.context().newPage();
    await again.goto(loginPath());
    await passProvider(again, account);
    await expectAccountPage(again, account);
  }
  // What they end with is searched for secrets, too; on its way there, such a page has the answer in its form for browsers without a script.
  for (const [page] of finishing) await expect(heading(page, 'Finishing your sign-in')).toHaveCount(0);
});
