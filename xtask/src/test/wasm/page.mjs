// node page.mjs DIRECTORY END2END CHROMIUM [FILTER…]: runs a module's tests in a page.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { extname, join, resolve } from "node:path";

const [directory, end2end, executablePath, ...filters] = process.argv.slice(2);
const { chromium } = createRequire(resolve(end2end, "package.json"))("@playwright/test");
const CONTENT_TYPES = { ".mjs": "text/javascript", ".js": "text/javascript", ".wasm": "application/wasm" };
// The test runtime writes into the element "output".
const PAGE = '<!doctype html><html lang="en"><title>tests</title><body><pre id="output"></pre>';

const browser = await chromium.launch({
  executablePath,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await browser.newPage();
  const errors = [];
  page.on("pageerror", (error) => errors.push(String(error)));
  // No server is needed: every request of the page is answered here.
  await page.route("**", async (route) => {
    const { pathname } = new URL(route.request().url());
    const contentType = CONTENT_TYPES[extname(pathname)];
    if (pathname === "/") return route.fulfill({ contentType: "text/html", body: PAGE });
    if (contentType === undefined) return route.fulfill({ status: 404, body: "" });
    return route.fulfill({ contentType, body: await readFile(join(directory, pathname)) });
  });
  await page.goto("http://localhost/");
  const passed = await page.evaluate(async (wanted) => {
    const { runTests } = await import("/tests.mjs");
    return runTests("/module.wasm", wanted, () => {});
  }, filters);
  console.log(await page.locator("#output").textContent());
  for (const error of errors) console.log(error);
  process.exitCode = passed ? 0 : 1;
} finally {
  await browser.close();
}
