/**
 * Where a request ran and what it cost, as the words of the `x-lanthorn-target` header and of the comment that closes a
 * stream. Pure; shared by the dialects and by `server/http`; imports the domain only.
 */
import { usdOfNanos } from "../domain/decimal.ts";
import type { Cost, Nanos } from "../domain/money.ts";
import type { ClosingFacts } from "./dialect.ts";

/** A target as a header can carry it: aliases are people's own words, headers are ASCII. */
export function targetText(target: string): string {
  return encodeURI(target.toWellFormed());
}

/**
 * `unknown(not_priced)`, or US dollars in full: `0.000012345(measured)`. Never 0 for a cost that is not known; where a part of
 * it is known, that stands before it: `0.000012345+unknown(not_priced)`.
 */
export function costText(cost: Cost, knownNanos: Nanos = 0): string {
  if (cost.known) return `${usdOfNanos(cost.nanos)}(${cost.basis})`;
  return `${knownNanos === 0 ? "" : `${usdOfNanos(knownNanos)}+`}unknown(${cost.reason})`;
}

/** An SSE comment: every client skips it, every person with curl can read it. */
export function closingComment(closing: ClosingFacts): string {
  const target = closing.target === null ? "none" : targetText(closing.target);
  return `: x-lanthorn-target=${target} cost=${costText(closing.cost, closing.knownNanos)}\n\n`;
}
