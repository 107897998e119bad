/**
 * The questions themselves, in SQL, over a read-only connection. Runs on the reader thread; tests run it directly.
 * No statement stays open between two questions: an open one would keep the write-ahead log from starting over.
 */
import type Database from "better-sqlite3";
import type { CallerKind } from "../../domain/caller.ts";
import type { Usage } from "../../domain/usage.ts";
import type { ReportFilter, RequestRecord, TargetTotals, UsageSummary, UsageTotals } from "../records.ts";
import type { RequestStatus } from "../rows.ts";
import { type AttemptColumns, type RequestColumns, requestRecord } from "./rows.ts";

interface FilterValues {
  readonly from: number | null;
  readonly to: number | null;
  readonly key: number | null;
}

/** Written so that the index on the start is used when a time is given. */
const matches =
  "started_at_ms >= coalesce($from, 0) AND started_at_ms < coalesce($to, 9007199254740991) AND ($key IS NULL OR key_id = $key)";

const sums = `count(*) AS requests,
  coalesce(sum(prompt_tokens), 0) AS promptTokens,
  coalesce(sum(cached_tokens), 0) AS cachedTokens,
  coalesce(sum(completion_tokens), 0) AS completionTokens,
  coalesce(sum(reasoning_tokens), 0) AS reasoningTokens,
  coalesce(sum(cache_write_5m_tokens), 0) AS cacheWrite5mTokens,
  coalesce(sum(cache_write_1h_tokens), 0) AS cacheWrite1hTokens,
  coalesce(sum(known_nanos), 0) AS knownCostNanos,
  count(cost_nanos) AS knownCostRequests,
  count(*) FILTER (WHERE cost_basis IN ('not_priced', 'unknown_price')) AS unknownCostRequests`;

/** The same of attempts. Their costs are what the sums of requests are made of. */
const targetSums = `count(*) AS attempts,
  coalesce(sum(a.prompt_tokens), 0) AS promptTokens,
  coalesce(sum(a.cached_tokens), 0) AS cachedTokens,
  coalesce(sum(a.completion_tokens), 0) AS completionTokens,
  coalesce(sum(a.reasoning_tokens), 0) AS reasoningTokens,
  coalesce(sum(a.cache_write_5m_tokens), 0) AS cacheWrite5mTokens,
  coalesce(sum(a.cache_write_1h_tokens), 0) AS cacheWrite1hTokens,
  coalesce(sum(a.cost_nanos), 0) AS knownCostNanos,
  count(a.cost_nanos) AS knownCostAttempts,
  count(*) FILTER (WHERE a.cost_basis IN ('not_priced', 'unknown_price')) AS unknownCostAttempts,
  coalesce(sum(a.drift_nanos), 0) AS driftNanos`;

interface TokenColumns {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly cacheWrite5mTokens: number;
  readonly cacheWrite1hTokens: number;
}

interface SumColumns extends TokenColumns {
  readonly requests: number;
  readonly knownCostNanos: number;
  readonly knownCostRequests: number;
  readonly unknownCostRequests: number;
}

interface TargetColumns extends TokenColumns, Omit<TargetTotals, "usage"> {}

function usageOf(columns: TokenColumns): Usage {
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = columns;
  const { cacheWrite5mTokens, cacheWrite1hTokens } = columns;
  return {
    ...{ promptTokens, cachedTokens, completionTokens, reasoningTokens },
    ...(cacheWrite5mTokens === 0 ? {} : { cacheWrite5mTokens }),
    ...(cacheWrite1hTokens === 0 ? {} : { cacheWrite1hTokens }),
  };
}

function totals(columns: SumColumns): UsageTotals {
  return {
    requests: columns.requests,
    usage: usageOf(columns),
    knownCostNanos: columns.knownCostNanos,
    knownCostRequests: columns.knownCostRequests,
    unknownCostRequests: columns.unknownCostRequests,
  };
}

const nothing: SumColumns = Object.freeze({
  requests: 0,
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
  cacheWrite5mTokens: 0,
  cacheWrite1hTokens: 0,
  knownCostNanos: 0,
  knownCostRequests: 0,
  unknownCostRequests: 0,
});

function values(filter: ReportFilter): FilterValues {
  return { from: filter.fromMs ?? null, to: filter.toMs ?? null, key: filter.keyId ?? null };
}

interface CallerColumns extends SumColumns {
  readonly caller_kind: CallerKind;
  readonly key_id: number | null;
  readonly caller_name: string;
}

export interface Queries {
  summary(filter: ReportFilter): UsageSummary;
  show(id: string): RequestRecord | null;
  recent(limit: number, filter: ReportFilter): readonly RequestRecord[];
  /** Requests numbered above `after` and up to `upTo`, in the order of opening, at most `limit`. */
  page(
    after: number,
    upTo: number,
    limit: number,
    filter: ReportFilter,
  ): { readonly records: readonly RequestRecord[]; readonly lastNumber: number | null };
  lastNumber(): number;
}

export function prepareQueries(database: Database.Database): Queries {
  const total = database.prepare<[FilterValues], SumColumns>(`SELECT ${sums} FROM requests WHERE ${matches}`);
  const success = database.prepare<[FilterValues], { requests: number; saidOk: number; saidNotOk: number }>(
    `SELECT count(*) FILTER (WHERE status = 'done' AND coalesce(f.ok, 1) = 1) AS requests,
       count(*) FILTER (WHERE f.ok = 1) AS saidOk, count(*) FILTER (WHERE f.ok = 0) AS saidNotOk
     FROM requests LEFT JOIN feedback AS f ON f.request = requests.number WHERE ${matches}`,
  );
  const byStatus = database.prepare<[FilterValues], { status: RequestStatus; requests: number }>(
    `SELECT status, count(*) AS requests FROM requests WHERE ${matches} GROUP BY status`,
  );
  const byAlias = database.prepare<[FilterValues], SumColumns & { alias: string }>(
    `SELECT alias, ${sums} FROM requests WHERE ${matches} GROUP BY alias ORDER BY requests DESC, alias`,
  );
  const byTarget = database.prepare<[FilterValues], TargetColumns>(
    `SELECT a.target AS target, ${targetSums} FROM requests JOIN attempts AS a ON a.request = requests.number
     WHERE ${matches} GROUP BY a.target ORDER BY knownCostNanos DESC, attempts DESC, a.target`,
  );
  // A key is one caller, under the name that it has now.
  const byCaller = database.prepare<[FilterValues], CallerColumns>(
    `SELECT caller_kind, key_id, max(caller_name) AS caller_name, ${sums} FROM requests WHERE ${matches}
     GROUP BY caller_kind, key_id, CASE WHEN key_id IS NULL THEN caller_name END ORDER BY requests DESC, caller_name`,
  );
  const one = database.prepare<[string], RequestColumns>("SELECT * FROM requests WHERE id = ?");
  const newest = database.prepare<[FilterValues & { limit: number }], RequestColumns>(
    `SELECT * FROM requests WHERE ${matches} ORDER BY number DESC LIMIT $limit`,
  );
  const page = database.prepare<[FilterValues & { after: number; upTo: number; limit: number }], RequestColumns>(
    `SELECT * FROM requests WHERE number > $after AND number <= $upTo AND ${matches} ORDER BY number LIMIT $limit`,
  );
  const attempts = database.prepare<[number], AttemptColumns>(
    "SELECT * FROM attempts WHERE request = ? ORDER BY number",
  );
  const last = database.prepare<[], { last: number }>("SELECT coalesce(max(number), 0) AS last FROM requests");

  const complete = (row: RequestColumns) => requestRecord(row, attempts.all(row.number));

  return {
    // One transaction, so that the parts add up to the total.
    summary: database.transaction((filter: ReportFilter): UsageSummary => {
      const given = values(filter);
      const counted: Record<RequestStatus, number> = {
        open: 0,
        done: 0,
        failed: 0,
        refused: 0,
        aborted: 0,
        interrupted: 0,
      };
      for (const row of byStatus.all(given)) counted[row.status] = row.requests;
      const all = totals(total.get(given) ?? nothing);
      const succeeded = success.get(given) ?? { requests: 0, saidOk: 0, saidNotOk: 0 };
      const each = succeeded.requests === 0 ? null : Math.round(all.knownCostNanos / succeeded.requests);
      return {
        fromMs: given.from,
        toMs: given.to,
        total: all,
        successes: { ...succeeded, knownCostNanosEach: each },
        byStatus: counted,
        byAlias: byAlias.all(given).map((row) => ({ alias: row.alias, ...totals(row) })),
        byTarget: byTarget.all(given).map((row) => ({
          target: row.target,
          attempts: row.attempts,
          usage: usageOf(row),
          knownCostNanos: row.knownCostNanos,
          knownCostAttempts: row.knownCostAttempts,
          unknownCostAttempts: row.unknownCostAttempts,
          driftNanos: row.driftNanos,
        })),
        byCaller: byCaller.all(given).map((row) => ({
          callerKind: row.caller_kind,
          keyId: row.key_id,
          callerName: row.caller_name,
          ...totals(row),
        })),
      };
    }),
    show: database.transaction((id: string) => {
      const row = one.get(id);
      return row === undefined ? null : complete(row);
    }),
    recent: database.transaction((limit: number, filter: ReportFilter) =>
      newest.all({ ...values(filter), limit }).map(complete),
    ),
    page: database.transaction((after: number, upTo: number, limit: number, filter: ReportFilter) => {
      const rows = page.all({ ...values(filter), after, upTo, limit });
      return { records: rows.map(complete), lastNumber: rows.length < limit ? null : (rows.at(-1)?.number ?? null) };
    }),
    lastNumber: () => last.get()?.last ?? 0,
  };
}
