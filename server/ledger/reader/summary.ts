/**
 * The summary: totals, and who and what they are made of. Sums of whole hours, days and 16 days, and single rows only for the parts
 * of hours at both ends, for what is open, and for changes that are not folded yet; together exactly the sum of the rows. Runs
 * on the reader thread over a read-only connection.
 */
import type Database from "better-sqlite3";
import type { CallerKind } from "../../domain/caller.ts";
import type { Usage } from "../../domain/usage.ts";
import type { ReportFilter, UsageSummary, UsageTotals } from "../records.ts";
import { callerSpanHours, type ReportParts, reportParts, spanHours, type Stretch } from "../spans.ts";
import { addedUp, attemptSums, requestSums, type SumColumns, summedUp } from "../sum-columns.ts";

type Added = Record<string, number>;

interface CallerColumns {
  readonly caller_kind: CallerKind;
  readonly key_id: number | null;
  readonly caller_name: string;
}

/** Sums of requests that have these in common. */
type RequestGroup = Added & CallerColumns & { readonly alias: string };

type TargetGroup = Added & { readonly target: string };

interface Asked extends Stretch {
  readonly key: number | null;
}

interface AskedPieces {
  /** JSON: [[hours, first, until], …]. */
  readonly pieces: string;
  readonly key: number | null;
}

const byCallerColumns = "caller_kind, key_id, caller_name";

function withKey<Value>(make: (hasKey: boolean) => Value): (key: number | null) => Value {
  const [all, one] = [make(false), make(true)];
  return (key) => (key === null ? all : one);
}

export function prepareSummary(database: Database.Database): (filter: ReportFilter) => UsageSummary {
  const kept = database.prepare<[], { from_ms: number }>("SELECT from_ms FROM rows_kept");

  const inTime = (hasKey: boolean, table = "") =>
    `${table}started_at_ms >= $fromMs AND ${table}started_at_ms < $untilMs${hasKey ? ` AND ${table}key_id = $key` : ""}`;
  const rows = (source: string) =>
    database.prepare<[Asked], RequestGroup>(
      `SELECT alias, ${byCallerColumns}, ${addedUp(requestSums)} FROM (${source}) GROUP BY alias, ${byCallerColumns}`,
    );
  // The planner does not know that next to nothing is open, so each reading names its index.
  const withSaid = (index: string) =>
    `SELECT 1 AS sign, f.ok AS said, r.* FROM requests AS r INDEXED BY ${index}
     LEFT JOIN feedback AS f ON f.request = r.number`;
  const inIndex = (hasKey: boolean) => (hasKey ? "requests_by_key" : "requests_by_start");
  const requestRows = withKey((hasKey) => ({
    edge: rows(`${withSaid(inIndex(hasKey))} WHERE ${inTime(hasKey, "r.")}`),
    open: rows(`${withSaid("requests_open")} WHERE r.status = 'open' AND ${inTime(hasKey, "r.")}`),
    changes: rows(`SELECT * FROM request_changes WHERE ${inTime(hasKey)}`),
  }));
  const tries = (source: string) =>
    database.prepare<[Asked], TargetGroup>(`SELECT target, ${addedUp(attemptSums)} FROM (${source}) GROUP BY target`);
  const attemptRows = withKey((hasKey) => ({
    edge: tries(
      `SELECT 1 AS sign, a.* FROM requests AS r INDEXED BY ${inIndex(hasKey)} CROSS JOIN attempts AS a ON a.request = r.number
       WHERE ${inTime(hasKey, "r.")}`,
    ),
    open: tries(
      `SELECT 1 AS sign, a.* FROM attempts AS a INDEXED BY attempts_open CROSS JOIN requests AS r NOT INDEXED ON r.number = a.request
       WHERE a.status = 'open' AND ${inTime(hasKey, "r.")}`,
    ),
    changes: tries(`SELECT * FROM attempt_changes WHERE ${inTime(hasKey)}`),
  }));

  const pieces = `(SELECT value ->> 0 AS hours, value ->> 1 AS first, value ->> 2 AS until FROM json_each($pieces)) AS p`;
  const callersOf = (hasKey: boolean) =>
    hasKey ? "(SELECT id AS caller FROM sum_callers WHERE key_id = $key)" : "(SELECT 0 AS caller)";
  const sums = <Found>(hasKey: boolean, table: string, only: string, columns: SumColumns, by: string) =>
    database.prepare<[AskedPieces], Found>(
      `SELECT ${by}, ${summedUp(columns)} FROM ${pieces} CROSS JOIN ${callersOf(hasKey)} AS who CROSS JOIN ${table} AS s
         ON s.hours = p.hours AND s.caller = who.caller AND ${only} s.from_hour >= p.first AND s.from_hour < p.until
       GROUP BY ${by}`,
    );
  type Part = Added & { readonly caller: number; readonly part: number };
  const requestsByAlias = withKey((hasKey) =>
    sums<Part>(hasKey, "request_sums", "s.kind = 1 AND", requestSums, "s.caller, s.part"),
  );
  const requestsByCaller = sums<Part>(false, "request_sums", "s.kind = 2 AND", requestSums, "s.part");
  const attemptsByTarget = withKey((hasKey) =>
    sums<Added & { readonly target: number }>(hasKey, "attempt_sums", "", attemptSums, "s.target"),
  );
  const alias = database.prepare<[number], { alias: string }>("SELECT alias FROM sum_aliases WHERE id = ?");
  const caller = database.prepare<[number], CallerColumns>(
    "SELECT caller_kind, nullif(key_id, 0) AS key_id, caller_name FROM sum_callers WHERE id = ?",
  );
  const target = database.prepare<[number], { target: string }>("SELECT target FROM sum_targets WHERE id = ?");

  function requestGroups(parts: ReportParts, key: number | null): Groups {
    const groups = createGroups();
    const of = requestRows(key);
    for (const edge of parts.edges) for (const row of of.edge.all({ ...edge, key })) groups.add(row, row, row);
    if (parts.covered === null) return groups;
    const asked = { ...parts.covered, key };
    for (const row of [...of.open.all(asked), ...of.changes.all(asked)]) groups.add(row, row, row);
    const summed = {
      pieces: JSON.stringify(parts.pieces.map((piece) => [piece.hours, piece.first, piece.until])),
      key,
    };
    for (const row of requestsByAlias(key).all(summed)) {
      groups.add(row, alias.get(row.part) ?? null, key === null ? null : (caller.get(row.caller) ?? null));
    }
    if (key === null) {
      for (const row of requestsByCaller.all(summed)) groups.addToCaller(row, caller.get(row.part) ?? null);
    }
    return groups;
  }

  function targetGroups(parts: ReportParts, key: number | null): ReadonlyMap<string, Added> {
    const groups = new Map<string, Added>();
    const of = attemptRows(key);
    for (const edge of parts.edges) {
      for (const row of of.edge.all({ ...edge, key })) addTo(groups, row.target, attemptSums, row);
    }
    if (parts.covered === null) return groups;
    const asked = { ...parts.covered, key };
    for (const row of [...of.open.all(asked), ...of.changes.all(asked)]) {
      addTo(groups, row.target, attemptSums, row);
    }
    const summed = {
      pieces: JSON.stringify(parts.pieces.map((piece) => [piece.hours, piece.first, piece.until])),
      key,
    };
    for (const row of attemptsByTarget(key).all(summed)) {
      addTo(groups, target.get(row.target)?.target ?? "", attemptSums, row);
    }
    return groups;
  }

  // One transaction, so that the parts add up to the total.
  return database.transaction((filter: ReportFilter): UsageSummary => {
    const keptFromMs = kept.get()?.from_ms ?? 0;
    const key = filter.keyId ?? null;
    const parts = reportParts(filter, keptFromMs, key === null ? spanHours : callerSpanHours);
    const { aliases, callers, total } = requestGroups(parts, key);
    const targets = targetGroups(parts, key);
    return summaryOf(filter, keptFromMs, { aliases, callers, total, targets });
  });
}

interface Groups {
  readonly aliases: ReadonlyMap<string, Added>;
  readonly callers: ReadonlyMap<string, CallerGroup>;
  readonly total: Added;
  /** To all that are named; into the total always. */
  add(row: Added, of: { readonly alias: string } | null, by: CallerColumns | null): void;
  addToCaller(row: Added, by: CallerColumns | null): void;
}

interface CallerGroup {
  readonly callerKind: CallerKind;
  readonly keyId: number | null;
  callerName: string;
  readonly sums: Added;
}

function none(columns: SumColumns): Added {
  return Object.fromEntries(Object.keys(columns).map((name) => [name, 0]));
}

function grow(sums: Added, columns: SumColumns, row: Added): void {
  for (const name of Object.keys(columns)) sums[name] = (sums[name] ?? 0) + (row[name] ?? 0);
}

function addTo(groups: Map<string, Added>, name: string, columns: SumColumns, row: Added): void {
  let sums = groups.get(name);
  if (sums === undefined) groups.set(name, (sums = none(columns)));
  grow(sums, columns, row);
}

function createGroups(): Groups {
  const aliases = new Map<string, Added>();
  const callers = new Map<string, CallerGroup>();
  const total = none(requestSums);
  const addToCaller: Groups["addToCaller"] = (row, by) => {
    if (by === null) return;
    const { caller_kind: callerKind, key_id: keyId, caller_name: callerName } = by;
    // A key is one caller, under one of its names; who has none is known by name alone.
    const id = JSON.stringify([callerKind, keyId, keyId === null ? callerName : ""]);
    let group = callers.get(id);
    if (group === undefined) callers.set(id, (group = { callerKind, keyId, callerName, sums: none(requestSums) }));
    if (inOrder(group.callerName, callerName) < 0) group.callerName = callerName;
    grow(group.sums, requestSums, row);
  };
  return {
    aliases,
    callers,
    total,
    add(row, of, by) {
      grow(total, requestSums, row);
      if (of !== null) addTo(aliases, of.alias, requestSums, row);
      addToCaller(row, by);
    },
    addToCaller,
  };
}

/** As SQLite sorts text: by the bytes of its UTF-8. */
function inOrder(one: string, other: string): number {
  return one === other ? 0 : Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function usageOf(sums: Added): Usage {
  const { prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0, reasoning_tokens = 0 } = sums;
  const { cache_write_5m_tokens = 0, cache_write_1h_tokens = 0 } = sums;
  return {
    promptTokens: prompt_tokens,
    cachedTokens: cached_tokens,
    completionTokens: completion_tokens,
    reasoningTokens: reasoning_tokens,
    ...(cache_write_5m_tokens === 0 ? {} : { cacheWrite5mTokens: cache_write_5m_tokens }),
    ...(cache_write_1h_tokens === 0 ? {} : { cacheWrite1hTokens: cache_write_1h_tokens }),
  };
}

function totals(sums: Added): UsageTotals {
  return {
    requests: sums.requests ?? 0,
    usage: usageOf(sums),
    knownCostNanos: sums.known_nanos ?? 0,
    knownCostRequests: sums.known_requests ?? 0,
    unknownCostRequests: sums.unknown_requests ?? 0,
  };
}

function summaryOf(
  filter: ReportFilter,
  keptFromMs: number,
  found: Pick<Groups, "aliases" | "callers" | "total"> & { readonly targets: ReadonlyMap<string, Added> },
): UsageSummary {
  const { done = 0, failed = 0, refused = 0, aborted = 0, interrupted = 0, requests = 0, successes = 0 } = found.total;
  const total = totals(found.total);
  const busiest = (one: UsageTotals, other: UsageTotals) => other.requests - one.requests;
  return {
    fromMs: filter.fromMs ?? null,
    toMs: filter.toMs ?? null,
    rowsFromMs: keptFromMs === 0 ? null : keptFromMs,
    total,
    successes: {
      requests: successes,
      saidOk: found.total.said_ok ?? 0,
      saidNotOk: found.total.said_not_ok ?? 0,
      knownCostNanosEach: successes === 0 ? null : Math.round(total.knownCostNanos / successes),
    },
    byStatus: {
      open: requests - done - failed - refused - aborted - interrupted,
      ...{ done, failed, refused, aborted, interrupted },
    },
    byAlias: [...found.aliases]
      .map(([alias, sums]) => ({ alias, ...totals(sums) }))
      .filter((row) => row.requests > 0)
      .sort((one, other) => busiest(one, other) || inOrder(one.alias, other.alias)),
    byTarget: [...found.targets]
      .map(([target, sums]) => ({
        target,
        attempts: sums.attempts ?? 0,
        usage: usageOf(sums),
        knownCostNanos: sums.known_nanos ?? 0,
        knownCostAttempts: sums.known_attempts ?? 0,
        unknownCostAttempts: sums.unknown_attempts ?? 0,
        driftNanos: sums.drift_nanos ?? 0,
      }))
      .filter((row) => row.attempts > 0)
      .sort(
        (one, other) =>
          other.knownCostNanos - one.knownCostNanos ||
          other.attempts - one.attempts ||
          inOrder(one.target, other.target),
      ),
    byCaller: [...found.callers.values()]
      .map(({ sums, callerKind, keyId, callerName }) => ({ callerKind, keyId, callerName, ...totals(sums) }))
      .filter((row) => row.requests > 0)
      .sort(
        (one, other) =>
          busiest(one, other) ||
          inOrder(one.callerName, other.callerName) ||
          inOrder(one.callerKind, other.callerKind) ||
          (one.keyId ?? 0) - (other.keyId ?? 0),
      ),
  };
}
