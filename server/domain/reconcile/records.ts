/** What is compared when bills are reconciled, and what comes of it. Pure types; the comparison is in `compare.ts`. */
import type { Nanos } from "../money.ts";
import type { Day } from "../day.ts";
import type { Attos } from "./exact-amount.ts";

/** What the ledger has of one model on the day its attempts began. */
export interface OurDay {
  readonly day: Day;
  /** As the provider was asked for it. */
  readonly model: string;
  readonly attempts: number;
  /** Sum of the attempts whose cost is known. */
  readonly nanos: Nanos;
  /** Attempts whose price is not known; they are in no sum. */
  readonly unpriced: number;
  /** Attempts that run. */
  readonly open: number;
  /** Attempts that broke off: what they cost is estimated from what was seen of them. */
  readonly brokenOff: number;
  /** Reported minus computed, of the attempts that said what they cost. */
  readonly driftNanos: Nanos;
  /** The part of `nanos` that ended on a later day than it began. */
  readonly overMidnightNanos: Nanos;
}

/** One line of a bill. */
export interface BillLine {
  readonly day: Day;
  /** Null: the bill does not say which model it was. */
  readonly model: string | null;
  /** What the line is for, in the bill's own words. */
  readonly what: string;
  /** Null: what stands there is no amount. */
  readonly attos: Attos | null;
  /** How far the amount as it is written may be from what it stands for. */
  readonly roundingNanos: Nanos;
  /** Calls it counts; null: not said. */
  readonly requests: number | null;
}

export const verdicts = Object.freeze([
  "agrees",
  "differs",
  "missing_here",
  "missing_there",
  "unpriced",
  "unreadable",
  "not_yet_reported",
  "out_of_reach",
] as const);
export type Verdict = (typeof verdicts)[number];

export interface ReconciledRow {
  readonly day: Day;
  /** Null: lines of the bill that name no model. */
  readonly model: string | null;
  readonly attempts: number;
  /** As the bill counts them; null: it does not say. */
  readonly requests: number | null;
  readonly oursNanos: Nanos;
  /** Null: the bill has no line, or none that can be read. */
  readonly theirsNanos: Nanos | null;
  /** Theirs minus ours; a bill without a line is 0 here. */
  readonly differenceNanos: Nanos;
  /** A difference up to this is rounding: theirs, line by line, and ours, attempt by attempt. */
  readonly toleranceNanos: Nanos;
  readonly verdict: Verdict;
  readonly reason: string;
  readonly unpricedAttempts: number;
  readonly driftNanos: Nanos;
}

export interface ReconciledTotals {
  readonly oursNanos: Nanos;
  readonly theirsNanos: Nanos;
  readonly differenceNanos: Nanos;
  readonly driftNanos: Nanos;
  /** Attempts without a known price. */
  readonly unpricedAttempts: number;
  readonly rows: Readonly<Record<Verdict, number>>;
}

/** One account at one provider. */
export interface AccountReconciliation {
  /** As the settings call it. */
  readonly provider: string;
  /** Further entries of the settings that are called at the same account. */
  readonly with: readonly string[];
  readonly title: string;
  /** `not_compared`: nobody was asked, or no bill came; `reason` says why. */
  readonly state: "compared" | "not_compared";
  readonly reason: string;
  /** Paste-ready next steps where it was not compared. */
  readonly next: readonly string[];
  /** Whether its bill was meant to be read: there is a key for it. */
  readonly expected: boolean;
  readonly zone: "UTC";
  /** From this day on the bill may still change. */
  readonly settledUntil: Day | null;
  readonly rows: readonly ReconciledRow[];
  readonly total: ReconciledTotals | null;
}

export interface Reconciliation {
  readonly from: Day;
  /** The last day, included. */
  readonly to: Day;
  /** Every row agrees, or is of a day that is not reported. */
  readonly reconciled: boolean;
  readonly accounts: readonly AccountReconciliation[];
}
