/**
 * What a provider says a call cost, out of its usage object. US dollars come as a JSON number; they become nano-USD from its
 * decimal digits, so nothing is lost to binary fractions. Pure; imports the domain only.
 */
import type { ReportedCost } from "../../domain/upstream-usage.ts";
import type { CallTraits } from "../called.ts";
import { at, type Figures } from "./figures.ts";

/** No single call costs more; what says so is a slip. */
const mostUsd = 1_000_000;
const nanoDigits = 9;

/** Null: nothing was said, this provider is not asked (`traits.reportedCost`), or it is no amount (flagged). */
export function reportedCostOf(usage: unknown, traits: CallTraits, figures: Figures): ReportedCost | null {
  if (traits.reportedCost === undefined) return null;
  const said = at(usage, traits.reportedCost);
  // Perplexity has an object of parts with their sum.
  const amount = at(said, "total_cost") ?? said;
  if (amount === undefined || amount === null) return null;
  const isDollars = (at(said, "currency") ?? "USD") === "USD";
  if (typeof amount !== "number" || !(amount >= 0 && amount <= mostUsd) || !isDollars) {
    figures.odd("absurd_figure");
    return null;
  }
  const nanos = nanosOfUsd(amount);
  const marked = at(usage, "is_byok") === true || at(usage, "is_free") === true;
  // Less than half a nano-USD is said to cost something, and that is 0 in our unit.
  return { nanos, free: marked || (nanos === 0 && amount > 0) };
}

/** Nano-USD of an amount in USD from 0 to a million, rounded half up from its shortest decimal form. */
export function nanosOfUsd(usd: number): number {
  const [digits = "0", exponent = "0"] = usd.toExponential().split("e");
  const [whole = "0", fraction = ""] = digits.split(".");
  const scale = Number(exponent) - fraction.length + nanoDigits;
  const value = BigInt(whole + fraction);
  if (scale >= 0) return Number(value * 10n ** BigInt(scale));
  const divisor = 10n ** BigInt(-scale);
  return Number((value * 2n + divisor) / (divisor * 2n));
}
