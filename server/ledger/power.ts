/**
 * Intervals of the box's own meter, in the ledger's file. Runs on the server's thread: rows go through the writer, in order with
 * those of requests. Each write brings the interval and the shares of the attempts that run up to the same moment in one
 * operation, so that after a kill what was used is still the sum of what attempts are booked at.
 */
import type Database from "better-sqlite3";
import type { MeteredWork, PowerInterval } from "../domain/local-cost/meter.ts";
import type { Nanos } from "../domain/money.ts";
import type { WriterInside } from "./writer.ts";

export interface PowerRow extends PowerInterval {
  /** From `nextNumber` on, counting up. */
  readonly number: number;
  readonly place: string;
  /** Epoch milliseconds. */
  readonly fromMs: number;
  readonly perKwhNanos: Nanos | null;
}

export interface PowerBook {
  /** The first number that no interval has. */
  nextNumber(): number;
  /** Fire and forget. The interval as it is now, and what the open attempts have used. */
  write(row: PowerRow, open: readonly MeteredWork[]): void;
}

export function createPowerBook(
  database: Database.Database,
  writer: Pick<WriterInside, "beside" | "numberOf">,
): PowerBook {
  const last = database.prepare<[], { last: number }>("SELECT coalesce(max(number), 0) AS last FROM power");
  const write = database.prepare(
    `INSERT OR REPLACE INTO power (number, place, from_ms, until_ms, source, metered_ms, unknown_ms, milliwatt_ms,
       base_milliwatt_ms, price_nanos, energy_nanos, base_nanos, wear_nanos, rent_nanos, used_nanos, load_nanos, unbooked_nanos)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  // What a killed process left open is booked at this (`recover.ts`).
  const hold = database.prepare(
    "UPDATE attempts SET held_nanos = ? WHERE request = ? AND target = ? AND status = 'open' AND provider IS NULL",
  );
  return {
    nextNumber: () => (last.get()?.last ?? 0) + 1,
    write(row, open) {
      const { milliseconds, unknownMs, milliwattMs, baseMilliwattMs } = row;
      const values = [
        ...[row.number, row.place, row.fromMs, row.fromMs + milliseconds + unknownMs, row.source],
        ...[milliseconds, unknownMs, milliwattMs, baseMilliwattMs, row.perKwhNanos],
        ...[row.energyNanos, row.baseNanos, row.wearNanos, row.rentNanos],
        ...[row.usedNanos, row.loadNanos, row.unbookedNanos],
      ];
      const held = open.flatMap(({ requestId, target, nanos }) => {
        const number = writer.numberOf(requestId);
        return number === null ? [] : [[nanos, number, target] as const];
      });
      writer.beside(`power interval ${row.number}`, () => {
        for (const one of held) hold.run(...one);
        return write.run(...values).changes;
      });
    },
  };
}
