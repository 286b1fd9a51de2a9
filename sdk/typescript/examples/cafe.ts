// A morning at the coffee shop: two lattes, from the counter to the customer's door.
//
//     npm run example -- http://127.0.0.1:8088
import { pathToFileURL } from "node:url";
import { setTimeout as pause } from "node:timers/promises";
import { createStreet, reason, type Street } from "@highstreet/client";
import { PaymentMethod } from "@highstreet/client/common";
import { PreparationStatus } from "@highstreet/client/kitchen";
import { Program } from "@highstreet/client/loyalty";
import type { Trace } from "@highstreet/client/tracking";

const SHOP = "skanu";

/** Plays it, and returns what the customer has at the end. */
export async function play(street: Street): Promise<{ trace: Trace; stamps: bigint; tooLate: string | undefined }> {
  const customerPhone = `010-${digits()}-${digits()}`;
  const latte = {
    productId: "latte",
    productName: "Latte",
    quantity: 2,
    unitPrice: { currencyCode: "KRW", units: 4500n },
  };
  const placed = await street.ordering.placeOrder({
    shopId: SHOP,
    customerPhone,
    lines: [latte],
    paymentMethod: PaymentMethod.CARD,
  });
  const { orderId, paymentId } = placed.order!;
  const order = { context: "ordering", id: orderId };
  console.log(`ordered two lattes: ${orderId}`);

  await street.payment.pay({ paymentId, method: PaymentMethod.CARD });
  console.log("paid");

  const { preparationId } = await eventually("the kitchen sees the order", async () => {
    const status = PreparationStatus.PREPARING;
    const { preparations } = await street.kitchen.listPreparations({ shopId: SHOP, status });
    return preparations.find((preparation) => preparation.order?.id === orderId);
  });
  await street.kitchen.completePreparation({ preparationId });
  console.log("made");

  const { deliveryId } = await eventually("the courier sees the delivery", async () => {
    const { deliveries } = await street.delivery.listDeliveries({ shopId: SHOP, order });
    return deliveries[0];
  });
  await street.delivery.shipDelivery({ deliveryId });
  await street.delivery.completeDelivery({ deliveryId });
  console.log("delivered");

  const trace = await eventually("my page shows it", async () => {
    const { trace } = await street.tracking.getTrace({ order });
    return trace?.status === "COMPLETED" ? trace : undefined;
  });
  console.log(`my page: ${trace.status} after ${trace.steps.map((step) => step.event).join(", ")}`);
  const { account } = await street.loyalty.getAccount({ shopId: SHOP, program: Program.STAMPS, member: customerPhone });
  console.log(`stamps: ${account!.balance}`);

  const tooLate = await street.ordering.cancelOrder({ orderId }).then(() => undefined, reason);
  console.log(`cancelling it now: ${tooLate}`);
  return { trace, stamps: account!.balance, tooLate };
}

/** Contexts hear of each other some milliseconds after a call was answered. */
async function eventually<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const begun = Date.now(); Date.now() < begun + 10_000; await pause(20)) {
    const found = await look();
    if (found !== undefined) {
      return found;
    }
  }
  throw new Error(`not within ten seconds: ${what}`);
}

function digits(): string {
  return String(Math.floor(Math.random() * 10_000)).padStart(4, "0");
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const token = process.env["HIGHSTREET_TOKEN"];
  const baseUrl = process.argv[2] ?? "http://127.0.0.1:8088";
  await play(createStreet(token ? { baseUrl, token } : { baseUrl }));
}
