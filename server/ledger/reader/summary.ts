/**
 * The summary: totals, and who and what they are made of. Sums of whole hours and longer times, and single rows only for the parts
 * of hours at both ends, for what is open, and for changes that are not folded yet; together exactly the sum of the rows. Runs
 * on the reader thread over a read-only connection.
 */
import type Database from "better-sqlite3";
import type { ReportFilter, UsageSummary } from "../records.ts";
import {
  callerSpanHours,
  type Edge,
  piecesText,
  type ReportParts,
  reportParts,
  spanHours,
  type Stretch,
} from "../spans.ts";
import { addedUp, attemptSums, callerSums, requestSums, type SumColumns, summedUp } from "../sum-columns.ts";
import { type Added, addTo, type CallerColumns, createGroups, type Groups, summaryOf } from "./added-up.ts";

/** Two readings of the same rows: by both at once there are nearly as many groups as rows. */
interface RequestRows<Given> {
  readonly byAlias: Database.Statement<[Given], Added & { readonly alias: string }>;
  readonly byCaller: Database.Statement<[Given], Added & CallerColumns>;
}

type TargetGroup = Added & { readonly target: string };

interface Asked extends Stretch {
  readonly key: number | null;
}

type AskedEdge = Asked & Edge;

interface AskedPieces {
  /** JSON: [[sign, hours, first, until], …]. */
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
  const rolled = database.prepare<[], { until_hour: number }>("SELECT until_hour FROM sums_rolled");

  const inTime = (hasKey: boolean, table = "") =>
    `${table}started_at_ms >= $fromMs AND ${table}started_at_ms < $untilMs${hasKey ? ` AND ${table}key_id = $key` : ""}`;
  const rows = <Given extends Asked>(source: string): RequestRows<Given> => ({
    byAlias: database.prepare(`SELECT alias, ${addedUp(requestSums)} FROM (${source}) GROUP BY alias`),
    byCaller: database.prepare(
      `SELECT ${byCallerColumns}, ${addedUp(callerSums)} FROM (${source}) GROUP BY ${byCallerColumns}`,
    ),
  });
  // The planner does not know that next to nothing is open, so each reading names its index.
  const withSaid = (index: string, sign = "1") =>
    `SELECT ${sign} AS sign, f.ok AS said, r.* FROM requests AS r INDEXED BY ${index}
     LEFT JOIN feedback AS f ON f.request = r.number`;
  const inIndex = (hasKey: boolean) => (hasKey ? "requests_by_key" : "requests_by_start");
  const requestRows = withKey((hasKey) => ({
    // What is open is in no sum that it could be taken off.
    edge: rows<AskedEdge>(
      `${withSaid(inIndex(hasKey), "$sign")} WHERE ${inTime(hasKey, "r.")} AND ($sign = 1 OR r.status <> 'open')`,
    ),
    open: rows(`${withSaid("requests_open")} WHERE r.status = 'open' AND ${inTime(hasKey, "r.")}`),
    changes: rows(`SELECT * FROM request_changes WHERE ${inTime(hasKey)}`),
  }));
  const tries = <Given extends Asked>(source: string) =>
    database.prepare<[Given], TargetGroup>(`SELECT target, ${addedUp(attemptSums)} FROM (${source}) GROUP BY target`);
  const attemptRows = withKey((hasKey) => ({
    edge: tries<AskedEdge>(
      `SELECT $sign AS sign, a.* FROM requests AS r INDEXED BY ${inIndex(hasKey)} CROSS JOIN attempts AS a ON a.request = r.number
       WHERE ${inTime(hasKey, "r.")} AND ($sign = 1 OR a.status <> 'open')`,
    ),
    open: tries(
      `SELECT 1 AS sign, a.* FROM attempts AS a INDEXED BY attempts_open CROSS JOIN requests AS r NOT INDEXED ON r.number = a.request
       WHERE a.status = 'open' AND ${inTime(hasKey, "r.")}`,
    ),
    changes: tries(`SELECT * FROM attempt_changes WHERE ${inTime(hasKey)}`),
  }));

  // Materialized: else the JSON would be read for each column of each row.
  const pieces = `WITH p AS MATERIALIZED (SELECT value ->> 0 AS sign, value ->> 1 AS hours, value ->> 2 AS first, value ->> 3 AS until
    FROM json_each($pieces))`;
  const callersOf = (hasKey: boolean) =>
    hasKey ? "(SELECT id AS caller FROM sum_callers WHERE key_id = $key)" : "(SELECT 0 AS caller)";
  const sums = <Found>(hasKey: boolean, table: string, only: string, columns: SumColumns, by: string) =>
    database.prepare<[AskedPieces], Found>(
      `${pieces} SELECT ${by}, ${summedUp(columns, "p.sign")} FROM p CROSS JOIN ${callersOf(hasKey)} AS who CROSS JOIN ${table} AS s
         ON s.hours = p.hours AND s.caller = who.caller AND ${only} s.from_hour >= p.first AND s.from_hour < p.until
       GROUP BY ${by}`,
    );
  type Part = Added & { readonly caller: number; readonly part: number };
  const requestsByAlias = withKey((hasKey) =>
    sums<Part>(hasKey, "request_sums", "s.kind = 1 AND", requestSums, "s.caller, s.part"),
  );
  const requestsByCaller = sums<Part>(false, "request_sums", "s.kind = 2 AND", callerSums, "s.part");
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
    const read = <Given extends Asked>({ byAlias, byCaller }: RequestRows<Given>, given: Given) => {
      for (const row of byAlias.all(given)) groups.add(row, row, null);
      for (const row of byCaller.all(given)) groups.addToCaller(row, row);
    };
    for (const edge of parts.edges) read(of.edge, { ...edge, key });
    if (parts.covered === null) return groups;
    read(of.open, { ...parts.asked, key });
    read(of.changes, { ...parts.covered, key });
    const summed = { pieces: piecesText(parts), key };
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
    const [asked, covered] = [
      { ...parts.asked, key },
      { ...parts.covered, key },
    ];
    for (const row of [...of.open.all(asked), ...of.changes.all(covered)]) {
      addTo(groups, row.target, attemptSums, row);
    }
    const summed = { pieces: piecesText(parts), key };
    for (const row of attemptsByTarget(key).all(summed)) {
      addTo(groups, target.get(row.target)?.target ?? "", attemptSums, row);
    }
    return groups;
  }

  // One transaction, so that the parts add up to the total.
  return database.transaction((filter: ReportFilter): UsageSummary => {
    const keptFromMs = kept.get()?.from_ms ?? 0;
    const key = filter.keyId ?? null;
    const parts =
      key === null
        ? reportParts(filter, keptFromMs, spanHours, rolled.get()?.until_hour ?? 0)
        : reportParts(filter, keptFromMs, callerSpanHours);
    const { aliases, callers, total } = requestGroups(parts, key);
    const targets = targetGroups(parts, key);
    return summaryOf(filter, keptFromMs, { aliases, callers, total, targets });
  });
}
