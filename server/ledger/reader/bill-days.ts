/**
 * What attempts at providers cost, by the UTC day they began and by model: our side of a reconciliation. Runs on the reader thread,
 * over its read-only connection.
 */
import type Database from "better-sqlite3";
import { dayMs, utcDayOf } from "../../domain/day.ts";
import type { OurDay } from "../../domain/reconcile/records.ts";

export interface BillDaysFilter {
  /** Entries of the settings: the first part of a target's name. */
  readonly providers: readonly string[];
  /** Epoch milliseconds; attempts that began from then on. */
  readonly fromMs: number;
  /** Not included. */
  readonly untilMs: number;
}

interface Columns extends Omit<OurDay, "day"> {
  readonly day: number;
}

/**
 * An attempt is found by its request's start, which has an index; it begins at most a day after that. Integer division makes
 * days of milliseconds.
 */
const sql = `SELECT (r.started_at_ms + a.offset_ms) / ${dayMs} AS day, a.upstream_model AS model,
    count(*) AS attempts,
    coalesce(sum(a.cost_nanos), 0) AS nanos,
    count(*) FILTER (WHERE a.cost_basis IN ('unknown_price', 'not_priced')) AS unpriced,
    count(*) FILTER (WHERE a.status = 'open') AS open,
    count(*) FILTER (WHERE a.status IN ('aborted', 'interrupted', 'failed') AND a.cost_nanos > 0) AS brokenOff,
    coalesce(sum(a.drift_nanos), 0) AS driftNanos,
    coalesce(sum(a.cost_nanos) FILTER (WHERE (r.started_at_ms + a.offset_ms) / ${dayMs}
      < (r.started_at_ms + a.offset_ms + coalesce(a.duration_ms, 0)) / ${dayMs}), 0) AS overMidnightNanos
  FROM requests AS r JOIN attempts AS a ON a.request = r.number
  WHERE r.started_at_ms >= $fromMs - ${dayMs} AND r.started_at_ms < $untilMs
    AND r.started_at_ms + a.offset_ms >= $fromMs AND r.started_at_ms + a.offset_ms < $untilMs
    AND a.provider IS NOT NULL
    AND substr(a.target, 1, instr(a.target, '/') - 1) IN (SELECT value FROM json_each($providers))
  GROUP BY 1, 2 ORDER BY 1, 2`;

export function prepareBillDays(database: Database.Database): (filter: BillDaysFilter) => readonly OurDay[] {
  const days = database.prepare<
    [{ readonly fromMs: number; readonly untilMs: number; readonly providers: string }],
    Columns
  >(sql);
  return ({ providers, fromMs, untilMs }) =>
    days
      .all({ fromMs, untilMs, providers: JSON.stringify(providers) })
      .map((row) => ({ ...row, day: utcDayOf(row.day * dayMs) }));
}
