/**
 * What attempts at providers cost in a span of time, by what budgets go by. One read per day when the box starts, on the writer's
 * connection, before anything is served.
 */
import type Database from "better-sqlite3";
import type { Nanos } from "../domain/money.ts";

export interface SpentRow {
  readonly keyId: number | null;
  readonly person: string;
  readonly alias: string;
  readonly provider: string;
  /** Where a cost is not known: what budgets count it at, else what was held for it. */
  readonly spentNanos: Nanos;
  /** Of it: what was taken beyond what was held. */
  readonly overrunNanos: Nanos;
}

/** Of requests that began from `fromMs` up to, and without, `toMs`. */
export type SpentIn = (fromMs: number, toMs: number) => readonly SpentRow[];

export function createSpentIn(database: Database.Database): SpentIn {
  const read = database.prepare<[number, number], SpentRow>(
    `SELECT r.key_id AS keyId, r.caller_name AS person, r.alias AS alias, a.provider AS provider,
       sum(coalesce(a.cost_nanos, a.counted_nanos, a.held_nanos, 0)) AS spentNanos,
       sum(max(0, coalesce(a.cost_nanos, a.counted_nanos, 0) - coalesce(a.held_nanos, a.cost_nanos, a.counted_nanos, 0)))
         AS overrunNanos
     FROM requests AS r JOIN attempts AS a ON a.request = r.number
     WHERE r.started_at_ms >= ? AND r.started_at_ms < ? AND a.provider IS NOT NULL AND a.status <> 'open'
     GROUP BY r.key_id, r.caller_name, r.alias, a.provider`,
  );
  return (fromMs, toMs) => read.all(fromMs, toMs);
}
