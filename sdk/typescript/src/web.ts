import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { interceptors, streetOver, type Street, type StreetOptions } from "./street.js";

export { interceptors, reason, streetOver, type Street, type StreetOptions } from "./street.js";
export type { Token } from "./interceptors.js";
export { PATIENCE, type Patience } from "./patience.js";

/** The street at `baseUrl`, over gRPC-Web with `fetch`: for browsers. */
export function createStreet(options: StreetOptions): Street {
  return streetOver(createGrpcWebTransport({ baseUrl: options.baseUrl, interceptors: interceptors(options) }));
}
