import { alice, consent, enterCredentials, expectAccountPage, heading } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

test.use({ javaScriptEnabled: false });

test('without script a user signs in, sees the account with its notes, and signs out', async ({ page, context }) => {
  await page.goto('/');
  await page.getByRole('main').getByRole('link', { name: 'Sign in with Demo' }).first().click();
  await enterCredentials(page, alice);
  await consent(page, 'Allow');
  await expect(heading(page, 'Finishing your sign-in')).toBeVisible();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.goto('/account');
  await expectAccountPage(page);
  await expect(page.getByRole('list', { name: 'Notes' })).toBeVisible();
  await page.getByRole('button', { name: 'Sign out', exact: true }).click();
  await expect(heading(page, 'Sign in, and see how it works')).toBeVisible();
  await page.goto('/account');
  await expect(heading(page, 'Sign in to see your account')).toBeVisible();
  expect((await context.cookies()).filter(({ name }) => name === 'session')).toEqual([]);
});

test('without script the account page offers the way in', async ({ page }) => {
  await page.goto('/account');
  await expect(heading(page, 'Sign in to see your account')).toBeVisible();
  await page.getByRole('link', { name: 'Sign in with Demo' }).click();
  await expect(heading(page, 'Sign in to Demo')).toBeVisible();
});

test('without script a denied consent is a problem page', async ({ page }) => {
  await page.goto('/');
  await page.getByRole('main').getByRole('link', { name: 'Sign in with Demo' }).first().click();
  await enterCredentials(page, alice);
  await consent(page, 'Deny');
  const form = page.getByRole('button', { name: 'Continue' });
  await form.or(heading(page, 'You cancelled the sign-in')).first().waitFor();
  if (await form.isVisible()) await form.click();
  await expect(heading(page, 'You cancelled the sign-in')).toBeVisible();
});

test('without script an unknown provider and a missing page say so', async ({ page }) => {
  await page.goto('/api/v1/oauth/login?provider=nobody');
  await expect(heading(page, 'There is no such way to sign in')).toBeVisible();
  await page.goto('/no/such/page');
  await expect(heading(page, 'There is nothing here')).toBeVisible();
});
