/**
 * The most an attempt's tokens can cost, for what is held before it is made. Pure. How often a provider's own tools will be called
 * nobody knows before: their fees are not in it. Every token is taken at the dearest rate it can turn out
 * to have: a cache may be written instead of read, and a window may open while the request waits.
 */
import type { ServiceTier } from "../chat.ts";
import type { Fraction, PriceRow, Rates, Service } from "./book.ts";
import { tierOf } from "./cost.ts";
import type { PricedPart } from "./priced.ts";

export interface HoldQuestion {
  readonly provider: string;
  readonly model: string;
  readonly atMs: number;
  /** At most. */
  readonly promptTokens: number;
  /** At most: the bound that is sent upstream. */
  readonly completionTokens: number;
  /** As asked for; absent: standard. */
  readonly serviceTier?: ServiceTier;
  /** The longest that the request asks a cache to keep; absent: not known, so an hour. */
  readonly cacheWrite?: "none" | "5m" | "1h";
  /** False: the request has no audio. Absent: not known. */
  readonly audio?: boolean;
  /** False: the request does not ask for a model's dearer, faster mode. Absent: not known. */
  readonly fast?: boolean;
}

const one: Fraction = Object.freeze({ numerator: 1, denominator: 1 });

export function worstParts(question: HoldQuestion, row: PriceRow | null, unknown: Rates): readonly PricedPart[] {
  const { promptTokens, completionTokens } = question;
  const candidates = row === null ? [{ rates: unknown, factor: one }] : candidatesOf(row, question);
  const dearest = (picosOf: (rates: Rates) => number): PricedPart["picosEach"] =>
    candidates
      .map(({ rates, factor }) => ({ numerator: picosOf(rates) * factor.numerator, denominator: factor.denominator }))
      .reduce((left, right) =>
        right.numerator * left.denominator > left.numerator * right.denominator ? right : left,
      );
  const parts: PricedPart[] = [
    { what: "prompt", count: promptTokens, picosEach: dearest((rates) => dearestPrompt(rates, question)) },
    { what: "completion", count: completionTokens, picosEach: dearest((rates) => dearestCompletion(rates, question)) },
  ];
  if (row?.perRequest !== undefined)
    parts.push({ what: "request", count: 1, picosEach: { ...one, numerator: row.perRequest } });
  return parts.filter(({ count }) => count > 0);
}

interface Candidate {
  readonly rates: Rates;
  readonly factor: Fraction;
}

/** Everything that may apply: the row's rates, those of its windows, and of each service that may be asked for. */
function candidatesOf(row: PriceRow, question: HoldQuestion): Candidate[] {
  const { promptTokens, serviceTier = "standard", fast = true } = question;
  const standard = [tierOf(row.rates, row.long, promptTokens), ...(row.windows ?? []).map(({ rates }) => rates)];
  const asked = [
    ...(serviceTier === "standard" ? [] : [row.services[serviceTier]]),
    fast ? row.services.fast : undefined,
  ];
  // Standard is always among them: a cheaper service is not counted on, what it has no room for is served so.
  const services: readonly Service[] = [one, ...asked.filter((service) => service !== undefined)];
  return services.flatMap((service) =>
    "rates" in service
      ? [{ rates: tierOf(service.rates, service.long, promptTokens), factor: one }]
      : standard.map((rates) => ({ rates, factor: service })),
  );
}

function dearestPrompt(rates: Rates, { cacheWrite = "1h", audio = true }: HoldQuestion): number {
  return Math.max(
    rates.prompt,
    rates.cached ?? 0,
    cacheWrite === "none" ? 0 : (rates.cacheWrite5m ?? 0),
    cacheWrite === "1h" ? (rates.cacheWrite1h ?? 0) : 0,
    audio ? (rates.audioPrompt ?? 0) : 0,
  );
}

function dearestCompletion(rates: Rates, { audio = true }: HoldQuestion): number {
  return Math.max(rates.completion, audio ? (rates.audioCompletion ?? 0) : 0);
}
