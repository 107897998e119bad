/**
 * Every change of a budget as a line of JSON behind the last one, for whoever wants to see that it held: written before the step
 * that it tells of has any effect outside, so that a killed process has told all it did. Runs in the server; off until asked for.
 */
import { closeSync, openSync, writeSync } from "node:fs";
import type { BudgetStanding } from "../domain/budget/budget.ts";
import type { Nanos } from "../domain/money.ts";

export interface BudgetChange {
  readonly what: "start" | "reserve" | "refuse" | "settle" | "change";
  readonly atMs: number;
  readonly requestId: string | null;
  readonly attempt: number | null;
  /** What was reserved, refused or booked. */
  readonly nanos: Nanos;
}

export interface BudgetRecord {
  /** `standings`: all that it changed, as they are now. Never throws: who cannot write it says so once. */
  write(change: BudgetChange, standings: readonly BudgetStanding[]): void;
  close(): void;
}

/** `path` is created with mode 0600 where it is not there. `onFailure` is called once, and then no more is written. */
export function openBudgetRecord(path: string, onFailure: (thrown: unknown) => void): BudgetRecord {
  let file: number | null = null;
  let hasFailed = false;
  const fail = (thrown: unknown) => {
    if (!hasFailed) onFailure(thrown);
    hasFailed = true;
  };
  try {
    file = openSync(path, "a", 0o600);
  } catch (thrown) {
    fail(thrown);
  }
  return {
    write(change, standings) {
      if (file === null || hasFailed) return;
      const budgets = standings.map(({ budget, subject, from, spentNanos, heldNanos, overrunNanos }) => ({
        ...{ name: budget.name, subject, from, limitNanos: budget.limitNanos, hard: budget.hard },
        ...{ spentNanos, heldNanos, overrunNanos },
      }));
      try {
        writeSync(file, `${JSON.stringify({ ...change, budgets })}\n`);
      } catch (thrown) {
        fail(thrown);
      }
    },
    close() {
      if (file !== null) closeSync(file);
      file = null;
    },
  };
}
