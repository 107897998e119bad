/** Why a row of a reconciliation has its verdict, in words. Pure. Amounts stand beside it in the row and are not repeated. */
import type { CellFacts } from "./compare.ts";
import type { Verdict } from "./records.ts";

export interface ReasonFacts extends CellFacts {
  /** What the lines are for, where they name no model. */
  readonly what: readonly string[];
}

export function reasonOf(verdict: Verdict, facts: ReasonFacts): string {
  const { differenceNanos, toleranceNanos, brokenOff, unpricedAttempts, openAttempts } = facts;
  switch (verdict) {
    case "agrees":
      if (differenceNanos === 0) return "the same";
      if (Math.abs(differenceNanos) <= toleranceNanos) return "the same within rounding";
      return "the same when attempts that ran over midnight count where they ended";
    case "differs":
      return [
        differenceNanos > 0 ? "they bill more than the ledger has" : "the ledger has more than they bill",
        ...(brokenOff > 0
          ? [`${attemptsText(brokenOff)} broke off and ${brokenOff === 1 ? "is" : "are"} estimated`]
          : []),
      ].join("; ");
    case "missing_here":
      return facts.what.length > 0
        ? `they bill what names no model: ${facts.what.slice(0, 3).join(", ")}`
        : "they bill it and the ledger has no attempt: somebody else uses this account";
    case "missing_there":
      return "the ledger has it and their bill has no line";
    case "unpriced":
      return `no price is known here for ${attemptsText(unpricedAttempts)}; what they bill beyond ours is for ${unpricedAttempts === 1 ? "it" : "them"}`;
    case "unreadable":
      return "what stands on their bill is no amount";
    case "not_yet_reported":
      return openAttempts > 0
        ? `${attemptsText(openAttempts)} still run${openAttempts === 1 ? "s" : ""}`
        : "the day is not closed on their side yet";
    case "out_of_reach":
      return "they do not tell days that long ago any more";
  }
}

function attemptsText(count: number): string {
  return count === 1 ? "1 attempt" : `${count} attempts`;
}
