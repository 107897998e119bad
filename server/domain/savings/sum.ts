/** Savings of many requests together, page by page and month by month. Pure. */
import type { Nanos } from "../money.ts";
import { type ByCause, type Cause, causes, type Comparison } from "./causes.ts";

/** What ran under one task, here and at providers. */
export interface TaskUse {
  /** Requests that were answered on this box. */
  readonly local: number;
  /** Of those that this box tried: failed, or somebody said that the answer did not do. */
  readonly localBad: number;
  /** Tokens of those answered here whose cost is known, and that cost. */
  readonly localTokens: number;
  readonly localNanos: Nanos;
  /** Answered at providers, with a prompt and an answer that a local model has room for. */
  readonly away: number;
  readonly awayTokens: number;
  readonly awayNanos: Nanos;
  /** Of these: attempts whose cost is not known, and that are in none of the sums. */
  readonly awayUnknown: number;
}

export const noUse: TaskUse = Object.freeze({
  ...{ local: 0, localBad: 0, localTokens: 0, localNanos: 0 },
  ...{ away: 0, awayTokens: 0, awayNanos: 0, awayUnknown: 0 },
});

export interface SavingsSum {
  /** Requests that were compared; refused ones cost nothing and are not there. */
  readonly requests: number;
  readonly baselineNanos: Nanos;
  readonly actualNanos: Nanos;
  readonly by: ByCause;
  /** Not compared, because something has no price. */
  readonly unknown: {
    readonly requests: number;
    /** Of these: the cost of an attempt is not known; the baseline had no price that day. */
    readonly noCost: number;
    readonly noBaseline: number;
    /** What is known to have been spent on them, beside the comparison. */
    readonly knownNanos: Nanos;
  };
  readonly tasks: Readonly<Record<string, TaskUse>>;
}

export const noCauses: ByCause = Object.freeze(
  Object.fromEntries(causes.map((cause) => [cause, 0])) as Record<Cause, Nanos>,
);

export const nothingSaved: SavingsSum = Object.freeze({
  ...{ requests: 0, baselineNanos: 0, actualNanos: 0, by: noCauses, tasks: {} },
  unknown: Object.freeze({ requests: 0, noCost: 0, noBaseline: 0, knownNanos: 0 }),
});

export function savingsOf(comparison: Comparison): SavingsSum {
  if (comparison.kind === "unknown") {
    const { why, knownNanos } = comparison;
    const [noCost, noBaseline] = why === "no_cost" ? [1, 0] : [0, 1];
    return { ...nothingSaved, unknown: { requests: 1, noCost, noBaseline, knownNanos } };
  }
  const { baselineNanos, actualNanos, by } = comparison;
  return { ...nothingSaved, requests: 1, baselineNanos, actualNanos, by: { ...noCauses, ...by } };
}

export function addSavings(left: SavingsSum, right: SavingsSum): SavingsSum {
  const by = Object.fromEntries(causes.map((cause) => [cause, left.by[cause] + right.by[cause]]));
  return {
    requests: left.requests + right.requests,
    baselineNanos: left.baselineNanos + right.baselineNanos,
    actualNanos: left.actualNanos + right.actualNanos,
    by: by as Record<Cause, Nanos>,
    unknown: added(left.unknown, right.unknown),
    tasks: addedTasks(left.tasks, right.tasks),
  };
}

/** What no request used costs, too. */
export function withIdle(sum: SavingsSum, idleNanos: Nanos): SavingsSum {
  const by = { ...sum.by, idle: sum.by.idle - idleNanos };
  return { ...sum, actualNanos: sum.actualNanos + idleNanos, by };
}

/** Negative where the baseline would have been cheaper. */
export function savedNanos({ baselineNanos, actualNanos }: Pick<SavingsSum, "baselineNanos" | "actualNanos">): Nanos {
  return baselineNanos - actualNanos;
}

/** Clients choose their words: past these, requests count under no task. */
const mostTasks = 1_000;

function addedTasks(left: SavingsSum["tasks"], right: SavingsSum["tasks"]): SavingsSum["tasks"] {
  const names = Object.keys(right);
  if (names.length === 0) return left;
  const all = new Map(Object.entries(left));
  for (const name of names) {
    const before = all.get(name);
    if (before === undefined && all.size >= mostTasks) continue;
    all.set(name, added(before ?? noUse, right[name] ?? noUse));
  }
  return Object.fromEntries(all);
}

function added<Counts extends object>(left: Counts, right: Counts): Counts {
  const numbers = right as Readonly<Record<string, number>>;
  return Object.fromEntries(
    Object.entries(left).map(([name, value]) => [name, Number(value) + (numbers[name] ?? 0)]),
  ) as Counts;
}
