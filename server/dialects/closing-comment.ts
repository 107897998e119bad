/**
 * Where a request ran and what it cost, as the words of the `x-lanthorn-target` header and of the comment that closes a
 * stream. Pure; shared by the dialects and by `server/http`; imports the domain only.
 */
import type { Cost } from "../domain/money.ts";
import type { ClosingFacts } from "./dialect.ts";

/** A target as a header can carry it: aliases are people's own words, headers are ASCII. */
export function targetText(target: string): string {
  return encodeURI(target.toWellFormed());
}

/** `unknown(not_priced)`, or US dollars in full: `0.000012345(measured)`. Never 0 for a cost that is not known. */
export function costText(cost: Cost): string {
  if (!cost.known) return `unknown(${cost.reason})`;
  const digits = Math.abs(cost.nanos).toString().padStart(10, "0");
  const sign = cost.nanos < 0 ? "-" : "";
  return `${sign}${digits.slice(0, -9)}.${digits.slice(-9)}(${cost.basis})`;
}

/** An SSE comment: every client skips it, every person with curl can read it. */
export function closingComment(closing: ClosingFacts): string {
  const target = closing.target === null ? "none" : targetText(closing.target);
  return `: x-lanthorn-target=${target} cost=${costText(closing.cost)}\n\n`;
}
