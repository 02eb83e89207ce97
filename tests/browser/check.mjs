// Checks report pages in headless Chromium. Each page, at two widths and in both colour schemes:
//   one request and nothing on the console (so the Content-Security-Policy is kept too),
//   no scrolling to the side,
//   no violation that axe-core knows;
// and no more than MOST_BYTES bytes (by default 150,000).
// Names from the data must be text: a page has no script, image, frame, form or link out of it.
// MODULES is where playwright-core and axe-core are, CHROMIUM the browser, SCREENSHOTS a folder for pictures.

import { createServer } from "node:http";
import { mkdir, readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

const MOST_BYTES = Number(process.env.MOST_BYTES ?? 150_000);
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

/** Everything axe knows; in the dark only what colours can break. */
const axeViolations = async (scheme) => {
  const runOnly = scheme === "dark" ? ["color-contrast"] : undefined;
  const { violations } = await window.axe.run(document, { resultTypes: ["violations"], preload: false, runOnly });
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.failureSummary}`));
};

async function check(browser, file) {
  const body = await readFile(file);
  const name = basename(file, ".html");
  const faults = [];
  if (body.length >= MOST_BYTES) faults.push(`${body.length} bytes`);
  const { server, requests, url } = await serve(body);
  const context = await browser.newContext();
  const page = await context.newPage();
  page.on("console", (message) => faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`page error: ${error.message}`));
  page.on("request", (request) => request.url() === url || faults.push(`asked for ${request.url()}`));

  await page.goto(url, { waitUntil: "load" });
  // The page's policy forbids scripts, but not the debugger's.
  await page.evaluate(axe);
  faults.push(...(await page.evaluate(actors)).map((what) => `not text: ${what}`));
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    for (const colorScheme of SCHEMES) {
      await page.emulateMedia({ media: "screen", colorScheme });
      const at = `${width} px, ${colorScheme}`;
      faults.push(...(await page.evaluate(overflowing)).map((what) => `${at}: too wide: ${what}`));
      faults.push(...(await page.evaluate(axeViolations, colorScheme)).map((what) => `${at}: axe: ${what}`));
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
