/**
 * One request for one part of a file, checked before a byte of it is taken: the right range, of a file of the right length,
 * and no web page in its place. Runs in the server process and in commands.
 */
import type { ByteRange } from "./ranges.ts";
import { type Answer, discard, type HubCalls } from "./hub/calls.ts";
import { busyRefusal, headerOf } from "./hub/refusals.ts";
import { again, asTrouble, DownloadTrouble, doubt } from "./trouble.ts";

export interface PartRequest {
  readonly link: URL;
  readonly part: ByteRange;
  readonly fileBytes: number;
  readonly signal: AbortSignal;
}

export interface PartAnswer {
  /** What the body holds: the part, or the whole file where the server takes no ranges. */
  readonly range: ByteRange;
  /** The storage host's own mark of this version of the file. */
  readonly mark: string | null;
  /** The bytes, at most as many as the range has. Throws DownloadTrouble when they end too early. */
  readonly pieces: AsyncIterable<Uint8Array>;
  /** Not wanted after all. */
  discard(): void;
}

/** Throws DownloadTrouble. */
export async function requestPart(calls: HubCalls, request: PartRequest): Promise<PartAnswer> {
  const { part, fileBytes } = request;
  const answer = await calls.call(request.link, {
    method: "GET",
    headers: { range: `bytes=${part.start}-${part.end - 1}` },
    signal: request.signal,
  });
  try {
    const range = rangeOf(answer, part, fileBytes, calls.clock.now());
    const mark = markOf(answer);
    return {
      range,
      mark,
      pieces: piecesOf(answer, range, request.signal),
      discard: () => discard(answer.body),
    };
  } catch (thrown) {
    discard(answer.body);
    throw thrown;
  }
}

/** A weak mark says nothing of bytes. */
function markOf({ headers }: Answer): string | null {
  const etag = headerOf(headers, "etag") ?? "";
  return etag.startsWith('"') && etag.length < 200 ? etag : null;
}

function rangeOf({ status, headers }: Answer, part: ByteRange, fileBytes: number, nowMs: number): ByteRange {
  const type = headerOf(headers, "content-type") ?? "";
  const encoding = headerOf(headers, "content-encoding") || "identity";
  if (status === 200 || status === 206) {
    if (/^text\/html/i.test(type)) throw webPage();
    if (encoding !== "identity") {
      throw new DownloadTrouble(
        "not_the_file",
        doubt,
        `The file came compressed (${encoding.slice(0, 20)}), which was not asked for.`,
      );
    }
  }
  if (status === 206) return checkedRange(headerOf(headers, "content-range"), part, fileBytes);
  if (status === 200) {
    const length = headerOf(headers, "content-length");
    if (length === String(fileBytes)) return { start: 0, end: fileBytes };
    throw wrongLength(fileBytes, length ?? "an unknown number of");
  }
  if (status === 416) throw wrongLength(fileBytes, "fewer");
  const busy = busyRefusal(status, headers, nowMs);
  if (busy !== null) throw busy;
  // A signed link has ended, or was never good: a fresh one is asked for.
  throw new DownloadTrouble("link_refused", doubt, `the storage host refuses the link (${status})`);
}

function checkedRange(text: string | undefined, part: ByteRange, fileBytes: number): ByteRange {
  const [, start, last, total] = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15}|\*)$/.exec(text?.trim() ?? "") ?? [];
  if (total !== undefined && total !== "*" && Number(total) !== fileBytes) throw wrongLength(fileBytes, total);
  if (Number(start) !== part.start || Number(last) < part.start || Number(last) >= part.end) {
    throw new DownloadTrouble("wrong_range", doubt, "Another part of the file came than was asked for.");
  }
  return { start: part.start, end: Number(last) + 1 };
}

function wrongLength(fileBytes: number, found: string): DownloadTrouble {
  return new DownloadTrouble(
    "wrong_length",
    doubt,
    `The file should have ${fileBytes} bytes, and the storage host has ${found}.`,
  );
}

function webPage(): DownloadTrouble {
  return new DownloadTrouble("not_the_file", doubt, "A web page came instead of the file.", {
    why: "Is there a sign-in page between this box and the Hub?",
  });
}

async function* piecesOf(answer: Answer, range: ByteRange, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  let left = range.end - range.start;
  try {
    for await (const piece of answer.body as AsyncIterable<Uint8Array>) {
      // Read on to the end, so that the connection can be used again; but what lies beyond the range is not the file's.
      if (left === 0) break;
      yield piece.subarray(0, left);
      left -= Math.min(left, piece.length);
    }
  } catch (thrown) {
    signal.throwIfAborted();
    if (left > 0) throw asTrouble(thrown);
  } finally {
    discard(answer.body);
  }
  if (left > 0) throw new DownloadTrouble("unreachable", again, "the connection was cut");
}
