import { Code, ConnectError } from "@connectrpc/connect";
import { RetryInfoSchema } from "./gen/google/rpc/error_details_pb.js";

/**
 * How often and for how long a call is made again that a street could not answer: because it, or what it needs, is away
 * (`UNAVAILABLE`), or because it was asked too much (`RESOURCE_EXHAUSTED` with `RetryInfo`).
 *
 * It waits as long as `RetryInfo` says and up to a quarter longer, so that not all come back at once; where it says
 * nothing, twice as long each time, from `firstMs`.
 */
export interface Patience {
  /** How often it is called at most, the first time counted. 1: never again. */
  readonly attempts: number;
  /** The first wait in milliseconds, where nobody says how long. */
  readonly firstMs: number;
  /** The longest single wait in milliseconds. Who is told to wait longer gives up. */
  readonly longestMs: number;
  /** How many milliseconds all waits and attempts may take together; no wait is begun that would end later. */
  readonly inAllMs: number;
}

/** Five attempts within half a minute. */
export const PATIENCE: Patience = { attempts: 5, firstMs: 100, longestMs: 10_000, inAllMs: 30_000 };

/**
 * How many milliseconds to wait after `attempts` of them, the last of which was refused with `refusal`; `undefined` to
 * give up. `chance` is from 0 to 1.
 */
export function waitAfter(
  attempts: number,
  refusal: ConnectError,
  patience: Patience,
  chance: number,
): number | undefined {
  if (attempts >= patience.attempts) {
    return undefined;
  }
  if (refusal.code !== Code.Unavailable && refusal.code !== Code.ResourceExhausted) {
    return undefined;
  }
  const told = toldMs(refusal);
  if (told !== undefined) {
    return told <= patience.longestMs ? told * (1 + chance / 4) : undefined;
  }
  if (refusal.code === Code.ResourceExhausted) {
    // Too much of something that waiting does not change, such as a message that is too long.
    return undefined;
  }
  return Math.min(patience.firstMs * 2 ** (attempts - 1), patience.longestMs) * ((1 + chance) / 2);
}

function toldMs(refusal: ConnectError): number | undefined {
  const delay = refusal.findDetails(RetryInfoSchema)[0]?.retryDelay;
  return delay && Number(delay.seconds) * 1000 + delay.nanos / 1e6;
}
