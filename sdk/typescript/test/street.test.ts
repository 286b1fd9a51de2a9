// The package against the real server.
import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { after, before, describe, test } from "node:test";
import { Code, ConnectError } from "@connectrpc/connect";
import { createStreet, reason } from "@highstreet/client";
import { createStreet as createStreetOnTheWeb } from "@highstreet/client/web";
import { PaymentMethod } from "@highstreet/client/common";
import { play } from "../examples/cafe.js";
import { Server, token } from "./server.js";

const SHOP = "skanu";

function wish(customerPhone: string, requestId = "") {
  const unitPrice = { currencyCode: "KRW", units: 3000n };
  const line = { productId: "espresso", productName: "Espresso", quantity: 1, unitPrice };
  return { shopId: SHOP, customerPhone, lines: [line], paymentMethod: PaymentMethod.CARD, requestId };
}

test("every context has a client", async () => {
  const folders = await readdir(fileURLToPath(new URL("../../dist/gen/highstreet", import.meta.url)));
  const contexts = folders.filter((folder) => folder !== "common").sort();
  assert.ok(contexts.includes("ordering"));
  for (const create of [createStreet, createStreetOnTheWeb]) {
    assert.deepEqual(Object.keys(create({ baseUrl: "http://127.0.0.1:1" })).sort(), contexts);
  }
});

describe("a street", () => {
  let server: Server;
  before(async () => {
    server = await Server.start();
  });
  after(() => server.stop());

  test("plays the café's example", async () => {
    const { trace, stamps, tooLate } = await play(createStreet(server));
    assert.equal(trace.steps.at(-1)?.event, "OrderCompleted");
    assert.equal(stamps, 2n);
    assert.equal(tooLate, "ORDER_ALREADY_COMPLETED");
  });

  test("takes each request once by its id, and gives each without one an id of its own", async () => {
    const street = createStreet(server);
    const mine = wish("010-1111-2222", "6f2b1d7a-6f65-4a55-9f0e-0d8a6f4f6a11");
    const [first, again] = [await street.ordering.placeOrder(mine), await street.ordering.placeOrder(mine)];
    assert.equal(again.order?.orderId, first.order?.orderId);
    const anothers = wish("010-1111-2222");
    const [one, other] = [await street.ordering.placeOrder(anothers), await street.ordering.placeOrder(anothers)];
    assert.notEqual(one.order?.orderId, other.order?.orderId);
  });

  test("says why it refuses", async () => {
    const refused = createStreet(server).ordering.placeOrder({ ...wish("010-1111-2222"), lines: [] });
    await assert.rejects(refused, (error) => {
      assert.equal(ConnectError.from(error).code, Code.InvalidArgument);
      assert.equal(reason(error), "INVALID_REQUEST");
      return true;
    });
  });

  test("streams what happens", async () => {
    const street = createStreet(server);
    const customer = "010-3333-4444";
    const change = async (since: string) => {
      for await (const change of street.tracking.watchTraces({ shopId: SHOP, customer, since })) {
        return change;
      }
      throw new Error("the stream ended");
    };
    // A watch begins with what happens from now on: orders are placed until the first is seen.
    const watch = change("");
    let seen = false;
    const over = watch.finally(() => (seen = true));
    while (!seen) {
      await street.ordering.placeOrder(wish(customer));
    }
    const first = await over;
    assert.equal(first.trace?.customer, customer);
    const next = await change(first.cursor);
    assert.notEqual(next.cursor, first.cursor);
  });
});

test("a street that is asked too much is waited for as it says", async () => {
  const server = await Server.start(() => ["--rate-limit", "5"]);
  try {
    const street = createStreet({ ...server, patience: { attempts: 20 } });
    const asked = Array.from({ length: 12 }, () => street.ordering.listOrders({ shopId: SHOP }));
    assert.equal((await Promise.all(asked)).length, 12);
    const impatient = createStreet({ ...server, patience: { attempts: 1 } });
    const refused = await Promise.allSettled(
      Array.from({ length: 12 }, () => impatient.ordering.listOrders({ shopId: SHOP })),
    );
    const reasons = refused.flatMap((call) => (call.status === "rejected" ? [reason(call.reason)] : []));
    assert.ok(reasons.length > 0, "beyond five a second, somebody is refused");
    assert.deepEqual([...new Set(reasons)], ["RATE_LIMITED"]);
  } finally {
    await server.stop();
  }
});

test("a street that asks who calls is shown the token", async () => {
  const folder = await mkdtemp(join(tmpdir(), "highstreet-"));
  const owner = await token(folder, "--role", "owner", "--shop", SHOP);
  const server = await Server.start(() => ["--auth-jwks", join(folder, "key.jwks.json")]);
  try {
    const stranger = createStreet(server).ordering.listOrders({ shopId: SHOP });
    await assert.rejects(stranger, (error) => ConnectError.from(error).code === Code.Unauthenticated);
    for (const shown of [owner, () => Promise.resolve(owner)]) {
      const { orders } = await createStreet({ ...server, token: shown }).ordering.listOrders({ shopId: SHOP });
      assert.deepEqual(orders, []);
    }
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
});
