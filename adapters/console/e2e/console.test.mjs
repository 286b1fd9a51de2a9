// The console in Chromium: nothing that axe finds, races, and pages that change by themselves.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { MINA, order, pay, play } from "./story.mjs";
import { DESK, PHONE, open, send, visitor } from "./street.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PAGES = [
  [null, "/"],
  ["customer", "/my"],
  ["customer", "/cafe"],
  ["customer", "/cinema"],
  ["customer", "/cinema/soul-1930?seats=2C&seats=1A"],
  ["customer", "/library"],
  ["customer", "/account"],
  ["staff", "/counter"],
  ["staff", "/library"],
  ["head_office", "/counter"],
  ["owner", "/board"],
  ["owner", "/cinema"],
  ["operator", "/operations"],
  ["operator", "/operations/letters/payment/1"],
];

let street;
before(async () => {
  street = await open();
  await (await play(street)).context().close();
});
after(() => street?.close());

/** What axe has to say about a page. Its own script runs in a world of its own: the page's policy stays as it is. */
async function findings(page) {
  const world = await page.context().newCDPSession(page);
  const { frameTree } = await world.send("Page.getFrameTree");
  const { executionContextId } = await world.send("Page.createIsolatedWorld", { frameId: frameTree.frame.id, worldName: "axe" });
  const run = async (expression) => {
    const { result, exceptionDetails } = await world.send("Runtime.evaluate", { contextId: executionContextId, expression, awaitPromise: true, returnByValue: true });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  await run(`${AXE};0`);
  const found = await run("axe.run(document, { resultTypes: ['violations'] }).then((done) => done.violations.map(({ id, nodes }) => id + ': ' + nodes.map((node) => node.html.slice(0, 160) + ' ' + (node.any[0]?.message ?? '')).join(' | ')))");
  await world.detach();
  return found;
}

for (const [look, viewport, dark, lang] of [["light", DESK, false, "ko"], ["dark", DESK, true, "en"], ["a phone", PHONE, false, "en"], ["a dark phone", PHONE, true, "ko"]]) {
  test(`axe finds nothing on any page, in ${look}`, async () => {
    for (const [role, path] of PAGES) {
      const page = await visitor(street, role, role === "customer" ? MINA : "Kim", { lang, dark, viewport });
      await page.goto(path);
      await page.evaluate(() => document.querySelectorAll("details").forEach((closed) => (closed.open = true)));
      assert.deepEqual(await findings(page), [], `${role} ${path}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      assert.equal(wide, 0, `${role} ${path} is wider than the screen`);
      assert.deepEqual(page.complaints, [], `${role} ${path}`);
      await page.context().close();
    }
  });
}

test("axe finds nothing on a form that was refused", async () => {
  const owner = await visitor(street, "owner", "Kim", { viewport: PHONE });
  await owner.goto("/board");
  await send(owner, "/board/orders", { sku: "x".repeat(80), product_name: "x", quantity: 1, unit_price: 1 });
  await owner.locator("[aria-invalid]").waitFor();
  assert.deepEqual(await findings(owner), []);
  await owner.context().close();
});

test("two visitors race for one seat: one has it, the other is told", async () => {
  const [one, other] = await Promise.all(["010-1000-0001", "010-1000-0002"].map((name) => visitor(street, "customer", name)));
  for (const page of [one, other]) {
    await page.goto("/cinema/soul-1930");
    await page.locator("#seat-8E").check({ force: true });
    await page.locator(".sum strong", { hasText: "8E" }).waitFor();
  }
  await Promise.all([one, other].map((page) => page.locator("form.hall button[type=submit]").click()));
  await Promise.all([one, other].map((page) => page.locator(".toast, .banner").waitFor()));
  const booked = await Promise.all([one, other].map((page) => page.locator(".toast").count()));
  assert.deepEqual([...booked].sort(), [0, 1]);
  const late = booked[0] ? other : one;
  assert.match(await late.locator(".banner").innerText(), /다른 분이 먼저/);
  assert.ok(await late.locator("#seat-8E").isDisabled());
  await Promise.all([one, other].map((page) => page.context().close()));
});

test("what others take greys out without a reload, and what is chosen stays chosen", async () => {
  const [one, other] = await Promise.all(["010-1000-0003", "010-1000-0004"].map((name) => visitor(street, "customer", name)));
  await other.goto("/cinema/soul-1930");
  await other.evaluate(() => (window.stayed = true));
  for (const seat of ["7E", "7F"]) await other.locator(`#seat-${seat}`).check({ force: true });
  await one.goto("/cinema/soul-1930");
  await one.locator("#seat-7E").check({ force: true });
  await one.locator("form.hall button[type=submit]").click();
  await one.waitForURL(/done=booked/);
  await other.locator("#seat-7E:disabled").waitFor({ state: "attached" });
  await other.locator(".lost", { hasText: "7E" }).waitFor();
  assert.ok(await other.locator("#seat-7F").isChecked());
  assert.ok(await other.evaluate(() => window.stayed));
  await Promise.all([one, other].map((page) => page.context().close()));
});

test("operators see who calls whom, and how far each context is behind", async () => {
  const operator = await visitor(street, "operator", "Kim", { lang: "en" });
  await operator.goto("/operations");
  await operator.locator("#call-ordering-payment .health-word", { hasText: "Closed" }).waitFor();
  assert.equal(await operator.locator("#calls li").count(), await operator.locator("#calls li.good").count());
  await operator.locator("#context-loyalty .health-behind", { hasText: /To read \d/ }).waitFor();
  assert.equal(await operator.locator("#health .health-behind").count(), 14);
  await operator.context().close();
});

test("from the order to the door, live on my page", async () => {
  const mina = await visitor(street, "customer", "010-1000-0005");
  const staff = await visitor(street, "owner", "Kim");
  await order(mina, { latte: 2 });
  await pay(mina);
  await mina.evaluate(() => (window.stayed = true));
  await mina.locator("details.steps summary").first().click();
  const passed = (count) => mina.waitForFunction((count) => document.querySelectorAll("#orders .stations .past").length === count, count);
  await passed(2);
  await staff.goto("/counter");
  await staff.evaluate(() => (window.stayed = true));
  const mine = (action) => staff.locator("#page li", { hasText: "010-1000-0005" }).locator(`form[action='${action}'] button`);
  await mine("/counter/ready").click();
  await passed(3);
  await mine("/counter/ship").click();
  await passed(4);
  await mine("/counter/deliver").click();
  await passed(5);
  await mina.locator(".badge.good").first().waitFor();
  for (const page of [mina, staff]) assert.ok(await page.evaluate(() => window.stayed), "the page was loaded anew");
  assert.ok(await mina.locator("details.steps[open]").count(), "what was opened stays open");
  assert.deepEqual([...mina.complaints, ...staff.complaints], []);
  await Promise.all([mina, staff].map((page) => page.context().close()));
});

test("a double click orders once", async () => {
  const mina = await visitor(street, "customer", "010-1000-0006");
  await mina.goto("/cafe");
  await mina.locator("#order-latte").fill("1");
  await mina.locator("form[action='/cafe'] button[type=submit]").dblclick();
  await mina.waitForURL(/done=ordered/);
  await mina.goto("/my");
  assert.equal(await mina.locator("#orders .case").count(), 1);
  await mina.context().close();
});

test("without a script everything works, by keyboard alone", async () => {
  const mina = await visitor(street, "customer", "010-1000-0007", { script: false });
  await mina.goto("/cinema/soul-1930");
  await mina.locator("#seat-6A").focus();
  await mina.keyboard.press("Space");
  await mina.keyboard.press("Tab");
  await mina.keyboard.press("Space");
  await mina.keyboard.press("Enter");
  await mina.waitForURL(/done=booked/);
  assert.match(await mina.locator("#bookings h3").innerText(), /6A 6B/);
  await mina.context().close();
});
