/**
 * The writer's SQL, prepared once, with values put into the shape the columns take. Runs where the writer runs.
 */
import type Database from "better-sqlite3";
import type { PricingFacts } from "../domain/attempt-cost.ts";
import type { Cost } from "../domain/money.ts";
import type { RequestNote } from "../domain/note.ts";
import type { Timings, Usage } from "../domain/usage.ts";
import { planText, rawUsageText } from "./raw-usage.ts";
import type { AttemptEnding, AttemptOpening, RequestEnding, RequestOpening } from "./rows.ts";

/** Longest text of a client that a row keeps, in UTF-16 units. */
const longestText = 200;
/** A target is a backend's name and a model's. */
const longestTarget = 300;

/** Counts and durations are whole and not negative; clocks hand in fractions. */
function whole(value: number): number {
  return Number.isFinite(value) ? Math.max(0, Math.round(value)) : 0;
}

function wholeOrNull(value: number | null): number | null {
  return value === null ? null : whole(value);
}

/** Bounded, and valid UTF-8 once stored: half of a character pair would not survive. */
function text(value: string, longest = longestText): string {
  const cut = value.slice(0, longest);
  const halfAtTheEnd = cut.length < value.length && /[\ud800-\udbff]$/.test(cut);
  return (halfAtTheEnd ? cut.slice(0, -1) : cut).toWellFormed();
}

type Counts = [number, number, number, number, number, number, number, number, number, number];

function counts(usage: Usage, timings: Timings): Counts {
  return [
    whole(usage.promptTokens),
    whole(usage.cachedTokens),
    whole(usage.completionTokens),
    whole(usage.reasoningTokens),
    whole(usage.cacheWrite5mTokens ?? 0),
    whole(usage.cacheWrite1hTokens ?? 0),
    whole(timings.queueMs),
    whole(timings.loadMs),
    whole(timings.prefillMs),
    whole(timings.decodeMs),
  ];
}

function cost(value: Cost): [number | null, string] {
  return value.known ? [value.nanos, value.basis] : [null, value.reason];
}

/** Notes kept per row, and characters of each: a tool set can have hundreds of constraints. */
const mostNotes = 32;

function notes(list: readonly RequestNote[]): string | null {
  if (list.length === 0) return null;
  return JSON.stringify(list.slice(0, mostNotes).map(({ code, detail }) => ({ code, detail: text(detail) })));
}

/** Codes and lines of a sum kept per row. */
const mostFlags = 16;
const mostParts = 24;

type Pricing = [
  number | null,
  number | null,
  number | null,
  string | null,
  string | null,
  string | null,
  number,
  number,
  number,
  string | null,
  string | null,
];

function list(values: readonly unknown[]): string | null {
  return values.length === 0 ? null : JSON.stringify(values);
}

function pricing(row: PricingFacts | undefined): Pricing {
  if (row === undefined) return [null, null, null, null, null, null, 0, 0, 0, null, null];
  return [
    row.computedNanos,
    row.reportedNanos,
    row.driftNanos,
    row.priceId === null ? null : text(row.priceId),
    list(row.parts.slice(0, mostParts).map((part) => ({ ...part, what: text(part.what) }))),
    list([...new Set(row.flags)].slice(0, mostFlags).map((flag) => text(flag))),
    whole(row.audio.promptTokens),
    whole(row.audio.cachedTokens),
    whole(row.audio.completionTokens),
    text(row.serviceTier),
    rawUsageText(row.rawUsage),
  ];
}

const measures = `prompt_tokens = ?, cached_tokens = ?, completion_tokens = ?, reasoning_tokens = ?,
  cache_write_5m_tokens = ?, cache_write_1h_tokens = ?, queue_ms = ?, load_ms = ?, prefill_ms = ?, decode_ms = ?, cost_nanos = ?, cost_basis = ?`;

/** Each function runs one statement inside the caller's transaction and returns how many rows it changed. */
export interface Statements {
  openRequest(number: number, row: RequestOpening): number;
  openAttempt(request: number, row: AttemptOpening): number;
  closeAttempt(request: number, row: AttemptEnding): number;
  closeRequest(number: number, row: RequestEnding): number;
  touchKey(id: number, atMs: number): number;
  lastRequestNumber(): number;
  begin(): void;
  commit(): void;
  rollback(): void;
}

export function prepareStatements(database: Database.Database): Statements {
  // Opening a row twice with the same number happens when a commit failed late and is tried again.
  const openRequest = database.prepare(
    `INSERT INTO requests (number, id, started_at_ms, caller_kind, key_id, caller_name, dialect, alias, stream, task)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (number) DO NOTHING`,
  );
  const openAttempt = database.prepare(
    `INSERT INTO attempts (request, number, target, reason, offset_ms, provider, upstream_model, held_nanos)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (request, number) DO NOTHING`,
  );
  const closeAttempt = database.prepare(
    `UPDATE attempts SET status = ?, failure_code = ?, duration_ms = ?, ${measures}, computed_nanos = ?, reported_nanos = ?,
       drift_nanos = ?, price_id = ?, price_parts = ?, flags = ?, audio_prompt_tokens = ?, audio_cached_tokens = ?,
       audio_completion_tokens = ?, service_tier = ?, raw_usage = ?, upstream_request_id = ?, counted_nanos = ?,
       kept_prompt_tokens = ?, kept_completion_tokens = ?
     WHERE request = ? AND number = ? AND status = 'open'`,
  );
  const closeRequest = database.prepare(
    `UPDATE requests SET status = ?, finish_reason = ?, failure_code = ?, duration_ms = ?, ttft_ms = ?, notes = ?, plan = ?, ${measures},
       known_nanos = ?, unknown_attempts = ?
     WHERE number = ? AND status = 'open'`,
  );
  const touchKey = database.prepare(
    "UPDATE keys SET last_used_at_ms = ? WHERE id = ? AND coalesce(last_used_at_ms, 0) < ?",
  );
  const last = database.prepare<[], { last: number }>("SELECT coalesce(max(number), 0) AS last FROM requests");
  const begin = database.prepare("BEGIN IMMEDIATE");
  const commit = database.prepare("COMMIT");
  const rollback = database.prepare("ROLLBACK");

  return {
    openRequest: (number, row) =>
      openRequest.run(
        number,
        row.id,
        whole(row.startedAtMs),
        row.callerKind,
        row.keyId,
        text(row.callerName),
        row.dialect,
        text(row.alias),
        row.stream ? 1 : 0,
        row.task ?? null,
      ).changes,
    openAttempt: (request, row) =>
      openAttempt.run(
        request,
        row.number,
        text(row.target, longestTarget),
        text(row.reason),
        whole(row.offsetMs),
        row.upstream === undefined ? null : text(row.upstream.provider),
        row.upstream === undefined ? null : text(row.upstream.model),
        row.heldNanos ?? null,
      ).changes,
    closeAttempt: (request, row) =>
      closeAttempt.run(
        row.status,
        row.failureCode,
        whole(row.durationMs),
        ...counts(row.usage, row.timings),
        ...cost(row.cost),
        ...pricing(row.pricing),
        row.upstreamRequestId === undefined ? null : text(row.upstreamRequestId),
        row.countedNanos ?? null,
        row.keptUsage === undefined ? null : whole(row.keptUsage.promptTokens),
        row.keptUsage === undefined ? null : whole(row.keptUsage.completionTokens),
        request,
        row.number,
      ).changes,
    closeRequest: (number, row) =>
      closeRequest.run(
        row.status,
        row.finishReason,
        row.failureCode,
        whole(row.durationMs),
        wholeOrNull(row.ttftMs),
        notes(row.notes ?? []),
        planText(row.plan),
        ...counts(row.usage, row.timings),
        ...cost(row.cost),
        row.knownNanos ?? (row.cost.known ? row.cost.nanos : 0),
        row.unknownAttempts ?? 0,
        number,
      ).changes,
    touchKey: (id, atMs) => touchKey.run(whole(atMs), id, whole(atMs)).changes,
    lastRequestNumber: () => last.get()?.last ?? 0,
    begin: () => void begin.run(),
    commit: () => void commit.run(),
    rollback: () => {
      // SQLite has ended the transaction by itself when the disk was the trouble.
      if (database.inTransaction) rollback.run();
    },
  };
}
