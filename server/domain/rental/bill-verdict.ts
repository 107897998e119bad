/** What a row of a market's bill beside our count means, and whether it may be taken over. Pure. */
import { type Day, dayMs, startOfUtcDay, utcDayOf } from "../day.ts";
import type { Nanos } from "../money.ts";
import type { Attos } from "../reconcile/exact-amount.ts";
import type { Verdict } from "../reconcile/records.ts";

/** A cent: a look every ten seconds does not see when exactly a machine began to run. */
const toleranceNanos = 10_000_000;
/** Markets write their bills down later. */
const settlesAfterMs = 24 * 3_600_000;
/** Not beyond: what a market has not billed by then it will not. */
const mostDays = 31;

export interface BillFacts {
  /** A lease of this box had the machine. */
  readonly isOurs: boolean;
  /** Null: what stands there is no amount. Undefined: there is no line. */
  readonly billed: Attos | null | undefined;
  /** Theirs less ours. */
  readonly differenceNanos: Nanos;
  readonly day: Day;
  readonly nowMs: number;
}

export function isBilled(billed: Attos | null | undefined): billed is Attos {
  return billed !== undefined && billed !== null;
}

/** The market has billed the whole of it, as far as one can know. */
export function isOver(day: Day, nowMs: number): boolean {
  return nowMs >= startOfUtcDay(day) + dayMs + settlesAfterMs;
}

/** The days that may be settled now, both included. */
export function settleSpan(nowMs: number): { readonly from: Day; readonly to: Day } {
  const lastMs = nowMs - dayMs - settlesAfterMs;
  return { from: utcDayOf(lastMs - (mostDays - 1) * dayMs), to: utcDayOf(lastMs) };
}

export function judged({ isOurs, billed, differenceNanos, day, nowMs }: BillFacts): readonly [Verdict, string] {
  if (billed === null) return ["unreadable", "what stands in the bill is no amount"];
  if (Math.abs(differenceNanos) <= toleranceNanos) return ["agrees", "to the cent"];
  if (!isOurs) return ["missing_here", "no lease of this box had this machine: lanthorn rental orphans"];
  if (!isOver(day, nowMs)) return ["not_yet_reported", "the market may not have billed the whole of this day yet"];
  if (billed === undefined) return ["missing_there", "the bill has no line of it"];
  return ["differs", differenceNanos > 0 ? "the market bills more than the ledger counted" : "the market bills less"];
}

/** The bill counts from now on: it can be read, the day is over, and a lease of ours had the machine. */
export function canSettle(
  row: {
    readonly day: Day;
    readonly lease: number | null;
    readonly theirsNanos: Nanos | null;
    readonly verdict: Verdict;
  },
  nowMs: number,
): boolean {
  const { day, lease, theirsNanos, verdict } = row;
  const isJudged = verdict === "agrees" || verdict === "differs";
  return isJudged && lease !== null && theirsNanos !== null && isOver(day, nowMs);
}
