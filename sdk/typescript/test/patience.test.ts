// How calls are made again: with a street in this process that is away as often as it is told to.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { create } from "@bufbuild/protobuf";
import { Code, ConnectError, createRouterTransport } from "@connectrpc/connect";
import { interceptors, streetOver, type Patience, type Street } from "@highstreet/client";
import { RetryInfoSchema } from "@highstreet/client/gen/google/rpc/error_details_pb";
import { GrantPointsRequestSchema, LoyaltyService } from "@highstreet/client/loyalty";
import { OperationsService } from "@highstreet/client/operations";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const QUICK: Partial<Patience> = { firstMs: 1 };

/** A street that refuses like this until it has been called `refusals` times, and the request ids it saw. */
function away(refusal: ConnectError, refusals: number, patience = QUICK): { street: Street; seen: string[] } {
  const seen: string[] = [];
  const note = (id: string) => {
    seen.push(id);
    if (seen.length <= refusals) {
      throw refusal;
    }
    return {};
  };
  const transport = createRouterTransport(
    (router) => {
      router.service(LoyaltyService, { grantPoints: (it) => note(it.requestId), getAccount: () => note("") });
      router.service(OperationsService, { retryStep: () => note("") });
    },
    { transport: { interceptors: interceptors({ patience }) } },
  );
  return { street: streetOver(transport), seen };
}

function told(code: Code, ms: number): ConnectError {
  const retryDelay = { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 };
  return new ConnectError("later", code, undefined, [{ desc: RetryInfoSchema, value: { retryDelay } }]);
}

describe("patience", () => {
  test("makes a change again under the id of the first attempt", async () => {
    const { street, seen } = away(new ConnectError("away", Code.Unavailable), 3);
    await street.loyalty.grantPoints({ member: "010-1234-5678" });
    assert.equal(seen.length, 4);
    assert.match(seen[0]!, UUID);
    assert.equal(new Set(seen).size, 1);
  });

  test("leaves the caller's message as it is", async () => {
    const { street, seen } = away(new ConnectError("away", Code.Unavailable), 0);
    const message = create(GrantPointsRequestSchema);
    await street.loyalty.grantPoints(message);
    await street.loyalty.grantPoints(message);
    await street.loyalty.grantPoints({ requestId: "mine" });
    assert.equal(message.requestId, "");
    assert.notEqual(seen[0], seen[1]);
    assert.equal(seen[2], "mine");
  });

  test("waits as long as it is told", async () => {
    for (const code of [Code.Unavailable, Code.ResourceExhausted]) {
      const { street, seen } = away(told(code, 120), 1);
      const begun = performance.now();
      await street.loyalty.getAccount({});
      const took = performance.now() - begun;
      // Timers are a millisecond early at times.
      assert.ok(took >= 118, `${took} ms`);
      assert.equal(seen.length, 2);
    }
  });

  test("ends", async () => {
    const cases: [string, ConnectError, Partial<Patience>, number][] = [
      ["after five attempts", new ConnectError("", Code.Unavailable), QUICK, 5],
      ["told to wait longer than it would", told(Code.Unavailable, 11_000), QUICK, 1],
      ["beyond its time", told(Code.Unavailable, 400), { inAllMs: 300 }, 1],
      ["too much of something else", new ConnectError("", Code.ResourceExhausted), QUICK, 1],
      ["an answer", told(Code.FailedPrecondition, 1), QUICK, 1],
    ];
    for (const [what, refusal, patience, attempts] of cases) {
      const { street, seen } = away(refusal, 99, patience);
      await assert.rejects(street.loyalty.getAccount({}), (error) => ConnectError.from(error).code === refusal.code);
      assert.equal(seen.length, attempts, what);
    }
  });

  test("ends with the call's own deadline", async () => {
    const { street, seen } = away(told(Code.Unavailable, 9_000), 99);
    const late = street.loyalty.getAccount({}, { timeoutMs: 50 });
    await assert.rejects(late, (error) => ConnectError.from(error).code === Code.DeadlineExceeded);
    assert.equal(seen.length, 1);
  });

  test("gives an operator's order once", async () => {
    const { street, seen } = away(new ConnectError("away", Code.Unavailable), 1);
    await assert.rejects(street.operations.retryStep({}), (error) => ConnectError.from(error).code === Code.Unavailable);
    assert.equal(seen.length, 1);
  });
});
