/**
 * Puts sums from several readings together into the summary: by alias, caller and target, in the order people read them. Pure; runs
 * on the reader thread.
 */
import type { CallerKind } from "../../domain/caller.ts";
import type { Usage } from "../../domain/usage.ts";
import type { ReportFilter, UsageSummary, UsageTotals } from "../records.ts";
import { requestSums, type SumColumns } from "../sum-columns.ts";
import { usageOf } from "./rows.ts";

/** Sums by the names of their columns. */
export type Added = Record<string, number>;

export interface CallerColumns {
  readonly caller_kind: CallerKind;
  readonly key_id: number | null;
  readonly caller_name: string;
}

export interface Groups {
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

export function addTo(groups: Map<string, Added>, name: string, columns: SumColumns, row: Added): void {
  const sums = groups.get(name) ?? none(columns);
  groups.set(name, sums);
  grow(sums, columns, row);
}

export function createGroups(): Groups {
  const aliases = new Map<string, Added>();
  const callers = new Map<string, CallerGroup>();
  const total = none(requestSums);
  const addToCaller: Groups["addToCaller"] = (row, by) => {
    if (by === null) return;
    const { caller_kind: callerKind, key_id: keyId, caller_name: callerName } = by;
    // A key is one caller, under one of its names; who has none is known by name alone.
    const id = JSON.stringify([callerKind, keyId, keyId === null ? callerName : ""]);
    const group = callers.get(id) ?? { callerKind, keyId, callerName, sums: none(requestSums) };
    callers.set(id, group);
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

function tokensOf(sums: Added): Usage {
  const { prompt_tokens = 0, cached_tokens = 0, completion_tokens = 0, reasoning_tokens = 0 } = sums;
  const { cache_write_5m_tokens = 0, cache_write_1h_tokens = 0 } = sums;
  return usageOf({
    ...{ prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens },
    ...{ cache_write_5m_tokens, cache_write_1h_tokens },
  });
}

function totals(sums: Added): UsageTotals {
  return {
    requests: sums.requests ?? 0,
    usage: tokensOf(sums),
    knownCostNanos: sums.known_nanos ?? 0,
    knownCostRequests: sums.known_requests ?? 0,
    unknownCostRequests: sums.unknown_requests ?? 0,
  };
}

export function summaryOf(
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
        usage: tokensOf(sums),
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
