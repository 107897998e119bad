/**
 * Rows of SQL as the records that leave the ledger. Runs on the reader thread. Pure.
 */
import { z } from "zod";
import type { CallerKind } from "../../domain/caller.ts";
import type { FinishReason } from "../../domain/chat.ts";
import type { FailureCode } from "../../domain/failure.ts";
import type { Cost } from "../../domain/money.ts";
import type { NoteCode } from "../../domain/note.ts";
import type { AttemptRecord, RequestRecord } from "../records.ts";
import type { RequestStatus } from "../rows.ts";

const noteList = z.array(
  z.object({ code: z.custom<NoteCode>((value) => typeof value === "string"), detail: z.string() }),
);

/** STRICT tables and their CHECKs promise these types. */
interface MeasureColumns {
  readonly prompt_tokens: number;
  readonly cached_tokens: number;
  readonly completion_tokens: number;
  readonly reasoning_tokens: number;
  readonly queue_ms: number;
  readonly load_ms: number;
  readonly prefill_ms: number;
  readonly decode_ms: number;
  readonly cost_nanos: number | null;
  readonly cost_basis: "measured" | "estimated" | "billed" | "not_priced" | null;
}

export interface RequestColumns extends MeasureColumns {
  readonly number: number;
  readonly id: string;
  readonly started_at_ms: number;
  readonly caller_kind: CallerKind;
  readonly key_id: number | null;
  readonly caller_name: string;
  readonly dialect: string;
  readonly alias: string;
  readonly stream: number;
  readonly status: RequestStatus;
  readonly finish_reason: FinishReason | null;
  readonly failure_code: FailureCode | null;
  readonly duration_ms: number | null;
  readonly ttft_ms: number | null;
  readonly notes: string | null;
}

export interface AttemptColumns extends MeasureColumns {
  readonly request: number;
  readonly number: number;
  readonly target: string;
  readonly reason: string;
  readonly offset_ms: number;
  readonly status: Exclude<RequestStatus, "refused">;
  readonly failure_code: FailureCode | null;
  readonly duration_ms: number | null;
}

function costOf(columns: MeasureColumns): Cost | null {
  const { cost_nanos: nanos, cost_basis: basis } = columns;
  if (basis === null) return null;
  if (basis === "not_priced" || nanos === null) return { known: false, reason: "not_priced" };
  return { known: true, nanos, basis };
}

function measures(columns: MeasureColumns): Pick<RequestRecord, "usage" | "timings" | "cost"> {
  return {
    usage: {
      promptTokens: columns.prompt_tokens,
      cachedTokens: columns.cached_tokens,
      completionTokens: columns.completion_tokens,
      reasoningTokens: columns.reasoning_tokens,
    },
    timings: {
      queueMs: columns.queue_ms,
      loadMs: columns.load_ms,
      prefillMs: columns.prefill_ms,
      decodeMs: columns.decode_ms,
    },
    cost: costOf(columns),
  };
}

export function attemptRecord(columns: AttemptColumns): AttemptRecord {
  return {
    number: columns.number,
    target: columns.target,
    reason: columns.reason,
    offsetMs: columns.offset_ms,
    status: columns.status,
    failureCode: columns.failure_code,
    durationMs: columns.duration_ms,
    ...measures(columns),
  };
}

export function requestRecord(columns: RequestColumns, attempts: readonly AttemptColumns[]): RequestRecord {
  return {
    id: columns.id,
    startedAtMs: columns.started_at_ms,
    callerKind: columns.caller_kind,
    keyId: columns.key_id,
    callerName: columns.caller_name,
    dialect: columns.dialect,
    alias: columns.alias,
    stream: columns.stream === 1,
    status: columns.status,
    finishReason: columns.finish_reason,
    failureCode: columns.failure_code,
    durationMs: columns.duration_ms,
    ttftMs: columns.ttft_ms,
    ...measures(columns),
    notes: columns.notes === null ? [] : noteList.parse(JSON.parse(columns.notes)),
    attempts: attempts.map(attemptRecord),
  };
}
