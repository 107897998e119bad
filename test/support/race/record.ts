/**
 * Reads what a box recorded of its budgets (`budgets.record`), line by line, and judges it: at every instant of every process of the
 * race, whatever was killed in between.
 */
import { readFileSync } from "node:fs";

interface Line {
  readonly what: "start" | "reserve" | "refuse" | "settle" | "change";
  readonly budgets: readonly {
    readonly name: string;
    readonly subject: string;
    readonly hard: boolean;
    readonly limitNanos: number;
    readonly spentNanos: number;
    readonly heldNanos: number;
    readonly overrunNanos: number;
  }[];
}

export interface Judged {
  readonly lines: number;
  /** Of the main budget, at its highest; without what providers took beyond their holds, and with it. */
  readonly maxSpentPlusHeldNanos: number;
  readonly maxWithOverrunsNanos: number;
  /** The most that any hard budget was past its limit; and what providers had taken beyond their holds then. */
  readonly exceededNanos: number;
  readonly overrunThenNanos: number;
  /** Lines on which a hard budget was past its limit by more than that. */
  readonly broken: number;
  readonly reserved: number;
  readonly refused: number;
  readonly settled: number;
  readonly starts: number;
}

/** `main`: the budget whose highest standing is told. The last line of a killed process may be cut. */
export function judgeRecord(path: string, main: string): Judged {
  const judged = {
    ...{ lines: 0, maxSpentPlusHeldNanos: 0, maxWithOverrunsNanos: 0, exceededNanos: 0, overrunThenNanos: 0 },
    ...{ broken: 0, reserved: 0, refused: 0, settled: 0, starts: 0 },
  };
  for (const text of readFileSync(path, "utf8").split("\n")) {
    const line = parsed(text);
    if (line === null) continue;
    judged.lines += 1;
    if (line.what === "reserve") judged.reserved += 1;
    if (line.what === "refuse") judged.refused += 1;
    if (line.what === "settle") judged.settled += 1;
    if (line.what === "start") judged.starts += 1;
    for (const { name, hard, limitNanos, spentNanos, heldNanos, overrunNanos } of line.budgets) {
      const sum = spentNanos + heldNanos;
      if (name === main) {
        judged.maxSpentPlusHeldNanos = Math.max(judged.maxSpentPlusHeldNanos, sum - overrunNanos);
        judged.maxWithOverrunsNanos = Math.max(judged.maxWithOverrunsNanos, sum);
      }
      if (!hard) continue;
      if (sum - overrunNanos > limitNanos || heldNanos < 0 || spentNanos < 0) judged.broken += 1;
      if (sum - limitNanos > judged.exceededNanos) {
        judged.exceededNanos = sum - limitNanos;
        judged.overrunThenNanos = overrunNanos;
      }
    }
  }
  return judged;
}

function parsed(text: string): Line | null {
  if (text === "") return null;
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
