/**
 * Copies a share of the answered requests to a second target, after the client has its answer. What a day's copies may cost is
 * bounded; the sum is kept in memory, so a restart begins the day anew. Server process.
 */
import type { Cost } from "../domain/money.ts";
import type { Clock } from "../domain/ports.ts";

export interface ShadowBounds {
  /** 0 to 1. */
  readonly share: number;
  readonly perDayUsd: number;
}

export interface ShadowBudget {
  /** True: a copy is made now, and `done` is called when it has ended. */
  begins(alias: string, bounds: ShadowBounds): boolean;
  done(alias: string, cost: Cost): void;
}

interface Line {
  day: number;
  spentNanos: number;
  isBusy: boolean;
}

const dayMs = 86_400_000;

/** One copy of each alias at a time: so the budget is passed by no more than the one that passes it. */
export function createShadowBudget(clock: Pick<Clock, "now">, random: () => number): ShadowBudget {
  const lines = new Map<string, Line>();
  const lineOf = (alias: string): Line => {
    const day = Math.floor(clock.now() / dayMs);
    const line = lines.get(alias) ?? { day, spentNanos: 0, isBusy: false };
    if (line.day !== day) Object.assign(line, { day, spentNanos: 0 });
    lines.set(alias, line);
    return line;
  };
  return {
    begins(alias, { share, perDayUsd }) {
      const line = lineOf(alias);
      if (line.isBusy || line.spentNanos >= perDayUsd * 1e9 || random() >= share) return false;
      line.isBusy = true;
      return true;
    },
    done(alias, cost) {
      const line = lineOf(alias);
      line.isBusy = false;
      // What has a price that nobody knows could cost anything: no more of it today.
      if (cost.known) line.spentNanos += cost.nanos;
      else if (cost.reason !== "not_priced") line.spentNanos = Infinity;
    },
  };
}
