/**
 * Copies a share of the answered requests to a second target, after the client has its answer. What a day's copies may cost is
 * bounded; what they cost before a restart on the same day is read from their rows at the start. Server process.
 */
import type { CopiesSum } from "../domain/copies.ts";
import type { Cost } from "../domain/money.ts";
import type { Clock } from "../domain/ports.ts";

export interface ShadowBounds {
  /** 0 to 1. */
  readonly share: number;
  readonly perDayUsd: number;
}

export interface ShadowWish extends ShadowBounds {
  /** The route whose requests are copied, and where to. */
  readonly alias: string;
  readonly target: string;
}

export interface ShadowBudget {
  /** True: a copy is made now, and `done` is called when it has ended. */
  begins(wish: ShadowWish): boolean;
  done(wish: Pick<ShadowWish, "alias" | "target">, cost: Cost): void;
}

export interface ShadowBudgetParts {
  readonly clock: Pick<Clock, "now">;
  /** From 0 up to, and without, 1. */
  random(): number;
  /** Epoch milliseconds of the day's begin; absent: at this machine's midnight. */
  startOfDay?(atMs: number): number;
  /** What copies begun since then have cost, asked once; absent: nothing. */
  spentSince?(fromMs: number): readonly CopiesSum[];
}

interface Line {
  dayMs: number;
  spentNanos: number;
  isBusy: boolean;
}

/** One copy of each alias at a time: so the budget is passed by no more than the one that passes it. */
export function createShadowBudget(parts: ShadowBudgetParts): ShadowBudget {
  const { clock, random, startOfDay = midnight, spentSince = () => [] } = parts;
  const lines = new Map<string, Line>();
  const firstDayMs = startOfDay(clock.now());
  const before = spentSince(firstDayMs);
  const spentBefore = (alias: string, target: string): number =>
    before
      .filter((sum) => (sum.alias === null ? sum.target === target : sum.alias === alias))
      .reduce((total, { nanos, hasUnknown }) => total + (hasUnknown ? Infinity : nanos), 0);
  const lineOf = ({ alias, target }: Pick<ShadowWish, "alias" | "target">): Line => {
    const dayMs = startOfDay(clock.now());
    let line = lines.get(alias);
    if (line === undefined) {
      line = { dayMs, spentNanos: dayMs === firstDayMs ? spentBefore(alias, target) : 0, isBusy: false };
      lines.set(alias, line);
    } else if (line.dayMs !== dayMs) Object.assign(line, { dayMs, spentNanos: 0 });
    return line;
  };
  return {
    begins(wish) {
      const line = lineOf(wish);
      if (line.isBusy || line.spentNanos >= wish.perDayUsd * 1e9 || random() >= wish.share) return false;
      line.isBusy = true;
      return true;
    },
    done(wish, cost) {
      const line = lineOf(wish);
      line.isBusy = false;
      // What has a price that nobody knows could cost anything: no more of it today.
      if (cost.known) line.spentNanos += cost.nanos;
      else if (cost.reason !== "not_priced") line.spentNanos = Infinity;
    },
  };
}

function midnight(atMs: number): number {
  return new Date(atMs).setHours(0, 0, 0, 0);
}
