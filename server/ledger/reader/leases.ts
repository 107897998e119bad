/** Questions about leases in SQL, over a read-only connection. Runs on the reader thread. Each is bounded by the span, or by a count. */
import type Database from "better-sqlite3";
import type { Day } from "../../domain/day.ts";
import { noBurn } from "../../domain/rental/burn.ts";
import type { BurnSpan, LeaseHistory, LeaseMoment, LeaseStop, LeaseSums, Steadiness } from "../lease-reports.ts";
import { settledDays } from "../lease-settlements.ts";

export interface LeaseQueries {
  history(lease: number): LeaseHistory;
  steadiness(endedSinceMs: number): readonly Steadiness[];
  /** By lease. */
  burn(asked: BurnQuestion): readonly LeaseSums[];
}

export interface BurnQuestion {
  readonly span: BurnSpan;
  /** Null: of all of them. */
  readonly lease: number | null;
}

type SettledSum = Pick<LeaseSums, "lease" | "rental" | "market" | "settledNanos">;

const mostListed = 200;

export function prepareLeaseQueries(database: Database.Database): LeaseQueries {
  const lastOf = <Row>(table: string, columns: string) => {
    const rows = database.prepare<[number, number], Row>(
      `SELECT ${columns} FROM ${table} WHERE lease = ? ORDER BY id DESC LIMIT ?`,
    );
    const count = database.prepare<[number], { count: number }>(
      `SELECT count(*) AS count FROM ${table} WHERE lease = ?`,
    );
    return (lease: number) => {
      const last = rows.all(lease, mostListed).reverse();
      return { last, before: (count.get(lease)?.count ?? last.length) - last.length };
    };
  };
  const events = lastOf<LeaseMoment>("lease_events", "at_ms AS atMs, state, reason, words");
  const interruptions = lastOf<LeaseStop>("interruptions", "at_ms AS atMs, cause, source, words");
  const steadiness = database.prepare<[number], Omit<Steadiness, "meanTimeBetweenInterruptionsMs">>(
    `SELECT rental, market, json_extract(record, '$.kind') AS kind, count(*) AS leases,
       sum(json_extract(record, '$.readyMs')) AS readyMs, sum(json_extract(record, '$.interruptions')) AS interruptions
     FROM leases WHERE state = 'ended' AND ended_at_ms >= ? GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`,
  );
  const sums = `sum(gpu_nanos) AS gpuNanos, sum(storage_nanos) AS storageNanos, sum(traffic_nanos) AS trafficNanos,
    sum(used_nanos) AS usedNanos, sum(running_ms) AS runningMs, sum(stopped_ms) AS stoppedMs, sum(unknown_ms) AS unknownMs,
    sum(completion_tokens) AS completionTokens`;
  const burn = (index: string, which: string) =>
    database.prepare<[{ from: number; until: number; lease: number | null }], Omit<LeaseSums, "settledNanos">>(
      `SELECT b.lease, l.rental, l.market, ${sums} FROM lease_burn AS b ${index} JOIN leases AS l ON l.id = b.lease
       WHERE ${which} b.from_ms >= $from AND b.from_ms < $until GROUP BY b.lease ORDER BY b.lease`,
    );
  const ofAll = burn("INDEXED BY lease_burn_by_start", "");
  const ofOne = burn("", "b.lease = $lease AND");
  const settled = database.prepare<[{ from: Day; until: Day; lease: number | null }], SettledSum>(
    `SELECT s.lease, l.rental, l.market, sum(s.billed_nanos - s.counted_nanos) AS settledNanos
     FROM lease_settlements AS s JOIN leases AS l ON l.id = s.lease
     WHERE s.day >= $from AND s.day < $until AND ($lease IS NULL OR s.lease = $lease) GROUP BY s.lease`,
  );

  return {
    history: database.transaction((lease: number) => {
      const [moments, stops] = [events(lease), interruptions(lease)];
      return {
        ...{ events: moments.last, interruptions: stops.last },
        ...{ eventsBefore: moments.before, interruptionsBefore: stops.before },
      };
    }),
    steadiness: (endedSinceMs) =>
      steadiness.all(endedSinceMs).map((row) => ({
        ...row,
        meanTimeBetweenInterruptionsMs: row.interruptions === 0 ? null : Math.round(row.readyMs / row.interruptions),
      })),
    burn: database.transaction(({ span, lease }: BurnQuestion) => {
      const [from, until] = span;
      const [fromDay, untilDay] = settledDays(from, until);
      const found = new Map<number, LeaseSums>();
      for (const row of (lease === null ? ofAll : ofOne).all({ from, until, lease }))
        found.set(row.lease, { ...row, settledNanos: 0 });
      for (const row of settled.all({ from: fromDay, until: untilDay, lease }))
        found.set(row.lease, { ...noBurn, ...found.get(row.lease), ...row });
      return [...found.values()].sort((one, other) => one.lease - other.lease);
    }),
  };
}
