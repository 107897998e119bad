/** What one attempt cost and how that was reached. Pure types; the arithmetic is beside this file. */
import type { Cost, Nanos } from "../money.ts";
import type { UpstreamUsage } from "../upstream-usage.ts";

/** One line of the sum. Exact: a part of a nano-USD is not lost before the one rounding at the end. */
export interface PricedPart {
  /** `prompt`, `cached`, `cache_write_5m`, `completion`, `web_search` … */
  readonly what: string;
  readonly count: number;
  /** Pico-USD for one of them, multipliers of tier and service included as an exact fraction. */
  readonly picosEach: { readonly numerator: number; readonly denominator: number };
}

export interface PricedAttempt {
  /** What the ledger books: billed by the provider where it said so, else estimated from the price book, else unknown. */
  readonly cost: Cost;
  /** From the price book alone. */
  readonly computed: Cost;
  /** What the provider said; null: nothing. */
  readonly reportedNanos: Nanos | null;
  /** Reported minus computed; null unless both are known. */
  readonly driftNanos: Nanos | null;
  /** The row of the price book that was used; null: none. */
  readonly priceId: string | null;
  readonly parts: readonly PricedPart[];
  /** Codes of what a person should know: usage flags, `unknown_price`, `price_unchecked` … */
  readonly flags: readonly string[];
}

export interface PriceQuestion {
  /** A provider of `backends/cloud/providers`, by id. */
  readonly provider: string;
  /** As the upstream names it. */
  readonly model: string;
  /** Epoch milliseconds of the attempt's start: prices change by day and by hour. */
  readonly atMs: number;
  readonly used: UpstreamUsage;
}

/** Prices attempts; made from the price book and the owner's overrides by `domain/pricing`. */
export interface Pricing {
  price(question: PriceQuestion): PricedAttempt;
}
