/**
 * The arithmetic of one attempt: usage × one row of the price book, exact, in integers, with one rounding at the end. Pure.
 *
 * A token is billed once: what was read from the cache, what was written into it and what is fresh are parts of the prompt that do
 * not overlap, and audio is a part of each. Reasoning is a part of the completion and has no rate of its own.
 */
import type { Nanos } from "../money.ts";
import type { UpstreamUsage } from "../upstream-usage.ts";
import type { Fraction, LongPrompt, PriceRow, PriceWindow, Rates, Service, ServiceName } from "./book.ts";
import type { PricedPart } from "./priced.ts";

/** What a person should know about a price beside the usage's own flags. Stable codes: rows keep them. */
export type PriceFlag =
  | "unknown_price"
  /** The row was last compared with its source more than four months before the attempt. */
  | "price_unchecked"
  /** Cached tokens, and no rate for them: taken at the prompt's. */
  | "no_cached_rate"
  /** Tokens written into a cache, and no rate for that: taken at the prompt's. */
  | "no_cache_write_rate"
  /** Audio, and no rate for it: taken as text. */
  | "no_audio_rate"
  /** Served at a tier or speed whose price is not known: taken as standard. */
  | "no_service_rate"
  /** Calls of a provider's tool whose fee is not known: not in the sum. */
  | "no_tool_fee"
  /** A day of which nobody has entered whether it is a holiday: taken as none. */
  | "holidays_not_entered"
  /** More than a safe integer of nanos holds: cut to it. */
  | "cost_clamped";

const picosPerNano = 1000n;
const one: Fraction = Object.freeze({ numerator: 1, denominator: 1 });
const minuteMs = 60_000;
const dayMs = 86_400_000;

export interface PricedParts {
  readonly parts: readonly PricedPart[];
  readonly flags: readonly PriceFlag[];
}

/** The lines of the sum; kinds of which there is none are left out. */
export function partsOf(row: PriceRow, used: UpstreamUsage, atMs: number): PricedParts {
  const flags: PriceFlag[] = [];
  const { rates, factor } = ratesOf(row, used, atMs, flags);
  const parts: PricedPart[] = [];
  const add = (what: string, count: number, picos: number, by: Fraction = factor): void => {
    if (count > 0) parts.push({ what, count, picosEach: reduced(picos * by.numerator, by.denominator) });
  };
  /** The rate of a kind, or the one that stands in for it, flagged where it is used. */
  const rateOr = (rate: number | undefined, instead: number, flag: PriceFlag, count: number): number => {
    if (rate === undefined && count > 0 && !flags.includes(flag)) flags.push(flag);
    return rate ?? instead;
  };
  const counts = split(used);
  const cached = rateOr(rates.cached, rates.prompt, "no_cached_rate", counts.cached);
  const audio = rateOr(rates.audioPrompt, rates.prompt, "no_audio_rate", counts.audioPrompt);
  add("prompt", counts.prompt, rates.prompt);
  add("audio_prompt", counts.audioPrompt, audio);
  add("cached", counts.cached, cached);
  add("audio_cached", counts.audioCached, rateOr(rates.audioCached, cached, "no_audio_rate", counts.audioCached));
  const write5m = rateOr(rates.cacheWrite5m, rates.prompt, "no_cache_write_rate", counts.write5m);
  add("cache_write_5m", counts.write5m, write5m);
  const write1h = rateOr(rates.cacheWrite1h, rates.cacheWrite5m ?? rates.prompt, "no_cache_write_rate", counts.write1h);
  add("cache_write_1h", counts.write1h, write1h);
  add("completion", counts.completion, rates.completion);
  const spoken = rateOr(rates.audioCompletion, rates.completion, "no_audio_rate", counts.audioCompletion);
  add("audio_completion", counts.audioCompletion, spoken);
  if (row.perRequest !== undefined) add("request", 1, row.perRequest, one);
  for (const [tool, calls] of Object.entries(used.toolCalls)) {
    const fee = Object.hasOwn(row.toolFees, tool) ? row.toolFees[tool] : undefined;
    if (fee !== undefined) add(tool, calls, fee, one);
    else if (calls > 0 && !flags.includes("no_tool_fee")) flags.push("no_tool_fee");
  }
  if (atMs - Date.parse(row.checked) > mostUncheckedMs) flags.push("price_unchecked");
  return { parts, flags };
}

/** Prices of this trade change every few months. */
const mostUncheckedMs = 120 * dayMs;

/** Each token in exactly one kind; nothing is ever below 0, whatever an upstream says. */
function split(
  used: UpstreamUsage,
): Record<
  "prompt" | "audioPrompt" | "cached" | "audioCached" | "write5m" | "write1h" | "completion" | "audioCompletion",
  number
> {
  const { usage, audio } = used;
  const cached = Math.min(usage.cachedTokens, usage.promptTokens);
  const write1h = Math.min(usage.cacheWrite1hTokens ?? 0, usage.promptTokens - cached);
  const write5m = Math.min(usage.cacheWrite5mTokens ?? 0, usage.promptTokens - cached - write1h);
  const fresh = usage.promptTokens - cached - write1h - write5m;
  const audioCached = Math.min(audio.cachedTokens, cached);
  // Where it is not said how much of the audio was cached, as much as possible counts as fresh, the dearer kind.
  const audioPrompt = Math.min(Math.max(audio.promptTokens - audioCached, 0), fresh);
  const audioCompletion = Math.min(audio.completionTokens, usage.completionTokens);
  return {
    prompt: fresh - audioPrompt,
    audioPrompt,
    cached: cached - audioCached,
    audioCached,
    write5m,
    write1h,
    completion: usage.completionTokens - audioCompletion,
    audioCompletion,
  };
}

/** Which rates apply: the service's own, else the window's, else the row's; a long prompt's instead; then the service's factor. */
function ratesOf(
  row: PriceRow,
  used: UpstreamUsage,
  atMs: number,
  flags: PriceFlag[],
): { rates: Rates; factor: Fraction } {
  const service = serviceOf(row, used, flags);
  if (service !== null && "rates" in service) {
    return { rates: tierOf(service.rates, service.long, used.usage.promptTokens), factor: one };
  }
  const window = (row.windows ?? []).find((candidate) => isOpen(candidate, atMs, flags));
  const rates = window?.rates ?? tierOf(row.rates, row.long, used.usage.promptTokens);
  return { rates, factor: service ?? one };
}

function serviceOf(row: PriceRow, used: UpstreamUsage, flags: PriceFlag[]): Service | null {
  const name: ServiceName | null =
    used.fast === true ? "fast" : used.serviceTier === "standard" ? null : used.serviceTier;
  if (name === null) return null;
  const service = row.services[name];
  if (service === undefined) flags.push("no_service_rate");
  return service ?? null;
}

/** The whole request is at the rates of the last tier whose bound it exceeds. */
export function tierOf(rates: Rates, long: readonly LongPrompt[] | undefined, promptTokens: number): Rates {
  return (long ?? []).findLast(({ above }) => promptTokens > above)?.rates ?? rates;
}

function isOpen(window: PriceWindow, atMs: number, flags: PriceFlag[]): boolean {
  const at = new Date(atMs);
  const minute = Math.floor((atMs - Math.floor(atMs / dayMs) * dayMs) / minuteMs);
  if (!window.weekdays.includes(at.getUTCDay())) return false;
  if (!window.minutes.some(({ from, until }) => minute >= from && minute < until)) return false;
  if (window.except === null) return true;
  const day = at.toISOString().slice(0, 10);
  if (day >= window.except.knownUntil) flags.push("holidays_not_entered");
  return !window.except.days.includes(day);
}

function reduced(numerator: number, denominator: number): Fraction {
  let [larger, smaller] = [numerator, denominator];
  while (smaller !== 0) [larger, smaller] = [smaller, larger % smaller];
  return larger === 0
    ? { numerator: 0, denominator: 1 }
    : { numerator: numerator / larger, denominator: denominator / larger };
}

/** The exact sum of the parts in pico-USD. */
export function picosOf(parts: readonly PricedPart[]): { readonly numerator: bigint; readonly denominator: bigint } {
  let [numerator, denominator] = [0n, 1n];
  for (const { count, picosEach } of parts) {
    const below = BigInt(picosEach.denominator);
    numerator = numerator * below + BigInt(count) * BigInt(picosEach.numerator) * denominator;
    denominator *= below;
  }
  return { numerator, denominator };
}

/** The one rounding: half up to nano-USD. */
export function nanosOf(parts: readonly PricedPart[]): { readonly nanos: Nanos; readonly clamped: boolean } {
  const { numerator, denominator } = picosOf(parts);
  const divisor = denominator * picosPerNano;
  const nanos = (numerator * 2n + divisor) / (divisor * 2n);
  const most = BigInt(Number.MAX_SAFE_INTEGER);
  return nanos > most ? { nanos: Number.MAX_SAFE_INTEGER, clamped: true } : { nanos: Number(nanos), clamped: false };
}
