import {
  alice, codePosts, consent, detail, enterCredentials, expectAccountPage, heading, loginPath, session, settle, signIn, statuses, visit,
} from '../fixtures/journey.ts';
import { tenProviders } from '../fixtures/states.ts';
import { expect, test } from '../fixtures/test.ts';

test('a newcomer signs in, lands on the account page and calls the API', async ({ page }) => {
  const posts = codePosts(page);
  await visit(page, '/');
  await expect(heading(page, 'Sign in, and see how it works')).toBeVisible();
  await page.getByRole('main').getByRole('link', { name: 'Sign in with Demo' }).first().click();
  await enterCredentials(page, alice);
  await consent(page, 'Allow');

  await expectAccountPage(page);
  await expect(page).toHaveURL('/account');
  expect(await statuses(posts)).toEqual([200]);

  await expect(page.locator('#identity')).toHaveText(alice.name);
  await expect(detail(page, 'Username')).toHaveText(alice.login);
  await expect(detail(page, 'Email')).toContainText(alice.email);
  await expect(detail(page, 'Provider')).toHaveText('Demo');
  await expect(detail(page, 'Identifier')).not.toBeEmpty();
  await expect(detail(page, 'Permissions')).toContainText('openid');
  for (const term of ['If you do nothing', 'At most', 'Access token']) {
    await expect(detail(page, term).locator('time')).toHaveText(/\d/);
  }

  await visit(page, '/');
  await expect(page.getByText(`Signed in as ${alice.name}`)).toBeVisible();
  await page.getByRole('link', { name: 'Open your account' }).click();
  await expectAccountPage(page);
});

test('a note written through the proxy is there after a reload', async ({ page }, { testId, retry }) => {
  const text = `Water the plants ${testId}-${retry}`;
  await page.goto(loginPath());
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  await expectAccountPage(page);
  await page.getByRole('textbox', { name: 'New note' }).fill(text);
  await page.getByRole('button', { name: 'Add note' }).click();
  const note = page.getByRole('list', { name: 'Notes' }).getByRole('listitem').filter({ hasText: text });
  await expect(note).toHaveCount(1);
  await expect(page.getByRole('textbox', { name: 'New note' })).toHaveValue('');
  await page.reload();
  await expect(note).toHaveCount(1);
});

test('the page that the user was going to is kept, with its query and its fragment', async ({ page }) => {
  await page.goto(loginPath('/account?tab=notes&empty=#Your%20notes'));
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  await expectAccountPage(page);
  const { pathname, search, hash } = new URL(page.url());
  expect({ pathname, search, hash }).toEqual({ pathname: '/account', search: '?tab=notes&empty=', hash: '#Your%20notes' });
});

test('the account page of somebody signed out offers to sign in and comes back', async ({ page }) => {
  await visit(page, '/account');
  await expect(heading(page, 'Sign in to see your account')).toBeVisible();
  await page.getByRole('link', { name: 'Sign in with Demo' }).click();
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  await expectAccountPage(page);
  await expect(page).toHaveURL('/account');
});

test('whoever comes by a link from another site is still signed in', async ({ page, server }) => {
  await signIn(page);
  await page.goto(`${server.demoProviderUrl}/`);
  // Such a navigation carries no SameSite=Strict cookie; the page has to find out by itself.
  await page.evaluate((address) => location.assign(address), `${server.url}/account`);
  await expectAccountPage(page);
});

test.describe('a login that is not allowed', () => {
  test.use({ expectedConsole: /oauth\/code: Failed to load resource/ });

  test('denied consent shows the problem page, signs nobody in, and the next try works', async ({ page }) => {
    await page.goto(loginPath());
    await enterCredentials(page, alice);
    await consent(page, 'Deny');
    await expect(heading(page, 'You cancelled the sign-in')).toBeVisible();
    await expect(page.getByText(/Request ID: \S+/)).toBeVisible();
    await expect(page).not.toHaveURL(/state=|error=|iss=/);
    expect(await session(page)).toEqual({ authenticated: false });

    await signIn(page);
  });
});

test('a wrong password is refused in words, and the right one then works', async ({ page }) => {
  await page.goto(loginPath());
  await enterCredentials(page, alice, 'wrong');
  await expect(page.getByRole('alert')).toHaveText('That username and password do not match.');
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  await expectAccountPage(page);
});

test('where there are several providers, the one that was used last is found again', async ({ page, launch }) => {
  const server = await launch({ config: () => `[demo]\nenabled = true\n${tenProviders}` });
  const links = page.getByRole('main').getByRole('link', { name: /^Sign in with / });
  await visit(page, server.url);
  await expect(links).toHaveCount(11);
  await expect(links.filter({ hasText: 'Last used' })).toHaveCount(0);

  await page.getByRole('main').getByRole('link', { name: 'Sign in with Demo' }).click();
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  await expectAccountPage(page);
  // What the page has not asked for by then would be refused.
  await settle(page);
  for (const name of ['Notes', 'Sessions']) await expect(page.getByRole('list', { name })).toBeAttached();
  await page.context().clearCookies();
  await page.goto(server.url);
  await expect(links.filter({ hasText: 'Last used' })).toHaveText('Sign in with Demo Last used');
  expect(await page.evaluate(() => ({ ...localStorage }))).toEqual({ 'oauth2flow provider': 'demo' });
});
