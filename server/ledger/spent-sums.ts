/**
 * What was spent on attempts, by key, alias, provider and time, from the sums: some milliseconds for a year of millions of rows.
 * Runs wherever the ledger's file is open: it only reads, and takes its connection from the caller.
 */
import type Database from "better-sqlite3";
import type { Nanos } from "../domain/money.ts";
import { callerSpanHours, piecesText, type ReportParts, reportParts, spanHours, type Stretch } from "./spans.ts";

/** All that are given must fit. An alias together with a provider is added up from single rows, which takes as long as they are many. */
export interface SpentFilter {
  readonly keyId?: number;
  readonly alias?: string;
  readonly provider?: string;
}

interface Asked {
  readonly key: number | null;
  readonly alias: string | null;
  readonly provider: string | null;
}

/**
 * Nano-USD of all attempts that have ended and whose cost is known, of requests that began in the time (epoch milliseconds; the end
 * is not in it). Money held for attempts that still run is not in it. Throws what SQLite throws.
 */
export type SpentNanos = (filter: SpentFilter, fromMs: number, untilMs: number) => Nanos;

export function prepareSpent(database: Database.Database): SpentNanos {
  type Found = { readonly nanos: number };
  const kept = database.prepare<[], { from_ms: number }>("SELECT from_ms FROM rows_kept");
  const isAsked = "($key IS NULL OR key_id = $key) AND ($alias IS NULL OR alias = $alias)";
  const inTime = "started_at_ms >= $fromMs AND started_at_ms < $untilMs";
  const rows = (index: string, more: string) =>
    database.prepare<[Asked & Stretch], Found>(
      `SELECT coalesce(sum(a.cost_nanos), 0) AS nanos FROM requests AS r INDEXED BY ${index}
         CROSS JOIN attempts AS a ON a.request = r.number
       WHERE ${more} AND ${inTime} AND ${isAsked} AND ($provider IS NULL OR a.provider = $provider)`,
    );
  const inTimeOfAll = rows("requests_by_start", "TRUE");
  const inTimeOfKey = rows("requests_by_key", "r.key_id = $key");
  const open = rows("requests_open", "r.status = 'open'");

  const summed = (table: string, more: string) =>
    database.prepare<[Asked & { pieces: string }], Found>(
      `SELECT coalesce(sum(s.known_nanos), 0) AS nanos
       FROM (SELECT value ->> 0 AS hours, value ->> 1 AS first, value ->> 2 AS until FROM json_each($pieces)) AS p
         CROSS JOIN (SELECT id AS caller FROM sum_callers WHERE key_id = $key UNION ALL SELECT 0 WHERE $key IS NULL) AS who
         CROSS JOIN ${table} AS s ON s.hours = p.hours AND s.caller = who.caller
           AND s.from_hour >= p.first AND s.from_hour < p.until
       WHERE ${more}`,
    );
  const ofRequests = summed(
    "request_sums",
    "s.kind = 1 AND s.part = (SELECT id FROM sum_aliases WHERE alias = $alias) AND $provider IS NULL",
  );
  const ofAttempts = summed(
    "attempt_sums",
    "$provider IS NULL OR s.target IN (SELECT id FROM sum_targets WHERE provider = $provider)",
  );
  const requestChanges = database.prepare<[Asked & Stretch], Found>(
    `SELECT coalesce(sum(sign * known_nanos), 0) AS nanos FROM request_changes WHERE ${inTime} AND ${isAsked}`,
  );
  const attemptChanges = database.prepare<[Asked & Stretch], Found>(
    `SELECT coalesce(sum(sign * cost_nanos), 0) AS nanos FROM attempt_changes
     WHERE ${inTime} AND ($key IS NULL OR key_id = $key) AND ($provider IS NULL OR provider = $provider)`,
  );
  const nanosOf = (found: Found | undefined): Nanos => found?.nanos ?? 0;

  function rowsIn(asked: Asked, stretches: readonly Stretch[]): Nanos {
    const statement = asked.key === null ? inTimeOfAll : inTimeOfKey;
    return stretches.reduce((sum, stretch) => sum + nanosOf(statement.get({ ...asked, ...stretch })), 0);
  }

  function covered(asked: Asked, parts: ReportParts): Nanos {
    const { covered: stretch } = parts;
    if (stretch === null) return 0;
    const given = { ...asked, pieces: piecesText(parts) };
    const bounded = { ...asked, ...stretch };
    if (asked.alias === null) return nanosOf(ofAttempts.get(given)) + nanosOf(attemptChanges.get(bounded));
    // A request is in the sums of its alias when it has ended; what its attempts cost until then is read from them.
    return nanosOf(ofRequests.get(given)) + nanosOf(requestChanges.get(bounded)) + nanosOf(open.get(bounded));
  }

  // One transaction, so that what is folded meanwhile counts once.
  return database.transaction((filter: SpentFilter, fromMs: number, untilMs: number): Nanos => {
    const asked = { key: filter.keyId ?? null, alias: filter.alias ?? null, provider: filter.provider ?? null };
    if (asked.alias !== null && asked.provider !== null) return rowsIn(asked, [{ fromMs, untilMs }]);
    const spans = asked.key === null ? spanHours : callerSpanHours;
    const parts = reportParts({ fromMs, toMs: untilMs }, kept.get()?.from_ms ?? 0, spans);
    return rowsIn(asked, parts.edges) + covered(asked, parts);
  });
}
