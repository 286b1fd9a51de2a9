import { ConnectError, createClient, type Client, type Interceptor, type Transport } from "@connectrpc/connect";
import { ErrorInfoSchema } from "./gen/google/rpc/error_details_pb.js";
import { BookingService } from "./gen/highstreet/booking/v1/booking_pb.js";
import { DeliveryService } from "./gen/highstreet/delivery/v1/delivery_pb.js";
import { InventoryService } from "./gen/highstreet/inventory/v1/inventory_pb.js";
import { KitchenService } from "./gen/highstreet/kitchen/v1/kitchen_pb.js";
import { LendingService } from "./gen/highstreet/lending/v1/lending_pb.js";
import { LoyaltyService } from "./gen/highstreet/loyalty/v1/loyalty_pb.js";
import { NotificationService } from "./gen/highstreet/notification/v1/notification_pb.js";
import { OperationsService } from "./gen/highstreet/operations/v1/operations_pb.js";
import { OrderingService } from "./gen/highstreet/ordering/v1/ordering_pb.js";
import { PaymentService } from "./gen/highstreet/payment/v1/payment_pb.js";
import { ReplenishmentService } from "./gen/highstreet/replenishment/v1/replenishment_pb.js";
import { SalesService } from "./gen/highstreet/sales/v1/sales_pb.js";
import { SeatingService } from "./gen/highstreet/seating/v1/seating_pb.js";
import { TicketingService } from "./gen/highstreet/ticketing/v1/ticketing_pb.js";
import { TrackingService } from "./gen/highstreet/tracking/v1/tracking_pb.js";
import { bearer, patiently, requestIds, type Token } from "./interceptors.js";
import { PATIENCE, type Patience } from "./patience.js";

/** Where a street is, and who calls it. */
export interface StreetOptions {
  /** Its address, such as `http://127.0.0.1:8088`. */
  readonly baseUrl: string;
  /** The JSON Web Token to show, where the street asks who calls. */
  readonly token?: Token;
  /** How often and for how long calls are made again; five times within half a minute if not set. */
  readonly patience?: Partial<Patience>;
}

const SERVICES = {
  /** Orders of goods (발주). */
  replenishment: ReplenishmentService,
  /** Stock (상품/재고). */
  inventory: InventoryService,
  /** Purchases (구매). */
  sales: SalesService,
  /** Reservations of books (도서 예약). */
  lending: LendingService,
  /** Orders of drinks (주문). */
  ordering: OrderingService,
  /** Payments (결제). */
  payment: PaymentService,
  /** What is made (제조). */
  kitchen: KitchenService,
  /** Deliveries (배송). */
  delivery: DeliveryService,
  /** Stamps and points (스탬프/포인트). */
  loyalty: LoyaltyService,
  /** Bookings (예매). */
  booking: BookingService,
  /** Screenings and their seats (좌석). */
  seating: SeatingService,
  /** Tickets (티켓). */
  ticketing: TicketingService,
  /** Messages (알림). */
  notification: NotificationService,
  /** What became of an order (마이페이지). */
  tracking: TrackingService,
  /** What waits and what could not be read, for operators. */
  operations: OperationsService,
};

/** A street: a client for each context. */
export type Street = { readonly [Context in keyof typeof SERVICES]: Client<(typeof SERVICES)[Context]> };

/** What every call goes through, the outermost first. */
export function interceptors(options: Pick<StreetOptions, "token" | "patience">): Interceptor[] {
  const shown = options.token === undefined ? [] : [bearer(options.token)];
  // The id comes before the attempts: all of them carry the same one. The token comes after: each gets a fresh one.
  return [requestIds, patiently({ ...PATIENCE, ...options.patience }), ...shown];
}

/** The street that a transport of your own leads to; give it `interceptors(…)`. */
export function streetOver(transport: Transport): Street {
  const clients = Object.entries(SERVICES).map(([context, service]) => [context, createClient(service, transport)]);
  return Object.fromEntries(clients) as Street;
}

/**
 * Why a call was refused, for programs: the `reason` of the street's `ErrorInfo`, such as `SEAT_TAKEN`. `undefined` if
 * the refusal does not come from a street.
 */
export function reason(error: unknown): string | undefined {
  return ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.reason;
}
