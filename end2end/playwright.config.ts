import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { defineConfig, devices } from '@playwright/test';
import type { Options } from './fixtures/test.ts';

const systemChromium = '/usr/bin/chromium';

/** `CHROMIUM_PATH`, else the system's Chromium, else the one that Playwright installed. */
const chromium = process.env['CHROMIUM_PATH'] ?? (existsSync(systemChromium) ? systemChromium : undefined);

// Pictures are taken on request only. Workers read this file too, without the arguments: they inherit the variable.
const onRequest = ['screenshots', 'recording', 'icons'];
const requested = onRequest.filter((name) => process.argv.some((argument) => argument === `--project=${name}`));
if (requested.length > 0) process.env['OAUTH2FLOW_PICTURES'] = requested.join();
const pictures = (process.env['OAUTH2FLOW_PICTURES'] ?? '').split(',').filter((name) => onRequest.includes(name));

const environment = Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => entry[1] !== undefined));

/** What is between the server and other people's providers is the same in both modes. */
const withoutBrowser = ['matrix.spec.ts', 'python-provider.spec.ts'];

/** What another browser might do otherwise: logins, sessions in several tabs and windows, and the X-ray. */
const inFirefox = ['flow.spec.ts', 'flow-failures.spec.ts', 'login.spec.ts', 'logout.spec.ts', 'relogin.spec.ts', 'sessions.spec.ts'];

/** `FIREFOX_PATH`, else the system's Firefox. */
const firefox = {
  ...devices['Desktop Firefox'],
  render: 'ssr' as const,
  channel: 'moz-firefox',
  // It is drawn with a style of Playwright's own, which the policy of a page does not allow there.
  screenshot: 'off' as const,
  launchOptions: { executablePath: resolve(import.meta.dirname, 'fixtures/firefox.mjs'), args: [], env: environment },
};

export default defineConfig<Options>({
  testDir: 'specs',
  fullyParallel: true,
  workers: 2,
  forbidOnly: process.env['CI'] !== undefined,
  // Generous, for a machine that is busy with other things; nothing waits for them but a failure.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  // One for both modes: a page is the same in both.
  snapshotPathTemplate: '{testDir}/../snapshots/{arg}{ext}',
  // Only `cargo xtask snapshots` makes new ones.
  updateSnapshots: 'none',
  // A test that passes only at the second try is named in the summary of `cargo xtask test`.
  retries: 1,
  reporter: [['list'], ['html', { open: 'never' }]],
  use: {
    ...devices['Desktop Chrome'],
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(chromium === undefined ? {} : { executablePath: chromium }),
      env: { ...environment, FONTCONFIG_FILE: resolve(import.meta.dirname, 'fixtures/fonts.conf') },
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
  projects: [
    // Without script there is only what the server renders.
    { name: 'spa', use: { render: 'spa' }, testIgnore: [...withoutBrowser, 'noscript.spec.ts'] },
    { name: 'ssr', use: { render: 'ssr' }, testIgnore: withoutBrowser },
    { name: 'firefox', testMatch: inFirefox, use: firefox },
    { name: 'peers', testMatch: withoutBrowser },
    ...pictures.map((name) => ({ name, testMatch: `${name}.ts`, use: { render: 'ssr' as const } })),
  ],
});
