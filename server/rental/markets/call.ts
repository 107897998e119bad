/**
 * One call to a market's API. Runs in the server, in the CLI, and on a rented machine. The key goes to the host of the base URL only, no
 * redirect is followed, numbers keep the digits they came with, and what is no answer is a Failure in words. Tries once.
 */
import type { Response } from "undici";
import { z } from "zod";
import { exactJson } from "../../backends/cloud/bills/exact-json.ts";
import { coolDownMs } from "../../dialects/retry-after.ts";
import { asFailure, Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";
import type { UpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";

/** A figure or a word of an answer: numbers come as the text that they were written as. */
export const wireText = z.union([z.string(), z.number().transform(String), z.null()]).optional();

export interface MarketCall {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Behind the base URL. */
  readonly path: string;
  readonly body?: object;
  /** Statuses that mean something to whoever asks, besides 2xx: nothing is thrown for them. Absent: 404 and 409. */
  readonly heard?: readonly number[];
}

export interface MarketAnswer {
  readonly status: number;
  /** JSON with its numbers as text; null: the body is empty. */
  readonly body: unknown;
  /** Our time when it came. */
  readonly atMs: number;
  /** The market's clock minus ours; null: it does not say. */
  readonly skewMs: number | null;
}

export interface MarketWire {
  readonly title: string;
  readonly baseUrl: string;
  readonly secret: string | null;
  readonly upstream: Pick<UpstreamFetch, "fetch">;
  readonly clock: Clock;
}

/** A list of every offer of a market is a few MB. */
const mostBytes = 32 * 1024 ** 2;
const limitMs = 30_000;
const heardAlways = Object.freeze([404, 409]);
/** An older copy of an answer, out of some cache on the way, decides nothing. Nobody sets a clock wrong by so much and lives with it. */
const mostAgeMs = 300_000;
const mostBehindMs = 6 * 3_600_000;

/** Resolves for 2xx and for what is `heard`. Throws a Failure otherwise, also for an answer that is hours old. */
export async function callMarket(wire: MarketWire, call: MarketCall, signal: AbortSignal): Promise<MarketAnswer> {
  const { title, clock } = wire;
  const limit = new AbortController();
  const onAbort = () => limit.abort(signal.reason);
  if (signal.aborted) onAbort();
  signal.addEventListener("abort", onAbort, { once: true });
  const tooLate = new Failure("upstream_timeout", `${title} did not answer within ${limitMs / 1000} s.`);
  const cancel = clock.after(limitMs, () => limit.abort(tooLate));
  try {
    const response = await wire.upstream.fetch(wire.baseUrl + call.path, {
      method: call.method,
      headers: {
        accept: "application/json",
        "cache-control": "no-cache",
        "user-agent": "lanthorn",
        ...(call.body === undefined ? {} : { "content-type": "application/json" }),
        ...(wire.secret === null ? {} : { authorization: `Bearer ${wire.secret}` }),
      },
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      signal: limit.signal,
    });
    const text = await textOf(response, title);
    refuse(response, text, wire, call.heard ?? heardAlways);
    const skewMs = freshSkewOf(response, wire);
    return {
      status: response.status,
      body: jsonOf(response, text, title),
      atMs: clock.now(),
      skewMs,
    };
  } catch (thrown) {
    if (signal.aborted) throw signal.reason;
    if (limit.signal.aborted) throw tooLate;
    if (thrown instanceof Failure) throw thrown;
    throw new Failure("upstream_unreachable", `${title} cannot be reached.`, {
      cause: asFailure(thrown).cause ?? thrown,
    });
  } finally {
    cancel();
    signal.removeEventListener("abort", onAbort);
  }
}

/** What the market says, as the shape that its documentation gives. Throws Failure `upstream_failed`. */
export function readAs<Shape>(shape: z.ZodType<Shape>, body: unknown, title: string): Shape {
  const read = shape.safeParse(body);
  if (read.success) return read.data;
  throw new Failure("upstream_failed", `${title} answers in another shape than its documentation says.`, {
    cause: read.error,
  });
}

async function textOf(response: Response, title: string): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += part.length;
    if (bytes > mostBytes) throw new Failure("upstream_failed", `${title} answers with more than ${mostBytes} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString("utf8");
}

/** Its own words are left out where they may repeat the key. */
function refuse(
  { status, headers }: Response,
  text: string,
  { title, secret, clock }: MarketWire,
  heard: readonly number[],
): void {
  const said = text.slice(0, 200).replace(/\s+/g, " ").trim();
  if (status >= 200 && status < 300) return;
  // A page of HTML is some proxy's, whose 404 does not mean that an instance is gone.
  if (heard.includes(status) && !said.startsWith("<")) return;
  const isWords = said !== "" && !said.startsWith("<") && (secret === null || !said.includes(secret));
  const words = isWords ? `: ${said.replace(/[.\s]+$/, "")}` : "";
  if (status === 401 || status === 403) {
    throw new Failure("upstream_key_refused", `${title} does not take the key (${status}).`, {
      next: ["Set markets.<name>.keyFile, or the variable of the market's own tools."],
    });
  }
  if (status === 429) {
    const waitMs = coolDownMs(Object.fromEntries(headers), clock.now());
    throw new Failure("upstream_rate_limited", `${title} has had enough questions for now (429)${words}.`, {
      coolDownMs: waitMs,
      ...(waitMs === null ? {} : { retryAfterSeconds: waitMs / 1000 }),
    });
  }
  if (status === 402) throw new Failure("upstream_quota", `The account at ${title} has no credit left (402)${words}.`);
  if (status >= 400 && status < 500 && !said.startsWith("<")) {
    throw new Failure("upstream_invalid_request", `${title} refuses it (${status})${words}.`);
  }
  throw new Failure("upstream_failed", `${title} answers with status ${status}${words}.`);
}

function jsonOf({ status, headers }: Response, text: string, title: string): unknown {
  if (text.trim() === "") return null;
  for (const attempt of [text, withoutNan(text)]) {
    try {
      return exactJson(attempt);
    } catch {
      // Seen below.
    }
  }
  if (status < 200 || status >= 300) return null;
  const type = (headers.get("content-type") ?? "no type").split(";")[0];
  throw new Failure("upstream_failed", `${title} answers with ${type} where JSON should be.`);
}

/** Servers in Python write `NaN` where a number is none. It is a word to us, and no price, and the rest of the list is good. */
function withoutNan(text: string): string {
  return text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (word) =>
    word.startsWith('"') ? word : `"${word}"`,
  );
}

/** The market's clock minus ours; null: it does not say. Throws for an answer that is an old copy. */
function freshSkewOf({ headers }: Response, { title, clock }: MarketWire): number | null {
  const ageMs = Number(headers.get("age") ?? "0") * 1000;
  const at = Date.parse(headers.get("date") ?? "");
  const skewMs = Number.isNaN(at) ? null : at - clock.now();
  const oldMs = ageMs > mostAgeMs ? ageMs : skewMs !== null && -skewMs > mostBehindMs ? -skewMs : null;
  if (oldMs === null) return skewMs;
  const hours = oldMs < 3_600_000 ? "less than an hour" : `${Math.round(oldMs / 3_600_000)} h`;
  throw new Failure("upstream_failed", `${title} answers with a copy that is ${hours} old, by this machine's clock.`);
}
