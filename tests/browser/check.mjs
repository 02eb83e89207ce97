// Checks report pages in headless Chromium. Each page, at two widths and in both colour schemes:
//   one request and nothing on the console (so the Content-Security-Policy is kept too),
//   no scrolling to the side,
//   no violation that axe-core knows.
// Names from the data must be text: a page has no script, image, frame, form or link out of it.
// MODULES is where playwright-core and axe-core are, CHROMIUM the browser, SCREENSHOTS a folder for pictures.

import { createServer } from "node:http";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const MOST_BYTES = 150_000;
const WIDTHS = [390, 1280];
const SCHEMES = ["light", "dark"];

const modules = createRequire(join(process.env.MODULES, "package.json"));
const { chromium } = modules("playwright-core");
const axe = await readFile(modules.resolve("axe-core/axe.min.js"), "utf8");
const screenshots = process.env.SCREENSHOTS;

/** Serves one page on the loopback; a browser that asks for anything else gets 404 and is found out. */
async function serve(body) {
  const requests = [];
  const server = createServer((request, response) => {
    requests.push(request.url);
    const found = request.url === "/report.html";
    response.writeHead(found ? 200 : 404, { "content-type": "text/html; charset=utf-8" });
    response.end(found ? body : "");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { server, requests, url: `http://127.0.0.1:${server.address().port}/report.html` };
}

/** What of a loaded page could act, or lead away from it. */
const actors = () => {
  const found = [...document.querySelectorAll("script, img, iframe, object, embed, form, base, foreignObject")].map((e) => e.tagName);
  for (const element of document.querySelectorAll("*")) {
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on") || name === "style") found.push(`${element.tagName} ${name}`);
      if (/href$/.test(name) && !/^(#|data:image\/svg\+xml,)/.test(value)) found.push(`${name}=${value}`);
    }
  }
  return found;
};

/** Elements that reach beyond the window and are not in a box that scrolls. */
const overflowing = () => {
  const room = document.documentElement.clientWidth;
  const scrolls = (e) => e && (["auto", "scroll", "hidden"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  const wide = [...document.body.querySelectorAll("*")].filter(
    (e) => e.getBoundingClientRect().right > room + 1 && !e.closest("svg *") && !scrolls(e.parentElement),
  );
  const names = wide.map((e) => `${e.tagName}.${e.className}`);
  return document.documentElement.scrollWidth > room ? [`page ${document.documentElement.scrollWidth} px`, ...names] : names;
};

const axeViolations = async (source) => {
  window.eval(source);
  const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.failureSummary}`));
};

async function check(browser, file) {
  const body = await readFile(file);
  const name = basename(file, ".html");
  const faults = [];
  // Only the main example promises a size: a large graph has more to show.
  if (process.env.ANY_SIZE === undefined && body.length >= MOST_BYTES) faults.push(`${body.length} bytes`);
  const { server, requests, url } = await serve(body);
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on("console", (message) => faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("request", (request) => request.url() === url || faults.push(`asked for ${request.url()}`));

  await page.goto(url, { waitUntil: "load" });
  faults.push(...(await page.evaluate(actors)).map((what) => `not text: ${what}`));
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ media: "screen", colorScheme });
      const at = `${width} px, ${colorScheme}`;
      faults.push(...(await page.evaluate(overflowing)).map((what) => `${at}: too wide: ${what}`));
      if (screenshots) await page.screenshot({ path: join(screenshots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  }
  if (screenshots) {
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await page.setViewportSize({ width: 688, height: 972 });
    await page.screenshot({ path: join(screenshots, `${name}-print.png`), fullPage: true });
    await page.pdf({ path: join(screenshots, `${name}.pdf`), format: "A4", preferCSSPageSize: true });
  }
  if (requests.length !== 1) faults.push(`requests: ${requests.join(", ")}`);
  await context.close();

  // axe is injected as a script, which the page's own policy forbids: a second context goes without the policy.
  const lax = await browser.newContext({ bypassCSP: true });
  const inspected = await lax.newPage();
  await inspected.goto(url);
  for (const width of WIDTHS) {
    await inspected.setViewportSize({ width, height: 900 });
    for (const colorScheme of SCHEMES) {
      await inspected.emulateMedia({ colorScheme });
      const violations = await inspected.evaluate(axeViolations, axe);
      faults.push(...violations.map((what) => `${width} px, ${colorScheme}: axe: ${what}`));
    }
  }
  await lax.close();
  server.close();
  return faults;
}

if (screenshots) await mkdir(screenshots, { recursive: true });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
let failed = false;
for (const file of process.argv.slice(2)) {
  const faults = await check(browser, file);
  failed ||= faults.length > 0;
  console.log(`${faults.length ? "not ok" : "ok"} ${file}`);
  for (const fault of faults) console.log(`  ${fault}`);
}
await browser.close();
process.exit(failed ? 1 : 0);
