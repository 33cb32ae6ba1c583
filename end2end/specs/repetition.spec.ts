import { alice, codePosts, consent, enterCredentials, expectAccountPage, heading, loginPath, passProvider, session, signIn, statuses } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

// A browser repeats itself: two tabs, a reload, Back, a link from the history. None of it may cost a login or cause a second one.

for (const order of ['first', 'last'] as const) {
  test(`two tabs sign in at once, and the one started ${order} finishes first`, async ({ page, context }) => {
    const other = await context.newPage();
    await page.goto(loginPath('/account?tab=one'));
    await other.goto(loginPath('/account?tab=two'));
    for (const tab of order === 'first' ? [page, other] : [other, page]) {
      await passProvider(tab);
      await expectAccountPage(tab);
    }
    await expect(page).toHaveURL('/account?tab=one');
    await expect(other).toHaveURL('/account?tab=two');
    await Promise.all([page.reload(), other.reload()]);
    await expectAccountPage(page);
    await expectAccountPage(other);
  });
}

test('a reload while the code is on its way makes no second token request, and the login still counts', async ({ page, server }) => {
  const posts = codePosts(page);
  // The server gets the code, and the page never hears of it.
  const answered = new Promise<number>((resolve) => {
    void page.route('**/api/v1/oauth/code', async (route) => {
      const headers = { ...(await route.request().allHeaders()), origin: server.url };
      resolve((await route.fetch({ headers })).status());
    });
  });
  await page.goto(loginPath());
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  expect(await answered).toBe(200);
  await expect(heading(page, 'Finishing your sign-in')).toBeVisible();
  await expect(page.getByRole('status').filter({ hasText: 'One moment' })).toBeVisible();
  await expect(page).toHaveURL('/callback');

  // The page that was interrupted knows it, and waits for what it has begun.
  await page.reload();
  await expect(page.getByText(`Signed in as ${alice.name}`)).toBeVisible();
  expect(posts).toHaveLength(1);
  await page.goto('/account');
  await expectAccountPage(page);
});

test('a reload after the login stays signed in and posts nothing', async ({ page }) => {
  const posts = codePosts(page);
  await signIn(page);
  await page.reload();
  await expectAccountPage(page);
  expect(posts).toHaveLength(1);
});

test('Back after the login never posts the code again', async ({ page }) => {
  const posts = codePosts(page);
  await page.goto('/');
  await signIn(page);
  const depth = await page.evaluate(() => history.length);
  for (let step = 1; step < depth; step += 1) {
    await page.goBack();
    expect(new URL(page.url()).search).not.toMatch(/code=|state=/);
  }
  await page.goto('/account');
  await expectAccountPage(page);
  expect(posts).toHaveLength(1);
});

test.describe('a callback that is opened again', () => {
  test.use({ expectedConsole: /oauth\/code: Failed to load resource.* 4\d\d/ });

  test('goes on as signed in, and is refused by the server', async ({ page }) => {
    const posts = codePosts(page);
    const callback = page.waitForRequest((request) => new URL(request.url()).pathname === '/callback');
    await signIn(page);
    const address = (await callback).url();

    await page.goto(address);
    await expect(page.getByText(`Signed in as ${alice.name}`).or(heading(page, 'Your account'))).toBeVisible();
    await expect(page).not.toHaveURL(/code=|state=/);
    expect(await statuses(posts)).toEqual([200, 409]);
    expect(await session(page)).toMatchObject({ authenticated: true });
  });

  test('after signing out signs nobody in', async ({ page, server }) => {
    const callback = page.waitForRequest((request) => new URL(request.url()).pathname === '/callback');
    await signIn(page);
    const address = (await callback).url();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.waitForURL(`${server.url}/`);

    await page.goto(address);
    await expect(heading(page, 'This sign-in was not started in this browser')).toBeVisible();
    expect(await session(page)).toEqual({ authenticated: false });
  });
});

test('the account page is made for many readers at once', async ({ page, baseURL }) => {
  await signIn(page);
  const cookie = (await page.context().cookies(baseURL)).map(({ name, value }) => `${name}=${value}`).join('; ');
  const headers = { accept: 'text/html', cookie, 'sec-fetch-mode': 'navigate', 'sec-fetch-site': 'same-origin' };
  for (let round = 0; round < 10; round += 1) {
    const answers = await Promise.all(Array.from({ length: 25 }, () => fetch(`${baseURL}/account`, { headers })));
    expect(await Promise.all(answers.map(async (answer) => `${answer.status} ${(await answer.text()).slice(0, 15)}`))).toEqual(
      Array(25).fill('200 <!DOCTYPE html>'),
    );
  }
});
