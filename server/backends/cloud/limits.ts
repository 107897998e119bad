/** What a provider says is left for a key, read from the headers of its answers. Pure. */
import type { LimitHeaders, Provider } from "./provider.ts";

export interface LimitView {
  readonly limit: number | null;
  readonly remaining: number;
  /** Epoch milliseconds at which it is full again; null: not said. */
  readonly resetAtMs: number | null;
}

export interface LimitsView {
  readonly requests: LimitView | null;
  readonly tokens: LimitView | null;
  /** Epoch milliseconds at which it was said. */
  readonly atMs: number;
}

export type AnswerHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Null where it says nothing, or nothing that can be read. */
export function readLimits(provider: Provider, headers: AnswerHeaders, nowMs: number): LimitsView | null {
  if (provider.limits === null) return null;
  const requests = readOne(provider.limits.requests, headers, nowMs);
  const tokens = readOne(provider.limits.tokens, headers, nowMs);
  return requests === null && tokens === null ? null : { requests, tokens, atMs: nowMs };
}

function readOne(names: LimitHeaders | null, headers: AnswerHeaders, nowMs: number): LimitView | null {
  if (names === null) return null;
  const remaining = countIn(textIn(headers, names.remaining));
  if (remaining === null) return null;
  const reset = names.reset === null ? null : textIn(headers, names.reset);
  return {
    limit: names.limit === null ? null : countIn(textIn(headers, names.limit)),
    remaining,
    resetAtMs: reset === null ? null : resetTime(reset, nowMs),
  };
}

function textIn(headers: AnswerHeaders, name: string): string | null {
  const value = headers[name];
  const text = Array.isArray(value) ? value[0] : value;
  return text === undefined || text.length > 100 ? null : text.trim();
}

function countIn(text: string | null): number | null {
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

const unitMs: Readonly<Record<string, number>> = Object.freeze({
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
});
/** Later than a month is no time that anybody waits for. */
const mostResetMs = 31 * 86_400_000;

/** `6m0s`, `120ms`, `1.5s` from now, plain seconds, or a date. */
function resetTime(text: string, nowMs: number): number | null {
  if (/^\d+(\.\d+)?$/.test(text)) return within(nowMs + Number(text) * 1_000, nowMs);
  if (/^(\d+(\.\d+)?(ms|s|m|h|d))+$/.test(text)) {
    let sumMs = 0;
    for (const [, amount = "", unit = ""] of text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhd])/g)) {
      sumMs += Number(amount) * (unitMs[unit] ?? 0);
    }
    return within(nowMs + sumMs, nowMs);
  }
  const date = Date.parse(text);
  return Number.isNaN(date) ? null : date;
}

function within(atMs: number, nowMs: number): number | null {
  return atMs - nowMs <= mostResetMs ? Math.round(atMs) : null;
}
