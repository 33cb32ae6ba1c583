import type { Locator } from '@playwright/test';
import { attempt, test } from '../fixtures/hostile-provider.ts';
import { heading, session } from '../fixtures/journey.ts';
import { expect } from '../fixtures/test.ts';

// Logins that fail, each in another way: the X-ray is open at the message where it happened, and says at which check, and why.

interface Failure {
  /** What the provider does wrong: `docs/hostile-provider.md`. */
  readonly defect: string;
  /** What the person reads first. */
  readonly title: string;
  /** Who does what in the message at which it fails. */
  readonly message: string;
  /** What does not hold. */
  readonly check: string;
  /** What was wrong with it. */
  readonly reason: string;
  /** How the checks after it came out. */
  readonly afterwards?: string;
}

const failures: readonly Failure[] = [
  {
    defect: 'metadata-issuer-other',
    title: 'This app and the provider do not agree',
    message: 'describes itself',
    check: "The metadata are the configured provider’s",
    reason: 'the metadata names another issuer than the configuration',
  },
  {
    defect: 'response-error-script',
    title: 'You cancelled the sign-in',
    message: 'hands the answer to the backend',
    check: 'The provider has not answered with an error',
    reason: 'the provider answered access_denied',
    // It is an answer all the same, and there is only one.
    afterwards: 'passed',
  },
  {
    defect: 'response-iss-other',
    title: 'The answer came from the wrong provider',
    message: 'hands the answer to the backend',
    check: 'The answer names the right provider (iss)',
    reason: 'the response comes from another issuer',
  },
  {
    defect: 'response-code-twice',
    title: 'This request could not be read',
    message: 'hands the answer to the backend',
    check: 'Each parameter is there once, in a sensible length',
    reason: 'the parameter code is repeated',
  },
  {
    defect: 'token-html',
    title: "The provider’s answer makes no sense",
    message: 'answers with the tokens',
    check: 'The answer can be read',
    reason: 'the token response is not JSON',
  },
  {
    defect: 'id-token-nonce-other',
    title: "The provider’s proof of who you are is not valid",
    message: 'answers with the tokens',
    check: 'Its nonce is the one that was sent',
    reason: "the ID token's nonce is not the one that was sent",
  },
  {
    defect: 'id-token-signature-bad-es256',
    title: "The provider’s proof of who you are is not valid",
    message: 'answers with the tokens',
    check: 'Its signature is valid',
    reason: "the token's signature does not hold",
  },
  {
    defect: 'userinfo-sub-other',
    title: "The provider’s answer makes no sense",
    message: 'tells who the user is',
    check: 'It is about the user of the ID token',
    reason: 'the description is of another user than the ID token',
  },
];

/** How the checks of a message came out, in their order. */
async function verdicts(message: Locator): Promise<(string | null)[]> {
  return message.locator('.check .verdict').allTextContents();
}

test.describe('a login that fails', () => {
  test.use({ expectedConsole: /oauth\/code: Failed to load resource/ });

  for (const { defect, title, message, check, reason, afterwards = 'not reached' } of failures) {
    test(`shows where and why: ${defect}`, async ({ page, hostile }) => {
      const login = await hostile(defect);
      await attempt(page, login);
      await expect(heading(page, title)).toBeVisible();

      await page.goto(`${login.server.url}/flow`);
      await expect(heading(page, title)).toBeVisible();
      const all = page.locator('details[id^="message-"]');
      const guilty = all.and(page.locator('[open]'));
      await expect(guilty).toHaveCount(1);
      await expect(guilty.locator('summary')).toBeFocused();
      await expect(guilty.locator('summary')).toContainText(`${message} failed here`);
      await expect(page.getByText('failed here', { exact: true })).toHaveCount(1);

      // One check has failed; those before it have not.
      const failed = guilty.getByRole('listitem').filter({ has: page.getByText('failed', { exact: true }) });
      await expect(failed).toHaveCount(1);
      await expect(failed.getByRole('paragraph').first()).toHaveText(`${check} failed: ${reason}`);
      const found = await verdicts(guilty);
      const place = found.indexOf('failed');
      expect(found.slice(0, place).filter((verdict) => verdict !== 'passed' && verdict !== 'did not apply')).toEqual([]);
      expect(found.slice(place + 1).filter((verdict) => verdict !== afterwards)).toEqual([]);
      await expect(page.locator('.check.failed')).toHaveCount(1);

      // The same in words, and the way to the message from there.
      const number = (await guilty.getAttribute('id'))?.replace('message-', '') ?? '';
      await expect(page.getByRole('main').getByRole('status').filter({ hasText: `It failed at message ${number}` })).toHaveCount(1);
      const outcome = page.getByRole('region', { name: 'The same in words' }).getByText('Not signed in with Hostile');
      await expect(outcome).toContainText(new RegExp(`: it failed at message ${number} after .*, 1 failed`));
      await expect(page.locator('.sentences li', { hasText: `Failed: ${check} – ${reason}.` })).toHaveCount(1);
      await guilty.locator('summary').press('Enter');
      await expect(guilty).toHaveCount(0);
      await page.getByRole('link', { name: `message ${number}`, exact: true }).first().click();
      await expect(guilty).toHaveAttribute('id', `message-${number}`);

      await expect(page.getByRole('link', { name: 'Sign in with Hostile again' })).toBeVisible();
      expect(await session(page)).toEqual({ authenticated: false });
    });
  }
});
