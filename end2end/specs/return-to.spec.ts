import { alice, consent, enterCredentials, loginPath } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

// Where an attacker's link could send a user who has just signed in, as browsers and URL libraries read it.
const payloads = [
  'https://evil.example/',
  '//evil.example',
  '///evil.example',
  '////evil.example/%2e%2e',
  '/\\evil.example',
  '\\\\evil.example',
  '/\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\nLocation: https://evil.example/',
  '/%2fevil.example',
  '/%5cevil.example',
  '/%09/evil.example',
  '/.//evil.example',
  '/account/..//evil.example',
  'https:evil.example',
  'javascript:alert(document.domain)',
  'data:text/html,<script>alert(1)</script>',
  '@evil.example',
  '.evil.example',
  ':80@evil.example/',
  ' https://evil.example',
  '\u0000//evil.example',
  'http://localhost@evil.example/',
];

for (const payload of payloads) {
  test(`return_to=${JSON.stringify(payload)} stays in the app`, async ({ page, server }) => {
    const visited = new Set<string>();
    page.on('request', (request) => {
      if (request.isNavigationRequest()) visited.add(new URL(request.url()).origin);
    });
    page.on('dialog', (dialog) => {
      visited.add(`a dialog saying ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(loginPath(payload));
    if (new URL(page.url()).origin === server.demoProviderUrl) {
      await enterCredentials(page, alice);
      await consent(page, 'Allow');
      await page.waitForURL((url) => url.origin === server.url && url.pathname !== '/callback');
    }
    await expect(page.getByRole('link', { name: 'oauth2flow', exact: true })).toBeVisible();
    expect([...visited].filter((origin) => origin !== server.url && origin !== server.demoProviderUrl)).toEqual([]);
    expect(new URL(page.url()).origin).toBe(server.url);
  });
}
