/**
 * A `multipart/form-data` body with one file, handed on piece by piece as it arrives. Runs in the server; bounded in fields, in headers
 * and in pace; how large the file may be is the business of whoever takes it. Every refusal is a Failure.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Busboy } from "@fastify/busboy";
import { asFailure, Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";

export interface Multipart<Taken> {
  readonly fields: ReadonlyMap<string, string>;
  /** What became of the file; null: there was none. */
  readonly file: { readonly name: string; readonly taken: Taken } | null;
}

export interface MultipartBounds {
  /** Time every body has, besides its size's worth at `leastBytesPerSecond`. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** Ends the reading; its reason is what is thrown. */
  readonly signal: AbortSignal;
}

const leastBytesPerSecond = 32 * 1024;
const limits = Object.freeze({
  fieldNameSize: 100,
  fieldSize: 1_000,
  fields: 20,
  files: 1,
  parts: 21,
  headerPairs: 20,
  headerSize: 8 * 1024,
});
/** Characters; longer names are cut. */
const longestName = 200;

/** `take` gets the part named `file`. Throws what it throws, `unsupported_media_type` or `invalid_request`. */
export async function readMultipart<Taken>(
  request: IncomingMessage,
  response: ServerResponse,
  { graceMs, clock, signal }: MultipartBounds,
  take: (content: AsyncIterable<Uint8Array>) => Promise<Taken>,
): Promise<Multipart<Taken>> {
  const type = request.headers["content-type"] ?? "";
  if (!/^multipart\/form-data\s*;/i.test(type)) {
    throw new Failure("unsupported_media_type", "A file must be sent as 'content-type: multipart/form-data'.");
  }
  if (request.headers["content-encoding"] !== undefined) {
    throw new Failure("unsupported_media_type", "A file must be sent without 'content-encoding'.");
  }
  if (request.headers.expect !== undefined && request.httpVersion === "1.1") response.writeContinue();
  const parser = openParser(type);
  const fields = new Map<string, string>();
  const taking: { readonly name: string; readonly taken: Promise<Taken> }[] = [];

  await new Promise<void>((resolve, reject) => {
    let receivedBytes = 0;
    const startedAtMs = clock.monotonicMs();
    const settle = (finish: () => void) => {
      cancelTimer();
      signal.removeEventListener("abort", onAbort);
      request.off("close", onClose);
      request.unpipe(parser);
      finish();
    };
    const fail = (thrown: unknown) =>
      settle(() => {
        // Whoever takes the file hears of it by its stream.
        parser.destroy();
        for (const stream of streams) stream.destroy(asFailure(thrown));
        request.resume();
        reject(asFailure(thrown));
      });
    const streams: { destroy(error: Error): unknown }[] = [];
    const onAbort = () => fail(signal.reason);
    const onClose = () => {
      if (!request.readableEnded)
        fail(new Failure("invalid_request", "The connection closed before the body was complete."));
    };
    const checkPace = () => {
      const allowedMs = graceMs + (receivedBytes / leastBytesPerSecond) * 1_000;
      const leftMs = allowedMs - (clock.monotonicMs() - startedAtMs);
      if (leftMs <= 0) {
        response.shouldKeepAlive = false;
        fail(new Failure("invalid_request", "The body came too slowly."));
        return;
      }
      cancelTimer = clock.after(leftMs, checkPace);
    };
    let cancelTimer = clock.after(graceMs, checkPace);
    const tooMany = () => fail(new Failure("invalid_request", "The form has more parts or longer ones than are read."));
    parser.on("field", (name, value, nameTruncated, valueTruncated) => {
      if (nameTruncated || valueTruncated) tooMany();
      else fields.set(name, value);
    });
    parser.on("file", (name, stream, fileName) => {
      streams.push(stream);
      // Without a listener an error of the body's would end the process.
      stream.on("error", () => {});
      if (name !== "file") {
        fail(new Failure("invalid_request", "The file must be in the field 'file'.", { param: "file" }));
        return;
      }
      const taken = take(stream);
      taken.catch(fail);
      taking.push({ name: nameOf(fileName), taken });
    });
    for (const event of ["filesLimit", "fieldsLimit", "partsLimit"] as const) parser.on(event, tooMany);
    parser.on("error", (cause) => fail(new Failure("invalid_request", "The body is no whole form.", { cause })));
    parser.on("finish", () => settle(resolve));
    signal.addEventListener("abort", onAbort, { once: true });
    request.on("close", onClose);
    request.on("data", (chunk: Buffer) => {
      receivedBytes += chunk.length;
    });
    if (signal.aborted) onAbort();
    else if (request.destroyed) onClose();
    else request.pipe(parser);
  }).catch(async (thrown: unknown) => {
    // Nothing of it is left behind when this is over.
    await Promise.allSettled(taking.map(({ taken }) => taken));
    throw thrown;
  });
  const [file] = taking;
  return { fields, file: file === undefined ? null : { name: file.name, taken: await file.taken } };
}

function openParser(type: string): InstanceType<typeof Busboy> {
  try {
    return new Busboy({ headers: { "content-type": type }, limits });
  } catch (cause) {
    throw new Failure("invalid_request", "The 'content-type' of the form names no boundary.", { cause });
  }
}

function nameOf(fileName: string | undefined): string {
  const clean = (fileName ?? "").replace(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}"\\]/gu, "").trim();
  return clean.slice(0, longestName) || "file.jsonl";
}
