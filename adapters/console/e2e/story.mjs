// A morning on the street, so that there is something to see on every page.
import { send, visitor } from "./street.mjs";

export const MINA = "010-1234-5678";

/** Goods, films and books; orders, bookings and reservations of Mina's, each at another point of its way. */
export async function play(street) {
  const owner = await visitor(street, "owner", "점주");
  const goods = [["milk", "서울우유 1L", 24, 1800], ["kimbap", "참치마요 삼각김밥", 30, 1200], ["ramyeon", "매운 라면", 12, 1500], ["water", "생수 500ml", 40, 900]];
  for (const [sku, product_name, quantity, unit_price] of goods) {
    await owner.goto("/board");
    await send(owner, "/board/orders", { sku, product_name, quantity, unit_price });
    await owner.waitForURL(/done=ordered/);
  }
  const office = await visitor(street, "head_office", "본사");
  for (let left = goods.length; left > 1; left -= 1) {
    await office.locator("form[action='/counter/ship'] button").first().click();
    await office.waitForFunction((rest) => document.querySelectorAll("form[action='/counter/ship']").length === rest, left - 1);
  }
  const films = [["soul-1930", "소울", "IMAX", "2026-11-21T19:30", 8, 10], ["parasite-2100", "기생충", "2관", "2026-11-21T21:00", 6, 8], ["decision-1400", "헤어질 결심", "3관", "2026-11-22T14:00", 5, 8]];
  for (const [screening_id, movie_name, hall, starts_at, rows, seats_per_row] of films) {
    await owner.goto("/cinema");
    await send(owner, "/cinema/screenings", { screening_id, movie_name, hall, starts_at, rows, seats_per_row });
    await owner.waitForURL(/done=opened/);
  }
  const staff = await visitor(street, "staff", "직원");
  const books = [["almond", "아몬드", 5], ["pachinko", "파친코", 3], ["cosmos", "코스모스", 8], ["demian", "데미안", 2], ["whitebook", "흰", 1]];
  for (const [sku, product_name, quantity] of books) {
    await staff.goto("/library");
    await send(staff, "/library/receive", { sku, product_name, quantity });
    await staff.waitForURL(/done=received/);
  }
  for (const [sku, quantity, unit_price] of [["kimbap", 6, 1200], ["water", 37, 900], ["ramyeon", 3, 1500], ["kimbap", 2, 1200]]) {
    await staff.goto("/counter");
    await send(staff, "/counter/purchases", { sku, quantity, unit_price });
    await staff.waitForURL(/done=purchased/);
  }
  const mina = await visitor(street, "customer", MINA);
  await order(mina, { latte: 2, americano: 1 });
  await pay(mina);
  await staff.goto("/counter");
  await staff.locator("form[action='/counter/ready'] button").first().click();
  await staff.locator("form[action='/counter/ship'] button").first().waitFor();
  await order(mina, { "yuja-tea": 1, mocha: 2 });
  await pay(mina);
  await order(mina, { espresso: 1 });
  await mina.goto("/cinema/soul-1930");
  for (const seat of ["4E", "4F"]) await mina.locator(`#seat-${seat}`).check({ force: true });
  await mina.locator("form.hall button[type=submit]").click();
  await mina.waitForURL(/done=booked/);
  await mina.goto("/cinema/parasite-2100");
  await send(mina, "/cinema/parasite-2100/reserve", { quantity: 2 });
  await mina.waitForURL(/done=reserved/);
  const juno = await visitor(street, "customer", "010-9876-5432");
  await juno.goto("/cinema/soul-1930");
  for (const seat of ["1A", "1B", "3C", "3D", "3E", "5G", "5H", "7B"]) await juno.locator(`#seat-${seat}`).check({ force: true });
  await juno.locator("form.hall button[type=submit]").click();
  await juno.waitForURL(/done=booked/);
  await mina.goto("/library");
  await mina.locator("form[action='/library/reserve'] button").first().click();
  await mina.waitForFunction(() => document.querySelector(".toast"));
  for (const page of [owner, office, staff, juno]) await page.context().close();
  return mina;
}

export async function order(page, drinks) {
  await page.goto("/cafe");
  await send(page, "/cafe", drinks);
  await page.waitForURL(/done=ordered/);
}

export async function pay(page) {
  await page.goto("/my");
  await page.locator("#orders form[action='/my/pay'] button").first().click();
  await page.locator(".toast").waitFor();
}
