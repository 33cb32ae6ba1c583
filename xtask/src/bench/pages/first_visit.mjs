// node first_visit.mjs END2END CHROMIUM ADDRESS ROUNDS: visits a page as a newcomer with a slow device and connection, and prints as JSON
// what Chromium's own trace says of each visit.
import { createRequire } from "node:module";
import { resolve } from "node:path";

const [end2end, executablePath, address, rounds] = process.argv.slice(2);
const { chromium } = createRequire(resolve(end2end, "package.json"))("@playwright/test");
// "3G Fast" as WebPageTest defines it: 1.6 Mbit/s down, 768 kbit/s up, 150 ms there and back.
const CONNECTION = { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 768_000 / 8 };
const CPU_SLOWDOWN = 4;

// A link can be used as soon as it is on the screen: it leads to the server, whether the app runs or not.
function markTheLink() {
  const look = () => {
    const link = document.querySelector("a.sign-in-link");
    const painted = performance.getEntriesByType("paint").length > 0;
    if (link && painted && link.getBoundingClientRect().height > 0) performance.mark("sign-in-link");
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}

async function visit(browser) {
  const context = await browser.newContext({ viewport: { width: 412, height: 823 } });
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await session.send("Network.emulateNetworkConditions", CONNECTION);
  await session.send("Emulation.setCPUThrottlingRate", { rate: CPU_SLOWDOWN });
  await page.addInitScript(markTheLink);
  await browser.startTracing(page, { categories: ["loading", "blink.user_timing"] });
  await page.goto(address, { waitUntil: "networkidle" });
  const trace = JSON.parse((await browser.stopTracing()).toString());
  await context.close();
  return read(trace.traceEvents, address);
}

function read(events, address) {
  const start = events.find(({ name, args }) => name === "navigationStart" && args.data?.documentLoaderURL === address);
  const ofFrame = events.filter(({ args }) => (args.frame ?? args.data?.frame ?? start.args.frame) === start.args.frame);
  const at = (event) => event && (event.ts - start.ts) / 1000;
  const shifts = ofFrame.filter(({ name, args }) => name === "LayoutShift" && !args.data.had_recent_input);
  return {
    first_paint: at(ofFrame.find(({ name }) => name === "firstContentfulPaint")),
    largest_paint: at(ofFrame.findLast(({ name }) => name === "largestContentfulPaint::Candidate")),
    sign_in_link: at(events.find(({ name, ts }) => name === "sign-in-link" && ts > start.ts)),
    layout_shift: shifts.reduce((sum, { args }) => sum + args.data.score, 0),
  };
}

const browser = await chromium.launch({
  executablePath,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const visits = [];
  for (let round = 0; round < Number(rounds); round += 1) visits.push(await visit(browser));
  console.log(JSON.stringify(visits));
} finally {
  await browser.close();
}
