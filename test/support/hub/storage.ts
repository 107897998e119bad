/** The storage host of the stand-in Hub: signed links, ranges, and most of the misbehaviour. */
import { createHash, randomBytes } from "node:crypto";
import { open } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { setTimeout as pause } from "node:timers/promises";
import { count, sayWait } from "./front.ts";
import type { HubMeter } from "./meter.ts";
import type { Script } from "./script.ts";
import type { ShelvedFile } from "./shelf.ts";

const pieceBytes = 64 << 10;

export interface StorageParts {
  readonly script: () => Script;
  readonly meter: () => HubMeter;
  readonly used: Map<string, number>;
  /** Where `/forward/` leads on to; it is another host. */
  readonly secondUrl: () => string;
}

export interface Storage {
  /** A path with its signature. */
  link(file: ShelvedFile): string;
  serve(request: IncomingMessage, response: ServerResponse): void;
}

interface Range {
  readonly start: number;
  readonly end: number;
}

export function createStorage(parts: StorageParts): Storage {
  const { meter, used } = parts;
  const links = new Map<string, { readonly file: ShelvedFile; answers: number }>();
  /** Until when everything that was sent so far takes, at the script's speed. */
  let busyUntilMs = 0;

  async function slowDown(bytes: number): Promise<void> {
    const { bytesPerSecond } = parts.script();
    if (bytesPerSecond === undefined) return;
    busyUntilMs = Math.max(performance.now(), busyUntilMs) + (bytes * 1000) / bytesPerSecond;
    const waitMs = busyUntilMs - performance.now();
    if (waitMs > 2) await pause(waitMs);
  }

  async function send(file: ShelvedFile, range: Range, response: ServerResponse): Promise<void> {
    const { cutsAfterBytes = [], stallsAfterBytes = [], wrongByte, overrunBytes = 0 } = parts.script();
    const number = count(used, "answers");
    // Of the script this answer began under: what is still on its way when the next one is played is not counted there.
    const counted = meter();
    const cutAt = cutsAfterBytes[number - 1] ?? Number.POSITIVE_INFINITY;
    const stallAt = stallsAfterBytes[number - 1] ?? Number.POSITIVE_INFINITY;
    const handle = await open(file.location, "r");
    let gone = false;
    response.once("close", () => {
      gone = true;
    });
    try {
      const piece = Buffer.alloc(pieceBytes);
      for (let at = range.start; at < range.end + overrunBytes && !gone; ) {
        const left = Math.min(range.end + overrunBytes - at, cutAt - (at - range.start), stallAt - (at - range.start));
        if (left <= 0) break;
        const length = Math.min(pieceBytes, left);
        await handle.read(piece, 0, length, at);
        const middle = Math.floor(file.bytes / 2);
        if (wrongByte === true && middle >= at && middle < at + length)
          piece[middle - at] = (piece[middle - at] ?? 0) ^ 1;
        await slowDown(length);
        if (gone) break;
        counted.served(file.path, length);
        // Resolved when the system has taken it, so that a cut comes behind these bytes and not in their place.
        await new Promise<void>((resolve) => {
          const done = () => resolve();
          response.once("close", done);
          response.write(Buffer.from(piece.subarray(0, length)), () => {
            response.off("close", done);
            resolve();
          });
        });
        at += length;
      }
    } finally {
      await handle.close();
    }
    if (stallAt < range.end - range.start && stallAt < cutAt) return;
    if (cutAt < range.end - range.start) response.socket?.end();
    else response.end();
  }

  function serveBlob(file: ShelvedFile, request: IncomingMessage, response: ServerResponse): void {
    const script = parts.script();
    const asked = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    const answer = (status: number): ServerResponse => {
      meter().ranges.push({ file: file.path, range: request.headers.range ?? null, status });
      response.statusCode = status;
      return response;
    };
    const { rateLimits } = script;
    const isUsedUp = (what: string, times: number | undefined) => times === undefined || count(used, what) > times;
    if (rateLimits?.where === "storage" && !isUsedUp("storage 429", rateLimits.count)) {
      sayWait(answer(429), rateLimits);
      return;
    }
    if (!isUsedUp("500", script.serverErrors)) {
      answer(500).end("oh");
      return;
    }
    if (!isUsedUp("refused", script.refusedLinks)) {
      answer(403).end("<Error><Code>AccessDenied</Code></Error>");
      return;
    }
    if (!isUsedUp("pages", script.webPages)) {
      answer(200).setHeader("content-type", "text/html; charset=utf-8");
      response.end("<html><title>Please sign in to the network</title></html>");
      return;
    }
    const total = file.bytes + (script.extraBytes ?? 0);
    const etags = count(used, "etags");
    const isOther = script.otherEtagFrom !== undefined && etags >= script.otherEtagFrom;
    response.setHeader(
      "etag",
      `"${createHash("md5")
        .update(file.sha256 + isOther)
        .digest("hex")}"`,
    );
    response.setHeader("content-type", "application/octet-stream");
    if (asked === null || script.ignoresRanges === true) {
      answer(200).setHeader("content-length", total);
      void send(file, { start: 0, end: total }, response);
      return;
    }
    const shift = isUsedUp("ranges", script.wrongRanges) ? 0 : 1;
    const start = Number(asked[1]) + shift;
    const end = Math.min(Number(asked[2]) + 1 + shift, total);
    if (start >= end) {
      answer(416).setHeader("content-range", `bytes */${total}`);
      response.end();
      return;
    }
    answer(206).setHeader("content-range", `bytes ${start}-${end - 1}/${total}`);
    if (script.overrunBytes === undefined) response.setHeader("content-length", end - start);
    response.flushHeaders();
    void send(file, { start, end }, response);
  }

  return {
    link(file) {
      const signature = randomBytes(8).toString("hex");
      links.set(signature, { file, answers: 0 });
      return `/blob/${file.sha256}?Expires=1&Signature=${signature}`;
    },
    serve(request, response) {
      const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
      meter().saw(request.headers.host ?? "", `${request.method} ${url.pathname}`, request.headers.authorization);
      if (url.pathname.startsWith("/forward/")) {
        const onward = new URL(`${url.pathname.replace("/forward/", "/blob/")}${url.search}`, parts.secondUrl());
        response.writeHead(302, { location: onward.href }).end();
        return;
      }
      const held = links.get(url.searchParams.get("Signature") ?? "");
      const { answersPerLink = Number.POSITIVE_INFINITY } = parts.script();
      if (held === undefined || held.answers >= answersPerLink) {
        response.writeHead(403, { "content-type": "application/xml" });
        response.end("<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>");
        return;
      }
      held.answers += 1;
      serveBlob(held.file, request, response);
    },
  };
}
