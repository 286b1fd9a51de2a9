import { createGrpcTransport } from "@connectrpc/connect-node";
import { interceptors, streetOver, type Street, type StreetOptions } from "./street.js";

export { interceptors, reason, streetOver, type Street, type StreetOptions } from "./street.js";
export type { Token } from "./interceptors.js";
export { PATIENCE, type Patience } from "./patience.js";

/** The street at `baseUrl`, over gRPC. It is connected to when it is first called. */
export function createStreet(options: StreetOptions): Street {
  return streetOver(createGrpcTransport({ baseUrl: options.baseUrl, interceptors: interceptors(options) }));
}
