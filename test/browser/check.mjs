// Looks at the status page as people do: on a desktop and a phone, in light and dark, with a keyboard,
// without JavaScript, and with the rules of axe-core. Standard input says where, and what there is to see.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const expected = JSON.parse(readFileSync(0, "utf8"));
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const desktop = { width: 1280, height: 900 }, phone = { width: 400, height: 860 };
const targetURL = new URL("/targets/" + encodeURIComponent(expected.target), expected.url).href;
let checks = 0, current = "start";

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

function must(fact, words) {
  checks++;
  if (!fact) throw new Error(words);
}

const same = (got, want, words) => must(got === want, `${words}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`);

// visit opens a page and fails on whatever the browser complains of while it is looked at.
async function visit(name, url, options, look) {
  current = name;
  const httpCredentials = expected.username ? { username: expected.username, password: expected.password } : undefined;
  const context = await browser.newContext({ viewport: desktop, reducedMotion: "reduce", httpCredentials, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on("console", message => { if (message.type() !== "log" && message.type() !== "info") complaints.push(message.text()); });
  page.on("pageerror", error => complaints.push(String(error)));
  page.on("response", answer => { if (answer.status() >= 400) complaints.push(`${answer.status()} ${answer.url()}`); });
  page.on("request", request => { if (!request.url().startsWith(expected.url)) complaints.push("asks elsewhere: " + request.url()); });
  await page.goto(url, { waitUntil: "load" });
  await look(page, complaints, context);
  same(complaints.join("\n"), "", "the browser complains");
  await context.close();
  console.log(`browser: ${name}`);
}

// picture shows the beginning of a page.
async function picture(page, name) {
  if (!expected.screenshots) return;
  const { width, height } = await page.evaluate(() => ({ width: innerWidth, height: Math.min(document.body.scrollHeight, innerWidth * 1.9) }));
  await page.screenshot({ path: join(expected.screenshots, name + ".png"), fullPage: true, clip: { x: 0, y: 0, width, height } });
}

// accessible runs axe in a world of its own, where the page's policy does not reach.
async function accessible(page) {
  const session = await page.context().newCDPSession(page);
  const { frameTree } = await session.send("Page.getFrameTree");
  const { executionContextId: contextId } = await session.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id });
  await session.send("Runtime.evaluate", { contextId, expression: axe });
  const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
    contextId, awaitPromise: true, returnByValue: true,
    expression: `axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }).then(r => ({
      passes: r.passes.length, violations: r.violations.map(v => v.id + ": " + v.help + "\\n" + v.nodes.slice(0, 5).map(n => "    " + n.html.slice(0, 200) + " " + n.failureSummary).join("\\n")) }))`,
  });
  must(!exceptionDetails, "axe fails: " + JSON.stringify(exceptionDetails));
  must(result.value.passes > 20, `axe looked at ${result.value.passes} rules only`);
  same(result.value.violations.join("\n"), "", "axe");
}

async function openAll(page) {
  await page.evaluate(() => document.querySelectorAll("details").forEach(details => { details.open = true; }));
}

// fits fails when something is wider than the window.
async function fits(page, width) {
  await page.setViewportSize({ width, height: 860 });
  const wide = await page.evaluate(() => {
    const window = document.documentElement.clientWidth;
    const beyond = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > window + 1 && !e.closest(".away, .skip"));
    return document.documentElement.scrollWidth > window ? `${document.documentElement.scrollWidth} of ${window}: ${beyond.map(e => e.outerHTML.slice(0, 120)).slice(0, 3).join("\n")}` : "";
  });
  same(wide, "", `at ${width} px it has to be scrolled sideways`);
}

async function seesEverything(page) {
  same((await page.locator("h1").innerText()).replace(/^\S /, ""), expected.head, "first words");
  for (const name of expected.targets) must(await page.locator(`[data-target="${name}"]`).isVisible(), `target ${name} is not to be seen`);
  const card = page.locator(`[data-target="${expected.target}"]`);
  must((await card.innerText()).includes(expected.differs), "the difference is not to be seen");
  const blocked = card.locator("li", { hasText: expected.blocked }).filter({ hasText: "in use" }).first();
  must((await blocked.innerText()).includes(expected.holder), "who holds on to what is blocked is not to be seen");
  must(await page.locator("table tbody tr").count() > 2, "there are no passes");
}

async function looks() {
  for (const colorScheme of ["light", "dark"]) {
    await visit(`desktop, ${colorScheme}`, expected.url, { colorScheme }, async page => {
      await seesEverything(page);
      await picture(page, `overview-desktop-${colorScheme}`);
      const back = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number)[0]);
      must(colorScheme === "dark" ? back < 60 : back > 200, `the background has brightness ${back} in ${colorScheme}`);
      await accessible(page);
      await openAll(page);
      await accessible(page);
    });
    await visit(`phone, ${colorScheme}`, expected.url, { colorScheme, viewport: phone, hasTouch: true, isMobile: true, deviceScaleFactor: 2 }, async page => {
      await seesEverything(page);
      await picture(page, `overview-phone-${colorScheme}`);
      await accessible(page);
    });
    await visit(`target, ${colorScheme}`, targetURL, { colorScheme }, async page => {
      same(await page.locator("h1").innerText(), expected.target, "heading");
      must((await page.locator("main").innerText()).includes(expected.holder), "who holds on to what is blocked is not to be seen");
      await picture(page, `target-desktop-${colorScheme}`);
      await accessible(page);
      await page.setViewportSize(phone);
      await picture(page, `target-phone-${colorScheme}`);
      await accessible(page);
    });
  }
  for (const url of [expected.url, targetURL])
    await visit(`narrow, ${new URL(url).pathname}`, url, {}, async page => {
      for (const width of [400, 320]) await fits(page, width);
      await openAll(page);
      for (const width of [1280, 700, 400, 320]) await fits(page, width);
    });
}

async function keyboard() {
  await visit("keyboard", expected.url, {}, async page => {
    await page.keyboard.press("Tab");
    same(await page.evaluate(() => document.activeElement.textContent), "Skip to the content", "first stop");
    must((await page.locator(".skip").boundingBox()).y >= 0, "the skip link is not to be seen though it has the focus");
    await page.keyboard.press("Enter");
    same(await page.evaluate(() => document.activeElement.id), "main", "where the skip link leads");
    for (let stop = 0; ; stop++) {
      must(stop < 200, "no details can be reached by keyboard");
      await page.keyboard.press("Tab");
      const there = await page.evaluate(() => {
        const at = document.activeElement;
        return { summary: at.nodeName === "SUMMARY" && !at.parentNode.open, outline: getComputedStyle(at).outlineStyle, what: at.outerHTML.slice(0, 100) };
      });
      must(there.outline !== "none", "focus is not to be seen on " + there.what);
      if (there.summary) break;
    }
    await page.keyboard.press("Enter");
    must(await page.evaluate(() => document.activeElement.parentNode.open), "Enter does not open the details");
  });
}

async function withoutJavaScript() {
  await visit("without JavaScript", expected.url, { javaScriptEnabled: false }, async page => {
    await seesEverything(page);
    must(await page.locator("noscript a").isVisible(), "nothing says how to see what is new");
    const details = page.locator("tbody details").first();
    await details.locator("summary").click();
    must(await details.locator("> ul").isVisible(), "details do not open");
  });
}

// sameWords holds the script's relative times against the server's. The page's clock stands still meanwhile.
async function sameWords() {
  await visit("relative times", expected.url, {}, async page => {
    await page.clock.setFixedTime(Date.now());
    const [answer] = await Promise.all([page.waitForResponse(expected.url + "/"), page.reload()]);
    const served = [...(await answer.text()).matchAll(/<span class="rel">([^<]+)<\/span> <span class="abs">([^<]+)/g)].map(m => `${m[1]} ${m[2]}`);
    const shown = await page.locator("time:has(.rel)").evaluateAll(all => all.map(time => time.textContent.trim()));
    must(served.length > 10, "there are no times");
    same(shown.join("\n"), served.join("\n"), "relative times");
  });
}

async function refreshes() {
  await visit("refresh", expected.url, {}, async page => {
    const details = page.locator("tbody details").first();
    await details.locator("summary").click();
    await page.evaluate(() => {
      window.notReloaded = true;
      const read = document.querySelector(".headline strong");
      read.scrollIntoView({ block: "center" });
      getSelection().selectAllChildren(read);
    });
    const where = () => page.evaluate(() => Math.round(document.querySelector(".headline strong").getBoundingClientRect().top));
    const before = { top: await where(), selected: await page.evaluate(() => String(getSelection())) };
    await fetch(expected.change, { method: "POST" });
    await page.getByRole("heading", { level: 1, name: expected.after }).waitFor({ timeout: 20_000 });
    must(await page.evaluate(() => window.notReloaded), "the page was loaded anew");
    must(await details.evaluate(d => d.open) || await page.locator("tbody details[open]").count() > 0, "what was open is closed");
    const after = await page.evaluate(() => ({
      summary: document.activeElement.nodeName, open: document.activeElement.parentNode.open, selected: String(getSelection()), title: document.title,
    }));
    same(after.summary, "SUMMARY", "what has the focus");
    must(after.open, "the details with the focus are closed");
    same(after.selected, before.selected, "what is selected");
    must(before.selected !== "", "nothing was selected");
    must(Math.abs(await where() - before.top) <= 2, `what is read has moved from ${before.top} to ${await where()}`);
    must(/ready|ready$/.test(after.title) && !after.title.startsWith(expected.head.slice(0, 6)), `the title is still ${after.title}`);
    await accessible(page);
  });
}

async function unreachable() {
  await visit("daemon that cannot be reached", expected.url, {}, async (page, complaints) => {
    const part = url => url.searchParams.has("part");
    let asked = 0;
    await page.route(part, route => { asked++; return route.abort(); });
    await page.getByRole("status").filter({ hasText: "No answer from the daemon since" }).waitFor({ timeout: 20_000 });
    must(await page.locator("h1").isVisible(), "what was known is gone");
    await accessible(page);
    await page.unroute(part);
    await page.waitForFunction(() => document.getElementById("link").textContent === "", undefined, { timeout: 20_000 });
    must(asked > 0, "nothing was asked for");
    complaints.splice(0, complaints.length, ...complaints.filter(text => !text.includes("ERR_FAILED"))); // the browser tells of what was cut off
  });
}

async function hidden() {
  await visit("hidden page", expected.url, {}, async page => {
    let asked = 0;
    page.on("request", request => { if (request.url().includes("part=main")) asked++; });
    const turn = value => page.evaluate(value => {
      Object.defineProperty(document, "hidden", { value, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, value);
    await turn(true);
    await page.waitForTimeout(6500);
    same(asked, 0, "requests while nobody looks");
    const request = page.waitForRequest(url => url.url().includes("part=main"), { timeout: 3000 });
    await turn(false);
    await request;
    checks++;
  });
}

try {
  await looks();
  await keyboard();
  await withoutJavaScript();
  await sameWords();
  await unreachable();
  await hidden();
  if (expected.change) await refreshes();
  console.log(`browser: ${checks} checks passed`);
} catch (error) {
  console.log(`browser: FAILED at "${current}" after ${checks} checks: ${error.message}`);
  process.exitCode = 1;
} finally {
  await browser.close();
}
