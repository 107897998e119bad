/**
 * Reads a request's body: bounded in size, in time and in depth, before anything looks at it. Runs in the server; knows
 * no dialect. Every refusal is a Failure.
 */
import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";

export interface BodyBounds {
  readonly limitBytes: number;
  /** Time every body has, besides its size's worth at `leastBytesPerSecond`. */
  readonly graceMs: number;
  readonly clock: Clock;
}

/** Slower than a bad mobile uplink; a client that trickles bytes to hold a connection is far below it. */
const leastBytesPerSecond = 32 * 1024;
/** Deeper than any schema an agent sends; a parser's recursion ends long after. */
const deepestNesting = 256;
const firstBufferBytes = 64 * 1024;

/** Throws Failure `unsupported_media_type` unless the headers promise plain UTF-8 JSON, or no body at all. */
export function requireJson(headers: IncomingHttpHeaders): void {
  const encoding = headers["content-encoding"];
  if (encoding !== undefined && encoding.trim().toLowerCase() !== "identity") {
    throw new Failure("unsupported_media_type", "Compressed bodies are not read: send the JSON as it is.");
  }
  const type = headers["content-type"];
  if (type === undefined) {
    if (!announcesBody(headers)) return;
    throw new Failure("unsupported_media_type", "The body must be sent as 'content-type: application/json'.");
  }
  // A page of another site can send text/plain and forms without asking; JSON it cannot.
  if (!/^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type.trim())) {
    throw new Failure("unsupported_media_type", "The body must be sent as 'content-type: application/json'.");
  }
  const charset = /;\s*charset\s*=\s*"?([^";\s]+)/i.exec(type)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) {
    throw new Failure("unsupported_media_type", "The body must be UTF-8.");
  }
}

function announcesBody(headers: IncomingHttpHeaders): boolean {
  const length = headers["content-length"];
  return headers["transfer-encoding"] !== undefined || (length !== undefined && length !== "0");
}

/** The body as parsed JSON; `undefined` when there is none. */
export async function readJson(
  request: IncomingMessage,
  response: ServerResponse,
  bounds: BodyBounds,
): Promise<unknown> {
  requireJson(request.headers);
  const bytes = await readBytes(request, response, bounds);
  return bytes.length === 0 ? undefined : parseJson(bytes);
}

function tooLarge(limitBytes: number): Failure {
  return new Failure("payload_too_large", `The body is larger than ${limitBytes} bytes, the most that is read.`);
}

function closedEarly(): Failure {
  return new Failure("invalid_request", "The connection closed before the body was complete.");
}

function readBytes(request: IncomingMessage, response: ServerResponse, bounds: BodyBounds): Promise<Buffer> {
  const { limitBytes, graceMs, clock } = bounds;
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limitBytes) return Promise.reject(tooLarge(limitBytes));
  if (request.destroyed) return Promise.reject(closedEarly());
  // A client that asked first (`expect: 100-continue`) is told to go on only now that its headers were accepted.
  if (request.headers.expect !== undefined && request.httpVersion === "1.1") response.writeContinue();

  return new Promise((resolve, reject) => {
    // One growing buffer: a body of one-byte chunks must not cost an object for each of them.
    let buffer = Buffer.allocUnsafe(Math.min(Math.max(announced, 1024), firstBufferBytes));
    let length = 0;
    const startedAtMs = clock.monotonicMs();

    const settle = (finish: () => void) => {
      cancelTimer();
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("close", onClose);
      finish();
    };
    const onData = (chunk: Buffer) => {
      const needed = length + chunk.length;
      if (needed > limitBytes) {
        settle(() => reject(tooLarge(limitBytes)));
        return;
      }
      if (needed > buffer.length) {
        const larger = Buffer.allocUnsafe(Math.min(limitBytes, Math.max(needed, buffer.length * 2)));
        buffer.copy(larger, 0, 0, length);
        buffer = larger;
      }
      chunk.copy(buffer, length);
      length = needed;
    };
    const onEnd = () => settle(() => resolve(buffer.subarray(0, length)));
    const onClose = () => settle(() => reject(closedEarly()));
    const checkPace = () => {
      const allowedMs = graceMs + (length / leastBytesPerSecond) * 1000;
      const leftMs = allowedMs - (clock.monotonicMs() - startedAtMs);
      if (leftMs > 0) {
        cancelTimer = clock.after(leftMs, checkPace);
        return;
      }
      response.shouldKeepAlive = false;
      settle(() => reject(new Failure("invalid_request", "The body came too slowly.")));
    };
    let cancelTimer = clock.after(graceMs, checkPace);
    request.on("data", onData);
    request.on("end", onEnd);
    request.on("close", onClose);
  });
}

/** Throws Failure `invalid_request` for anything but well-formed JSON in UTF-8. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new Failure("invalid_request", "The body is not valid UTF-8.");
  if (nestsTooDeep(bytes)) {
    throw new Failure("invalid_request", `The body nests deeper than ${deepestNesting} levels.`);
  }
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // The parser's own message quotes the body.
    throw new Failure("invalid_request", "The body is not valid JSON.");
  }
}

const quote = 0x22;
const backslash = 0x5c;

/** Looks at the bytes, because the parser itself would spend memory on every open bracket. About 1 ms per MB. */
function nestsTooDeep(bytes: Buffer): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (inString) {
      if (byte === backslash) index += 1;
      else if (byte === quote) inString = false;
    } else if (byte === quote) {
      inString = true;
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      if (depth > deepestNesting) return true;
    } else if (byte === 0x5d || byte === 0x7d) {
      depth -= 1;
    }
  }
  return false;
}
