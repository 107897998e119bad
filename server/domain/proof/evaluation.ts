/** What the tasks of an evaluation come to for one target, and whether that passes a gate. Pure. */
import type { Nanos } from "../money.ts";
import { type Interval, percentile, wilson } from "./statistics.ts";

export interface Outcome {
  /** Null: the answer is right. */
  readonly why: string | null;
  readonly durationMs: number;
  /** Null: not known. */
  readonly costNanos: Nanos | null;
  readonly knownNanos: Nanos;
}

export interface Evaluation {
  readonly target: string;
  readonly tasks: number;
  readonly passed: number;
  readonly passRate: number;
  /** Of the pass rate, at 95 %. */
  readonly interval: Interval;
  /** All that was spent, on wrong answers too, for each right one; null: not known, or there is no right one. */
  readonly costPerSuccessNanos: Nanos | null;
  readonly knownNanos: Nanos;
  readonly p50Ms: number | null;
  readonly p95Ms: number | null;
  /** Why answers were wrong, most frequent first. */
  readonly failures: readonly { readonly why: string; readonly count: number }[];
}

export function evaluationOf(target: string, outcomes: readonly Outcome[]): Evaluation {
  const passed = outcomes.filter(({ why }) => why === null).length;
  const isKnown = outcomes.every(({ costNanos }) => costNanos !== null);
  const spent = outcomes.reduce((sum, { costNanos }) => sum + (costNanos ?? 0), 0);
  const times = outcomes.map(({ durationMs }) => durationMs);
  const counts = new Map<string, number>();
  for (const { why } of outcomes) if (why !== null) counts.set(why, (counts.get(why) ?? 0) + 1);
  return {
    target,
    tasks: outcomes.length,
    passed,
    passRate: outcomes.length === 0 ? 0 : passed / outcomes.length,
    interval: wilson(passed, outcomes.length),
    costPerSuccessNanos: isKnown && passed > 0 ? Math.round(spent / passed) : null,
    knownNanos: outcomes.reduce((sum, one) => sum + one.knownNanos, 0),
    p50Ms: percentile(times, 0.5),
    p95Ms: percentile(times, 0.95),
    failures: [...counts].map(([why, count]) => ({ why, count })).sort((left, right) => right.count - left.count),
  };
}
