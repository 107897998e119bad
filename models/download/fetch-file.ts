/**
 * Fetches the missing bytes of one file over several connections, and goes on after whatever cuts them. It holds the only
 * retry loop of a download; when to try again is decided in `retry.ts`. Runs in the server process and in commands.
 */
import type { Clock } from "../../server/domain/ports.ts";
import { requestPart } from "./fetch-part.ts";
import type { HubCalls } from "./hub/calls.ts";
import { type FileQuestion, resolveFile } from "./hub/resolve.ts";
import type { FileIdentity } from "./journal.ts";
import type { PartFile } from "./part-file.ts";
import { type ByteRange, planParts } from "./ranges.ts";
import type { RateCap } from "./rate-cap.ts";
import { nextTry, type RetryTimes } from "./retry.ts";
import { asTrouble, DownloadTrouble, doubt, never } from "./trouble.ts";
import { waitFor } from "../../server/platform/wait.ts";

export interface FetchFile {
  readonly calls: HubCalls;
  readonly file: FileQuestion & FileIdentity;
  /** Known from just now; null: asked for. */
  readonly link: URL | null;
  readonly into: PartFile;
  /** Connections at the same time. */
  readonly parallel: number;
  partBytesOf(fileBytes: number): number;
  readonly caps: readonly RateCap[];
  readonly times: RetryTimes;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** After each piece; may throw to end it all. */
  onBytes(fresh: number): void | Promise<void>;
  /** `waitMs`: until it tries again. */
  onTrouble(trouble: DownloadTrouble, waitMs: number): void;
}

/** Every byte is there when it resolves. Throws DownloadTrouble, or the signal's reason; what was written stays. */
export async function fetchFile(order: FetchFile): Promise<void> {
  const { file, into, clock } = order;
  const stop = new AbortController();
  const signal = AbortSignal.any([order.signal, stop.signal]);
  const parts = planParts(into.there, file.bytes, order.partBytesOf(file.bytes));
  const line = createLine(order, signal);

  async function fetchOnce(part: ByteRange, connection: number): Promise<"done" | "leave"> {
    const link = await line.link();
    const answer = await requestPart(order.calls, { link, part, fileBytes: file.bytes, signal });
    if (!line.isKnown(answer.mark)) {
      answer.discard();
      throw new DownloadTrouble("changed", doubt, "the storage host has another version of the file");
    }
    // A server without ranges sends the whole file to everybody: one connection takes it, the others leave.
    const isWhole = answer.range.start !== part.start || answer.range.end > part.end;
    if (isWhole && !line.takeWhole(connection)) {
      answer.discard();
      return "leave";
    }
    let position = answer.range.start;
    for await (const piece of answer.pieces) {
      for (const slice of slicesOf(piece, order.caps)) {
        const fresh = await into.write(slice, position);
        position += slice.length;
        if (fresh > 0) line.progress();
        await order.onBytes(fresh);
        const waits = order.caps.map((cap) => cap.take(slice.length, clock.monotonicMs()));
        await waitFor(clock, Math.max(0, ...waits), signal);
      }
    }
    return "done";
  }

  async function fetchParts(connection: number): Promise<void> {
    for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
      // Somebody else may have brought it meanwhile, with a whole file.
      if (into.there.missing(part.end, part.start).length === 0) continue;
      let round = line.round;
      let outcome: "done" | "leave" = "done";
      try {
        await line.open();
        round = line.round;
        outcome = await fetchOnce(part, connection);
      } catch (thrown) {
        signal.throwIfAborted();
        line.trouble(asTrouble(thrown), round);
      }
      parts.unshift(...into.there.missing(part.end, part.start));
      if (outcome === "leave") return;
    }
  }

  const connections = Array.from({ length: order.parallel }, (_, index) =>
    fetchParts(index).catch((thrown: unknown) => {
      // The first that gives up ends the others; what they throw then is this again.
      stop.abort(thrown);
      throw thrown;
    }),
  );
  await Promise.allSettled(connections);
  order.signal.throwIfAborted();
  if (stop.signal.aborted) throw asTrouble(stop.signal.reason);
  const gaps = into.there.missing(file.bytes).length;
  if (gaps > 0) throw new DownloadTrouble("internal", never, `Nobody fetched ${gaps} parts of the file.`);
}

/** What the connections of one file share: the link, the marks seen, how long nothing new came. */
interface Line {
  /** Grows with each trouble that counts. Those of requests begun before it are the same one. */
  readonly round: number;
  /** Resolves when trying is allowed. */
  open(): Promise<void>;
  link(): Promise<URL>;
  isKnown(mark: string | null): boolean;
  /** Whether this connection is the one that takes whole files. */
  takeWhole(connection: number): boolean;
  progress(): void;
  /** Arranges the next try, or throws the trouble when there is none. */
  trouble(trouble: DownloadTrouble, round: number): void;
}

function createLine(order: FetchFile, signal: AbortSignal): Line {
  const { calls, file, clock, times } = order;
  const marks = new Set<string>();
  let link: Promise<URL> | null = order.link === null ? null : Promise.resolve(order.link);
  let wholeTaker: number | null = null;
  let round = 0;
  let fruitless = 0;
  /** Since the last new byte. */
  let askedWaitMs = 0;
  let lastByteMs = clock.monotonicMs();
  let openAtMs = lastByteMs;

  async function freshLink(): Promise<URL> {
    const resolved = await resolveFile(calls, file, signal);
    const isOther =
      (resolved.sha256 !== null && resolved.sha256 !== file.sha256) ||
      (resolved.bytes !== null && resolved.bytes !== file.bytes);
    if (!isOther) return resolved.link;
    throw new DownloadTrouble("changed", never, `The Hub now says something else of ${file.path} than before.`, {
      why: "A pinned revision must not change.",
    });
  }

  return {
    get round() {
      return round;
    },
    async open() {
      while (clock.monotonicMs() < openAtMs) await waitFor(clock, openAtMs - clock.monotonicMs(), signal);
      signal.throwIfAborted();
    },
    link: () => {
      if (link !== null) return link;
      const asked = freshLink();
      link = asked;
      // A question that failed is asked again, not remembered.
      asked.catch(() => {
        if (link === asked) link = null;
      });
      return asked;
    },
    isKnown(mark) {
      if (mark === null || marks.has(mark)) return true;
      // Taken from the second answer on: by then the Hub was asked again, and said that the file is the same.
      marks.add(mark);
      return marks.size === 1;
    },
    takeWhole(connection) {
      wholeTaker ??= connection;
      return wholeTaker === connection;
    },
    progress() {
      fruitless = 0;
      askedWaitMs = 0;
      lastByteMs = clock.monotonicMs();
    },
    trouble(trouble, begunIn) {
      const nowMs = clock.monotonicMs();
      const isSame = begunIn !== round;
      if (isSame && trouble.remedy.kind !== "never" && trouble.remedy.kind !== "wait") return;
      if (!isSame) {
        round += 1;
        fruitless += 1;
      }
      const next = nextTry(trouble, { fruitless, lastByteMs, askedWaitMs }, nowMs, Math.random(), times);
      if (next.kind === "give-up") throw trouble;
      if (next.freshLink) link = null;
      if (trouble.remedy.kind === "wait") askedWaitMs += next.delayMs;
      openAtMs = Math.max(openAtMs, nowMs + next.delayMs);
      order.onTrouble(trouble, openAtMs - nowMs);
    },
  };
}

function* slicesOf(piece: Uint8Array, caps: readonly RateCap[]): Generator<Uint8Array> {
  const most = Math.min(piece.length, ...caps.map((cap) => cap.sliceBytes));
  for (let at = 0; at < piece.length; at += most) yield piece.subarray(at, at + most);
}
