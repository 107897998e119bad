/** A budget as the API, the events and the command line show it. Pure. */
import type { Nanos } from "../money.ts";
import { type BudgetStanding, type BudgetState, budgetOfText } from "./budget.ts";
import type { Period } from "./period.ts";
import type { Day } from "../day.ts";

export interface BudgetView {
  readonly name: string;
  /** `all`, `person:Jonas`, `key:*`. */
  readonly of: string;
  /** Whom or what this line is about, where `of` says `*`; else the name in `of`. Empty: everybody. */
  readonly subject: string;
  readonly every: Period;
  readonly hard: boolean;
  readonly state: BudgetState;
  readonly limitNanos: Nanos;
  readonly spentNanos: Nanos;
  readonly heldNanos: Nanos;
  /** Never below 0. */
  readonly leftNanos: Nanos;
  /** Of what was spent: taken by providers beyond what was held. */
  readonly overrunNanos: Nanos;
  /** Epoch milliseconds of the period. */
  readonly fromMs: number;
  readonly resetsAtMs: number;
  readonly zone: string;
}

export function budgetView(
  standing: BudgetStanding,
  { zone, startOf }: { readonly zone: string; readonly startOf: (day: Day) => number },
): BudgetView {
  const { budget, subject, from, until, spentNanos, heldNanos, overrunNanos, state } = standing;
  return {
    name: budget.name,
    of: budgetOfText(budget.of),
    subject,
    every: budget.every,
    hard: budget.hard,
    state,
    limitNanos: budget.limitNanos,
    spentNanos,
    heldNanos,
    leftNanos: Math.max(0, budget.limitNanos - spentNanos - heldNanos),
    overrunNanos,
    fromMs: startOf(from),
    resetsAtMs: startOf(until),
    zone,
  };
}
