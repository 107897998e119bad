/**
 * Requests as CSV (RFC 4180) or JSON lines; `focus-text.ts` has attempts for finance people. Pure. The columns are documented in docs/api.md and only ever grow at the end.
 */
import type { ExportFormat, RequestRecord } from "../records.ts";
import { type Cell, csvCell, csvLineEnd } from "./csv-cell.ts";
import { focusHeader, focusRows } from "./focus-text.ts";

/** Null unless every one of them is known: a part of a sum is not the sum. */
function sumOf(values: readonly (number | null)[]): number | null {
  if (values.length === 0 || values.includes(null)) return null;
  return values.reduce<number>((sum, value) => sum + (value ?? 0), 0);
}

/**
 * One row per request. `target` and `reason` are those of the last attempt, the one that counted; `computedNanos`,
 * `reportedNanos` and `driftNanos` are sums over the attempts on others' machines.
 */
function cells(record: RequestRecord): Readonly<Record<string, Cell>> {
  const last = record.attempts.at(-1);
  const priced = record.attempts.flatMap(({ pricing }) => (pricing === null ? [] : [pricing]));
  const drifts = priced.flatMap(({ driftNanos }) => (driftNanos === null ? [] : [driftNanos]));
  const flags = [...new Set(priced.flatMap((pricing) => pricing.flags))];
  return {
    id: record.id,
    startedAt: new Date(record.startedAtMs).toISOString(),
    startedAtMs: record.startedAtMs,
    callerKind: record.callerKind,
    keyId: record.keyId,
    callerName: record.callerName,
    dialect: record.dialect,
    alias: record.alias,
    stream: record.stream,
    status: record.status,
    finishReason: record.finishReason,
    failureCode: record.failureCode,
    durationMs: record.durationMs,
    ttftMs: record.ttftMs,
    queueMs: record.timings.queueMs,
    loadMs: record.timings.loadMs,
    prefillMs: record.timings.prefillMs,
    decodeMs: record.timings.decodeMs,
    promptTokens: record.usage.promptTokens,
    cachedTokens: record.usage.cachedTokens,
    completionTokens: record.usage.completionTokens,
    reasoningTokens: record.usage.reasoningTokens,
    costNanos: record.cost?.known === true ? record.cost.nanos : null,
    costBasis: record.cost === null ? null : record.cost.known ? record.cost.basis : record.cost.reason,
    attempts: record.attempts.length,
    target: last?.target ?? null,
    reason: last?.reason ?? null,
    notes: record.notes.length === 0 ? null : record.notes.map(({ code, detail }) => `${code}: ${detail}`).join("; "),
    knownCostNanos: record.knownCostNanos,
    unknownCostAttempts: record.unknownCostAttempts,
    cacheWrite5mTokens: record.usage.cacheWrite5mTokens ?? 0,
    cacheWrite1hTokens: record.usage.cacheWrite1hTokens ?? 0,
    provider: last?.pricing?.provider ?? null,
    upstreamModel: last?.pricing?.model ?? null,
    upstreamRequestId: last?.upstreamRequestId ?? null,
    serviceTier: last?.pricing?.serviceTier ?? null,
    computedNanos: sumOf(priced.map(({ computedNanos }) => computedNanos)),
    reportedNanos: sumOf(priced.map(({ reportedNanos }) => reportedNanos)),
    driftNanos: drifts.length === 0 ? null : sumOf(drifts),
    priceIds: joined(priced.flatMap(({ priceId }) => (priceId === null ? [] : [priceId]))),
    priceFlags: joined(flags),
    tries:
      record.attempts.length === 0
        ? null
        : record.attempts.map(({ target, reason, status }) => `${target} ${reason} ${status}`).join("; "),
    task: record.task,
  };
}

function joined(words: readonly string[]): string | null {
  return words.length === 0 ? null : [...new Set(words)].join("; ");
}

/** In this order; absent values are empty in CSV and null in JSON. */
export const exportColumns: readonly string[] = Object.freeze([
  "id",
  "startedAt",
  "startedAtMs",
  "callerKind",
  "keyId",
  "callerName",
  "dialect",
  "alias",
  "stream",
  "status",
  "finishReason",
  "failureCode",
  "durationMs",
  "ttftMs",
  "queueMs",
  "loadMs",
  "prefillMs",
  "decodeMs",
  "promptTokens",
  "cachedTokens",
  "completionTokens",
  "reasoningTokens",
  "costNanos",
  "costBasis",
  "attempts",
  "target",
  "reason",
  "notes",
  "knownCostNanos",
  "unknownCostAttempts",
  "cacheWrite5mTokens",
  "cacheWrite1hTokens",
  "provider",
  "upstreamModel",
  "upstreamRequestId",
  "serviceTier",
  "computedNanos",
  "reportedNanos",
  "driftNanos",
  "priceIds",
  "priceFlags",
  "tries",
  "task",
]);

const lineEnd = Object.freeze({ csv: csvLineEnd, jsonl: "\n" });

/** What comes before the first row. */
export function exportHeader(format: ExportFormat): string {
  if (format === "focus") return focusHeader();
  return format === "csv" ? `${exportColumns.join(",")}${lineEnd.csv}` : "";
}

export function exportRows(format: ExportFormat, records: readonly RequestRecord[]): string {
  if (format === "focus") return focusRows(records);
  return records
    .map((record) => {
      const row = cells(record);
      const line =
        format === "csv" ? exportColumns.map((name) => csvCell(row[name] ?? null)).join(",") : JSON.stringify(row);
      return line + lineEnd[format];
    })
    .join("");
}
