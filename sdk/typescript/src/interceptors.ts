import { clone, type DescMethod } from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { ConnectError, type Interceptor } from "@connectrpc/connect";
import { waitAfter, type Patience } from "./patience.js";

/** A bearer token, or what gets one for each call (from a session that renews it, say). */
export type Token = string | (() => string | Promise<string>);

/** Shows a token with every call. */
export function bearer(token: Token): Interceptor {
  return (next) => async (request) => {
    const shown = typeof token === "string" ? token : await token();
    request.header.set("authorization", `Bearer ${shown.trim()}`);
    return next(request);
  };
}

/** Gives every request an id that takes one and has none, so that it can be made again. */
export const requestIds: Interceptor = (next) => (request) => {
  const field = requestId(request.method);
  if (request.stream || !field) {
    return next(request);
  }
  // A copy: the caller's own message may be sent once more, and that is another request.
  const message = clone(request.method.input, request.message);
  const fields = reflect(request.method.input, message);
  if (!fields.isSet(field)) {
    fields.set(field, uuid());
  }
  return next({ ...request, message });
};

/**
 * Makes a call again that the street could not answer, if calling twice does no more than calling once: it only looks,
 * or its request has an id.
 */
export function patiently(patience: Patience): Interceptor {
  return (next) => async (request) => {
    if (request.stream || !isRepeatable(request.method)) {
      return next(request);
    }
    const begun = Date.now();
    for (let attempts = 1; ; attempts++) {
      try {
        return await next(request);
      } catch (error) {
        const refusal = ConnectError.from(error);
        const wait = waitAfter(attempts, refusal, patience, Math.random());
        if (wait === undefined || Date.now() + wait > begun + patience.inAllMs) {
          throw refusal;
        }
        await pause(wait, request.signal);
      }
    }
  };
}

function requestId(method: DescMethod) {
  return method.input.fields.find((field) => field.name === "request_id");
}

function isRepeatable(method: DescMethod): boolean {
  return /^(Get|List)/.test(method.name) || requestId(method) !== undefined;
}

/** Waits, unless the call is given up or its deadline passes meanwhile. */
function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const giveUp = () => {
      clearTimeout(timer);
      reject(ConnectError.from(signal.reason));
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", giveUp);
      resolve();
    }, ms);
    if (signal.aborted) {
      giveUp();
    } else {
      signal.addEventListener("abort", giveUp, { once: true });
    }
  });
}

/** A random UUID. `crypto.randomUUID` is missing on pages that came over plain HTTP. */
function uuid(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
