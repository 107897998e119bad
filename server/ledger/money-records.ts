/** What the ledger tells about savings, power and what will be spent: shapes of the reports. Types only; no I/O. */
import type { PowerInterval } from "../domain/local-cost/meter.ts";
import type { Nanos } from "../domain/money.ts";
import type { PriceRow } from "../domain/pricing/book.ts";
import type { Advice } from "../domain/savings/advice.ts";
import type { Baseline, Cause } from "../domain/savings/causes.ts";
import type { Forecast } from "../domain/savings/forecast.ts";
import type { SavingsSum } from "../domain/savings/sum.ts";

/** From, and the first moment that is not in it any more; epoch milliseconds. */
export type TimeSpan = readonly [fromMs: number, toMs: number];

/** The last request of a page. */
export interface SavingsPlace {
  readonly atMs: number;
  readonly number: number;
}

export interface SavingsQuestion {
  readonly fromMs: number;
  readonly toMs: number;
  /** Null: from the start. */
  readonly after: SavingsPlace | null;
  readonly baseline: Baseline;
  /** The owner's own prices; the price book is the reader's own. */
  readonly overrides: readonly PriceRow[];
  /** Tokens a local model has room for. */
  readonly localContext: number;
}

/** What this box itself cost: used + loads + idle are energy + base + wear + rent, exactly. */
export interface PowerTotals extends Omit<PowerInterval, "source" | "milliseconds"> {
  readonly meteredMs: number;
  readonly idleNanos: Nanos;
}

export interface Spent {
  readonly knownNanos: Nanos;
  readonly unknownRequests: number;
}

/** The questions as the reader thread answers them. */
export interface MoneyQueries {
  savingsPage(question: SavingsQuestion): { readonly sum: SavingsSum; readonly next: SavingsPlace | null };
  power(spans: readonly TimeSpan[]): readonly PowerTotals[];
  spent(span: TimeSpan): Spent;
  /** Null: there is none. */
  firstRequestMs(): number | null;
  /** Requests that began before may be gone; 0: none are. */
  rowsFromMs(): number;
  largestLocalTokens(span: TimeSpan): number | null;
}

export interface PowerDay extends PowerTotals {
  /** `2026-11-26`. */
  readonly day: string;
}

export interface PowerReport {
  /** `2026-11`. */
  readonly month: string;
  /** Null: the machine's own. */
  readonly zone: string | null;
  readonly total: PowerTotals;
  /** Days on which something was metered. */
  readonly days: readonly PowerDay[];
}

/** Negative: it cost more than it saved. */
export interface SavedBy {
  readonly cause: Cause;
  readonly nanos: Nanos;
}

export interface MonthSavings {
  readonly month: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** False: some of its requests are not kept any more, and are in no figure. */
  readonly isWhole: boolean;
  readonly requests: number;
  readonly baselineNanos: Nanos;
  readonly actualNanos: Nanos;
  /** Baseline less actual, and the sum of `by`; negative where the baseline would have been cheaper. */
  readonly savedNanos: Nanos;
  /** Every cause, in one order. */
  readonly by: readonly SavedBy[];
  readonly unknown: SavingsSum["unknown"];
  readonly power: PowerTotals;
  readonly advice: readonly Advice[];
}

export interface SavingsReport {
  readonly baseline: Baseline;
  readonly zone: string | null;
  /** Oldest first. */
  readonly months: readonly MonthSavings[];
  readonly total: Pick<MonthSavings, "requests" | "baselineNanos" | "actualNanos" | "savedNanos" | "by" | "unknown">;
  readonly adviceRule: string;
  /** Tokens, and where that figure is from: what the box serves, or the largest request it has answered. */
  readonly localContext: { readonly tokens: number; readonly from: "served" | "seen" };
}

export interface ForecastReport extends Forecast {
  readonly month: string;
  readonly zone: string | null;
  /** Of what was spent: power, wear and rent that no request used. */
  readonly idleNanos: Nanos;
  /** Requests of the month whose cost is not known, and that are in no figure. */
  readonly unknownRequests: number;
}
