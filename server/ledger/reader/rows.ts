/**
 * Rows of SQL as the records that leave the ledger. Runs on the reader thread. Pure.
 */
import { z } from "zod";
import type { CallerKind } from "../../domain/caller.ts";
import type { FinishReason } from "../../domain/chat.ts";
import type { FailureCode } from "../../domain/failure.ts";
import type { Cost } from "../../domain/money.ts";
import type { NoteCode } from "../../domain/note.ts";
import type { PricedPart } from "../../domain/pricing/priced.ts";
import type { Usage } from "../../domain/usage.ts";
import type { AttemptRecord, PricingRecord, RequestRecord } from "../records.ts";
import type { RequestStatus } from "../rows.ts";

const noteList = z.array(
  z.object({ code: z.custom<NoteCode>((value) => typeof value === "string"), detail: z.string() }),
);

const partList = z.array(
  z.object({
    what: z.string(),
    count: z.number(),
    picosEach: z.object({ numerator: z.number(), denominator: z.number() }),
  }),
) satisfies z.ZodType<readonly PricedPart[]>;
const flagList = z.array(z.string());
/** Made once: a shape is dear to make, and a page has a thousand rows. */
const anything = z.unknown();

/** STRICT tables and their CHECKs promise these types. */
interface MeasureColumns {
  readonly prompt_tokens: number;
  readonly cached_tokens: number;
  readonly completion_tokens: number;
  readonly reasoning_tokens: number;
  readonly cache_write_5m_tokens: number;
  readonly cache_write_1h_tokens: number;
  readonly queue_ms: number;
  readonly load_ms: number;
  readonly prefill_ms: number;
  readonly decode_ms: number;
  readonly cost_nanos: number | null;
  readonly cost_basis: "measured" | "estimated" | "billed" | "not_priced" | "unknown_price" | null;
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
  readonly task: string | null;
  readonly stream: number;
  readonly status: RequestStatus;
  readonly finish_reason: FinishReason | null;
  readonly failure_code: FailureCode | null;
  readonly duration_ms: number | null;
  readonly ttft_ms: number | null;
  readonly notes: string | null;
  readonly known_nanos: number;
  readonly unknown_attempts: number;
  readonly plan: string | null;
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
  readonly audio_prompt_tokens: number;
  readonly audio_cached_tokens: number;
  readonly audio_completion_tokens: number;
  readonly provider: string | null;
  readonly upstream_model: string | null;
  readonly upstream_request_id: string | null;
  readonly service_tier: string | null;
  readonly computed_nanos: number | null;
  readonly reported_nanos: number | null;
  readonly drift_nanos: number | null;
  readonly price_id: string | null;
  readonly price_parts: string | null;
  readonly flags: string | null;
  readonly raw_usage: string | null;
  readonly held_nanos: number | null;
}

function costOf(columns: MeasureColumns): Cost | null {
  const { cost_nanos: nanos, cost_basis: basis } = columns;
  if (basis === null) return null;
  if (basis === "not_priced" || basis === "unknown_price") return { known: false, reason: basis };
  if (nanos === null) return { known: false, reason: "not_priced" };
  return { known: true, nanos, basis };
}

export type TokenColumns = Omit<
  MeasureColumns,
  "queue_ms" | "load_ms" | "prefill_ms" | "decode_ms" | "cost_nanos" | "cost_basis"
>;

/** Counts of written tokens only where there are some: nothing on this box writes to an upstream's cache. */
export function usageOf(columns: TokenColumns): Usage {
  return {
    promptTokens: columns.prompt_tokens,
    cachedTokens: columns.cached_tokens,
    completionTokens: columns.completion_tokens,
    reasoningTokens: columns.reasoning_tokens,
    ...(columns.cache_write_5m_tokens === 0 ? {} : { cacheWrite5mTokens: columns.cache_write_5m_tokens }),
    ...(columns.cache_write_1h_tokens === 0 ? {} : { cacheWrite1hTokens: columns.cache_write_1h_tokens }),
  };
}

function pricingOf(columns: AttemptColumns): PricingRecord | null {
  const { provider, upstream_model: model } = columns;
  if (provider === null || model === null) return null;
  const read = <Kept>(text: string | null, shape: z.ZodType<Kept>, none: Kept) =>
    text === null ? none : shape.parse(JSON.parse(text));
  return {
    provider,
    model,
    requestId: columns.upstream_request_id,
    computedNanos: columns.computed_nanos,
    reportedNanos: columns.reported_nanos,
    driftNanos: columns.drift_nanos,
    priceId: columns.price_id,
    parts: read(columns.price_parts, partList, []),
    flags: read(columns.flags, flagList, []),
    audio: {
      promptTokens: columns.audio_prompt_tokens,
      cachedTokens: columns.audio_cached_tokens,
      completionTokens: columns.audio_completion_tokens,
    },
    serviceTier: columns.service_tier,
    rawUsage: read(columns.raw_usage, anything, null),
    heldNanos: columns.held_nanos,
  };
}

function measures(columns: MeasureColumns): Pick<RequestRecord, "usage" | "timings" | "cost"> {
  return {
    usage: usageOf(columns),
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
    pricing: pricingOf(columns),
    upstreamRequestId: columns.upstream_request_id,
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
    task: columns.task,
    stream: columns.stream === 1,
    status: columns.status,
    finishReason: columns.finish_reason,
    failureCode: columns.failure_code,
    durationMs: columns.duration_ms,
    ttftMs: columns.ttft_ms,
    ...measures(columns),
    knownCostNanos: columns.known_nanos,
    unknownCostAttempts: columns.unknown_attempts,
    plan: columns.plan === null ? null : (JSON.parse(columns.plan) as unknown),
    notes: columns.notes === null ? [] : noteList.parse(JSON.parse(columns.notes)),
    attempts: attempts.map(attemptRecord),
  };
}
