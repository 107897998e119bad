/**
 * What could have run on this box, from own rows: requests of a task that this box has answered well, answered by a provider,
 * with a prompt and an answer that a local model has room for. Advice only: nothing of it is counted as saved. Pure.
 */
import type { Nanos } from "../money.ts";
import type { SavingsSum, TaskUse } from "./sum.ts";

export interface Advice {
  readonly task: string;
  /** At providers, though they would have fit here. */
  readonly requests: number;
  /** What is known to have been paid for them. */
  readonly paidNanos: Nanos;
  /** What they would have cost here, at what a token of this task has cost here; null: that is not known. */
  readonly localNanos: Nanos | null;
  readonly answeredHere: number;
}

/** A task has passed here when so many were answered, and so few of those that were tried went wrong. */
const fewestAnswered = 5;
const mostBadShare = 0.1;

/** In words, for whoever reads the advice. */
export const adviceRule =
  `Requests with a task that this box has answered at least ${fewestAnswered} times in the month, with at most ` +
  `${mostBadShare * 100} % failed or said not to do, that a provider answered and whose prompt and answer together fit a local model.`;

/** Dearest first. */
export function adviceOf(tasks: SavingsSum["tasks"]): readonly Advice[] {
  return Object.entries(tasks)
    .filter(([, use]) => use.away > 0 && hasPassed(use))
    .map(([task, use]) => ({
      task,
      requests: use.away,
      paidNanos: use.awayNanos,
      localNanos: localNanos(use),
      answeredHere: use.local,
    }))
    .sort((left, right) => right.paidNanos - left.paidNanos || (left.task < right.task ? -1 : 1));
}

function hasPassed({ local, localBad }: TaskUse): boolean {
  const tried = local + localBad;
  return local >= fewestAnswered && localBad <= tried * mostBadShare;
}

function localNanos({ localTokens, localNanos: known, awayTokens }: TaskUse): Nanos | null {
  if (localTokens === 0) return null;
  return Math.round((known / localTokens) * awayTokens);
}
