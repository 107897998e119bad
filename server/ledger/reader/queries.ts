/**
 * The questions themselves, in SQL, over a read-only connection. Runs on the reader thread; tests run it directly.
 * No statement stays open between two questions: an open one would keep the write-ahead log from starting over.
 */
import type Database from "better-sqlite3";
import type { ReportFilter, RequestRecord, UsageSummary } from "../records.ts";
import { type AttemptColumns, type RequestColumns, requestRecord } from "./rows.ts";
import { prepareSummary } from "./summary.ts";

/** Where a page ended: requests are listed by their start, and by their number where they started together. */
export interface Place {
  readonly startedAtMs: number;
  readonly number: number;
}

export interface Queries {
  summary(filter: ReportFilter): UsageSummary;
  show(id: string): RequestRecord | null;
  /** Newest first, from the one after `before` on. Null: there is no request of that id. */
  recent(limit: number, filter: ReportFilter, before: string | null): readonly RequestRecord[] | null;
  /** Requests behind `after` with numbers up to `upTo`, oldest first, at most `limit`; `next` is null after the last. */
  page(
    after: Place | null,
    upTo: number,
    limit: number,
    filter: ReportFilter,
  ): { readonly records: readonly RequestRecord[]; readonly next: Place | null };
  lastNumber(): number;
}

interface Listed {
  readonly key: number | null;
  readonly fromMs: number;
  readonly lastMs: number;
  readonly atMs: number;
  readonly number: number;
  readonly upTo: number;
  readonly limit: number;
}

/** Beyond every time and number. */
const beyond = Number.MAX_SAFE_INTEGER;

export function prepareQueries(database: Database.Database): Queries {
  const one = database.prepare<[string], RequestColumns>("SELECT * FROM requests WHERE id = ?");
  // Each page begins in the index where the last one ended: the time bound is the page's own, and an index says the order.
  const listed = (more: string, order: string) => {
    const prepare = (index: string, key: string) =>
      database.prepare<[Listed], RequestColumns>(
        `SELECT * FROM requests INDEXED BY ${index} WHERE ${key} started_at_ms >= $fromMs AND started_at_ms <= $lastMs AND ${more}
         ORDER BY started_at_ms ${order}, number ${order} LIMIT $limit`,
      );
    const all = prepare("requests_by_start", "");
    const ofKey = prepare("requests_by_key", "key_id = $key AND");
    return (asked: Listed) => (asked.key === null ? all : ofKey).all(asked);
  };
  const newest = listed("(started_at_ms < $atMs OR number < $number)", "DESC");
  const page = listed("(started_at_ms > $atMs OR number > $number) AND number <= $upTo", "ASC");
  // One reading for a whole page: a statement for each request takes longer than what it reads.
  const attempts = database.prepare<[string], AttemptColumns>(
    `SELECT a.* FROM json_each(?) AS page CROSS JOIN attempts AS a ON a.request = page.value
     ORDER BY page.key, a.number`,
  );
  const last = database.prepare<[], { last: number }>("SELECT coalesce(max(number), 0) AS last FROM requests");

  function complete(rows: readonly RequestColumns[]): readonly RequestRecord[] {
    const found = attempts.all(JSON.stringify(rows.map(({ number }) => number)));
    let at = 0;
    return rows.map((row) => {
      const from = at;
      while (found[at]?.request === row.number) at += 1;
      return requestRecord(row, found.slice(from, at));
    });
  }

  return {
    summary: prepareSummary(database),
    show: database.transaction((id: string) => {
      const row = one.get(id);
      return row === undefined ? null : (complete([row])[0] ?? null);
    }),
    recent: database.transaction((limit: number, filter: ReportFilter, before: string | null) => {
      const from = before === null ? { started_at_ms: beyond, number: beyond } : one.get(before);
      if (from === undefined) return null;
      const rows = newest({
        key: filter.keyId ?? null,
        fromMs: filter.fromMs ?? 0,
        lastMs: Math.min((filter.toMs ?? beyond) - 1, from.started_at_ms),
        atMs: from.started_at_ms,
        number: from.number,
        upTo: beyond,
        limit,
      });
      return complete(rows);
    }),
    page: database.transaction((after: Place | null, upTo: number, limit: number, filter: ReportFilter) => {
      const rows = page({
        key: filter.keyId ?? null,
        fromMs: Math.max(filter.fromMs ?? 0, after?.startedAtMs ?? 0),
        lastMs: (filter.toMs ?? beyond) - 1,
        atMs: after?.startedAtMs ?? -1,
        number: after?.number ?? 0,
        upTo,
        limit,
      });
      const last = rows.at(-1);
      const isWhole = rows.length < limit || last === undefined;
      return {
        records: complete(rows),
        next: isWhole ? null : { startedAtMs: last.started_at_ms, number: last.number },
      };
    }),
    lastNumber: () => last.get()?.last ?? 0,
  };
}
