// A server of its own, and visitors with a browser each.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const BINARY = process.env.HIGHSTREET_BIN ?? "../../../target/debug/highstreet";
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1280, height: 860 };

/** Starts a server on a free port, and a browser; `close` ends both. */
export async function open() {
  for (const [what, path] of [["the server", BINARY], ["Chromium", CHROMIUM]]) {
    if (!existsSync(path)) throw new Error(`${what} is not at ${path}: set HIGHSTREET_BIN, CHROMIUM`);
  }
  const data = mkdtempSync(join(tmpdir(), "highstreet-e2e-"));
  const flags = ["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", data];
  const server = spawn(BINARY, ["serve", ...flags], { stdio: ["ignore", "inherit", "pipe"] });
  const address = await new Promise((found, failed) => {
    let told = "";
    server.stderr.on("data", (text) => {
      told += text;
      const at = told.replace(/\u001b\[[0-9;]*m/g, "").match(/address=(127\.0\.0\.1:\d+)[^\n]*ready|ready[^\n]*address=(127\.0\.0\.1:\d+)|"address":"(127\.0\.0\.1:\d+)"/);
      if (at) found(`http://${at[1] ?? at[2] ?? at[3]}`);
    });
    server.on("exit", (code) => failed(new Error(`the server ended with ${code}:\n${told}`)));
  });
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
  const close = async () => {
    await browser.close();
    server.removeAllListeners("exit");
    const ended = new Promise((done) => server.once("exit", done));
    server.kill("SIGTERM");
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  return { address, browser, close };
}

/** A visitor: a page of a browser of their own, signed in as `role` with `name`. */
export async function visitor(street, role, name, { lang = "ko", dark = false, viewport = DESK, script = true } = {}) {
  const context = await street.browser.newContext({
    baseURL: street.address,
    locale: lang === "ko" ? "ko-KR" : "en-GB",
    colorScheme: dark ? "dark" : "light",
    reducedMotion: "reduce",
    deviceScaleFactor: viewport.width < 500 ? 2 : 1,
    javaScriptEnabled: script,
    viewport,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  // What the browser complains about is a failure: a policy that is broken, a script that ends early.
  page.complaints = [];
  page.on("console", (message) => message.type() === "error" && page.complaints.push(message.text()));
  page.on("pageerror", (error) => page.complaints.push(String(error)));
  if (role) {
    await page.goto("/");
    await page.locator(`input[name=role][value=${role}]`).check({ force: true });
    await page.locator("input[name=name]").fill(name);
    await page.locator("form[action='/sign-in'] button").click();
    await page.waitForURL((url) => url.pathname !== "/" && url.pathname !== "/sign-in");
  }
  return page;
}

/** Fills in a form's fields by their names, and sends it. */
export async function send(page, action, fields = {}) {
  const form = page.locator(`form[action='${action}']`).first();
  for (const [name, value] of Object.entries(fields)) {
    const field = form.locator(`[name='${name}']`);
    if ((await field.evaluate((it) => it.tagName)) === "SELECT") await field.selectOption(value);
    else await field.fill(String(value));
  }
  await form.locator("button[type=submit]").last().click();
}
