/**
 * Reads a request's body: bounded in size, in time and in what it unpacks to, before anything looks at it. Runs in the
 * server; knows no dialect. Every refusal is a Failure.
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import type { BodyBudget, BodyHold } from "./body-budget.ts";
import { codingOf } from "./content-encoding.ts";
import { GrowingBytes } from "./growing-bytes.ts";
import { parseJson } from "./json-bytes.ts";

export interface BodyBounds {
  readonly limitBytes: number;
  /** Time every body has, besides its size's worth at `leastBytesPerSecond`. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** What all bodies together may take. */
  readonly budget: BodyBudget;
}

/** Slower than a bad mobile uplink; a client that trickles bytes to hold a connection is far below it. */
const leastBytesPerSecond = 32 * 1024;
/** Prompts shrink to a tenth, dull ones to a fiftieth. What unpacks to more was made to hurt. */
const mostExpansion = 200;
/** Below this nothing that unpacks can hurt. */
const freelyUnpackedBytes = 1024 * 1024;

/** Throws Failure `unsupported_media_type` unless the headers promise UTF-8 JSON in a coding we read, or no body at all. */
export function requireJson(headers: IncomingHttpHeaders): void {
  codingOf(headers);
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
  const hold = bounds.budget.hold();
  try {
    const bytes = await readBytes(request, response, bounds, hold);
    return bytes.length === 0 ? undefined : parseJson(bytes);
  } finally {
    hold.release();
  }
}

function tooLarge(limitBytes: number): Failure {
  return new Failure("payload_too_large", `The body is larger than ${limitBytes} bytes, the most that is read.`);
}

function closedEarly(): Failure {
  return new Failure("invalid_request", "The connection closed before the body was complete.");
}

function readBytes(
  request: IncomingMessage,
  response: ServerResponse,
  bounds: BodyBounds,
  hold: BodyHold,
): Promise<Buffer> {
  const { limitBytes, graceMs, clock } = bounds;
  const announced = Number(request.headers["content-length"] ?? 0);
  if (announced > limitBytes) return Promise.reject(tooLarge(limitBytes));
  if (request.destroyed) return Promise.reject(closedEarly());
  const coding =
    announced === 0 && request.headers["transfer-encoding"] === undefined ? null : codingOf(request.headers);
  const windowBytes = coding?.windowBytes ?? 0;
  // A client that asked first (`expect: 100-continue`) is told to go on only now that its headers were accepted.
  if (request.headers.expect !== undefined && request.httpVersion === "1.1") response.writeContinue();

  return new Promise((resolve, reject) => {
    const bytes = new GrowingBytes(announced, (total) => hold.growTo(windowBytes + total));
    /** Bytes as they came, before they are unpacked. */
    let received = 0;
    const unpacker = coding?.open() ?? null;
    const startedAtMs = clock.monotonicMs();

    const settle = (finish: () => void) => {
      cancelTimer();
      request.off("data", onData);
      request.off("end", onEnd);
      request.off("close", onClose);
      if (unpacker !== null) {
        unpacker.off("data", take);
        unpacker.destroy();
        // What still comes is read away.
        request.resume();
      }
      finish();
    };
    const fail = (failure: unknown) => settle(() => reject(failure));
    const take = (chunk: Buffer) => {
      const needed = bytes.length + chunk.length;
      if (needed > limitBytes) {
        fail(tooLarge(limitBytes));
        return;
      }
      if (unpacker !== null && needed > freelyUnpackedBytes && needed > unpacker.bytesWritten * mostExpansion) {
        const message = `The body unpacks to more than ${mostExpansion} times its size.`;
        fail(new Failure("payload_too_large", message));
        return;
      }
      try {
        bytes.append(chunk);
      } catch (thrown) {
        fail(thrown);
      }
    };
    const done = () => settle(() => resolve(bytes.whole()));
    const onData = (chunk: Buffer) => {
      received += chunk.length;
      if (unpacker === null) take(chunk);
      else if (received > limitBytes) fail(tooLarge(limitBytes));
      else if (!unpacker.write(chunk)) request.pause();
    };
    const onEnd = () => {
      if (unpacker === null) {
        done();
        return;
      }
      cancelTimer();
      unpacker.end();
    };
    const onClose = () => {
      // A request that came whole closes too, while its last bytes are still being unpacked.
      if (!request.readableEnded) fail(closedEarly());
    };
    const checkPace = () => {
      const allowedMs = graceMs + (received / leastBytesPerSecond) * 1000;
      const leftMs = allowedMs - (clock.monotonicMs() - startedAtMs);
      if (leftMs > 0) {
        cancelTimer = clock.after(leftMs, checkPace);
        return;
      }
      response.shouldKeepAlive = false;
      fail(new Failure("invalid_request", "The body came too slowly."));
    };
    let cancelTimer = clock.after(graceMs, checkPace);
    request.on("data", onData);
    request.on("end", onEnd);
    request.on("close", onClose);
    unpacker?.on("drain", () => request.resume());
    unpacker?.on("data", take);
    unpacker?.on("error", (cause) => {
      fail(new Failure("invalid_request", "The body is not what its 'content-encoding' says.", { cause }));
    });
    unpacker?.on("end", () => {
      // The unpacker stops at the end of a frame and says nothing of what follows it.
      if (unpacker.bytesWritten === received) done();
      else fail(new Failure("invalid_request", "More follows after the end of the compressed body."));
    });
  });
}
