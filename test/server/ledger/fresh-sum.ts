/** The summary added up from the single rows and nothing else: what every report must equal. Slow, and meant to be plainly right. */
import type Database from "better-sqlite3";
import type { ReportFilter, UsageSummary } from "../../../server/ledger/records.ts";

const tokens = ["prompt", "cached", "completion", "reasoning", "cache_write_5m", "cache_write_1h"].map(
  (kind) => `coalesce(sum(x.${kind}_tokens), 0) AS ${kind}_tokens`,
);
const ofRequests = `count(*) AS requests, ${tokens.join(", ")}, coalesce(sum(x.known_nanos), 0) AS known, count(x.cost_nanos) AS priced,
  count(*) FILTER (WHERE x.cost_basis IN ('not_priced', 'unknown_price') AND x.status <> 'refused') AS unpriced`;
const ofAttempts = `count(*) AS requests, ${tokens.join(", ")}, coalesce(sum(x.cost_nanos), 0) AS known,
  count(x.cost_nanos) AS priced, count(*) FILTER (WHERE x.cost_basis IN ('not_priced', 'unknown_price')) AS unpriced,
  coalesce(sum(x.drift_nanos), 0) AS drift`;

type Row = Readonly<Record<string, number>>;

function usage(row: Row): UsageSummary["total"]["usage"] {
  const { cache_write_5m_tokens: short = 0, cache_write_1h_tokens: long = 0 } = row;
  return {
    promptTokens: row.prompt_tokens ?? 0,
    cachedTokens: row.cached_tokens ?? 0,
    completionTokens: row.completion_tokens ?? 0,
    reasoningTokens: row.reasoning_tokens ?? 0,
    ...(short === 0 ? {} : { cacheWrite5mTokens: short }),
    ...(long === 0 ? {} : { cacheWrite1hTokens: long }),
  };
}

function totals(row: Row): UsageSummary["total"] {
  return {
    requests: row.requests ?? 0,
    usage: usage(row),
    knownCostNanos: row.known ?? 0,
    knownCostRequests: row.priced ?? 0,
    unknownCostRequests: row.unpriced ?? 0,
  };
}

export function freshSum(database: Database.Database, filter: ReportFilter = {}): UsageSummary {
  const { fromMs = 0, toMs = Number.MAX_SAFE_INTEGER, keyId = null } = filter;
  const chosen = `started_at_ms >= ${fromMs} AND started_at_ms < ${toMs} AND (${keyId} IS NULL OR key_id = ${keyId})`;
  const all = <Found = Row>(sql: string) => database.prepare<[], Found>(sql).all();
  const requests = (by: string, then: string) =>
    all<Row & { alias: string; caller_kind: "key"; key: number | null; name: string }>(
      `SELECT alias, caller_kind, key_id AS key, max(caller_name) AS name, ${ofRequests} FROM requests AS x WHERE ${chosen}
       GROUP BY ${by} ORDER BY requests DESC, ${then}`,
    );
  const [whole = {} as Row] = all(`SELECT ${ofRequests} FROM requests AS x WHERE ${chosen}`);
  const statuses = new Map(
    all<{ status: string; count: number }>(
      `SELECT status, count(*) AS count FROM requests WHERE ${chosen} GROUP BY status`,
    ).map(({ status, count }) => [status, count]),
  );
  const said = (condition: string) =>
    all<{ count: number }>(
      `SELECT count(*) AS count FROM requests LEFT JOIN feedback AS f ON f.request = number WHERE ${chosen} AND ${condition}`,
    )[0]?.count ?? 0;
  const successes = said("status = 'done' AND coalesce(f.ok, 1) = 1");
  return {
    fromMs: filter.fromMs ?? null,
    toMs: filter.toMs ?? null,
    rowsFromMs: null,
    total: totals(whole),
    successes: {
      requests: successes,
      saidOk: said("f.ok = 1"),
      saidNotOk: said("f.ok = 0"),
      knownCostNanosEach: successes === 0 ? null : Math.round((whole.known ?? 0) / successes),
    },
    byStatus: {
      open: statuses.get("open") ?? 0,
      done: statuses.get("done") ?? 0,
      failed: statuses.get("failed") ?? 0,
      refused: statuses.get("refused") ?? 0,
      aborted: statuses.get("aborted") ?? 0,
      interrupted: statuses.get("interrupted") ?? 0,
    },
    byAlias: requests("alias", "alias").map((row) => ({ alias: row.alias, ...totals(row) })),
    byTarget: all<Row & { target: string }>(
      `SELECT target, ${ofAttempts} FROM attempts AS x WHERE request IN (SELECT number FROM requests WHERE ${chosen})
       GROUP BY target ORDER BY known DESC, requests DESC, target`,
    ).map((row) => ({
      target: row.target,
      attempts: row.requests ?? 0,
      usage: usage(row),
      knownCostNanos: row.known ?? 0,
      knownCostAttempts: row.priced ?? 0,
      unknownCostAttempts: row.unpriced ?? 0,
      driftNanos: row.drift ?? 0,
    })),
    byCaller: requests(
      "caller_kind, key_id, CASE WHEN key_id IS NULL THEN caller_name END",
      "name, caller_kind, key",
    ).map((row) => ({
      callerKind: row.caller_kind,
      keyId: row.key,
      callerName: row.name,
      ...totals(row),
    })),
  };
}
