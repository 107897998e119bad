/**
 * The shapes of the server's answers as commands read them: checked at this edge, unknown fields ignored, so that a command
 * works with a server one version ahead.
 */
import { z } from "zod";
import type { Setting } from "../config/show.ts";
import type { FailureCode } from "../domain/failure.ts";
import type { ModelView, QueueEntryView } from "../domain/model.ts";
import type { Cost } from "../domain/money.ts";
import type { NoteCode } from "../domain/note.ts";
import type { Timings, Usage } from "../domain/usage.ts";
import type { PricingRecord, RequestRecord, UsageSummary } from "../ledger/records.ts";
import type { KeyRow } from "../ledger/rows.ts";

const count = z.int().nonnegative();
const time = z.number();

const slot = z.object({
  state: z.enum(["idle", "waiting", "prefill", "decode"]),
  tokens: count,
  caller: z.string().nullable(),
});

/** One model of `GET /admin/state`. */
export const modelAnswer = z.object({
  id: z.string(),
  capabilities: z.array(z.enum(["chat", "embeddings", "rerank"])).default(["chat"]),
  demo: z.boolean().default(false),
  state: z.enum(["unloaded", "loading", "ready", "backing-off", "failed", "stopping"]),
  since: time,
  reason: z.string(),
  until: time.nullable(),
  workerPid: z.int().nullable(),
  contextLength: count,
  slots: z.array(slot),
  /** A server of an earlier build keeps every model. */
  pinned: z.boolean().default(false),
  waiting: count.default(0),
  /** A server of an earlier build does not say these two. */
  fileName: z.string().optional(),
  sizeBytes: count.optional(),
}) satisfies z.ZodType<Omit<ModelView, "fileName" | "sizeBytes">, unknown>;

const queued = z.object({
  caller: z.string(),
  model: z.string(),
  position: count,
  expectedMs: z.number().nullable(),
}) satisfies z.ZodType<QueueEntryView, unknown>;

/** `GET /admin/state`. */
export const stateAnswer = z.object({
  box: z.looseObject({
    name: z.string().optional(),
    version: z.string().optional(),
    startedAtMs: z.number().optional(),
  }),
  models: z.array(modelAnswer),
  queue: z.array(queued),
});

/** `GET /v1/models`. */
export const modelsAnswer = z.object({ data: z.array(z.object({ id: z.string(), slots: count.optional() })) });

const keyRow = z.object({
  id: z.int(),
  kind: z.enum(["inference", "admin"]),
  name: z.string(),
  label: z.string().nullable(),
  tail: z.string(),
  createdAtMs: time,
  lastUsedAtMs: time.nullable(),
  revokedAtMs: time.nullable(),
  /** A server of an earlier build has no keys that expire. */
  expiresAtMs: time.nullable().default(null),
  isolate: z.boolean().default(false),
  limits: z
    .object({
      requestsPerMinute: count.nullable(),
      tokensPerMinute: count.nullable(),
      concurrent: count.nullable(),
      priority: z.int(),
    })
    .default({ requestsPerMinute: null, tokensPerMinute: null, concurrent: null, priority: 0 }),
  routes: z.array(z.string()).nullable().default(null),
}) satisfies z.ZodType<KeyRow, unknown>;

/** `GET /admin/keys`. */
export const keysAnswer = z.object({ keys: z.array(keyRow) });
/** `POST /admin/keys` and `/admin/keys/reset-admin`. */
export const createdKeyAnswer = z.object({ secret: z.string(), key: keyRow });
/** `DELETE /admin/keys/:id` and `POST /admin/keys/:id/limits`. */
export const changedKeyAnswer = z.object({ key: keyRow });

const usage = z.object({
  promptTokens: count,
  cachedTokens: count,
  completionTokens: count,
  reasoningTokens: count,
  cacheWrite5mTokens: count.exactOptional(),
  cacheWrite1hTokens: count.exactOptional(),
}) satisfies z.ZodType<Usage, unknown>;

const timings = z.object({
  queueMs: time,
  loadMs: time,
  prefillMs: time,
  decodeMs: time,
}) satisfies z.ZodType<Timings, unknown>;

const cost = z.discriminatedUnion("known", [
  z.object({ known: z.literal(true), nanos: z.int(), basis: z.enum(["measured", "estimated", "billed"]) }),
  z.object({ known: z.literal(false), reason: z.enum(["not_priced", "unknown_price"]) }),
]) satisfies z.ZodType<Cost, unknown>;

const attemptStatus = z.enum(["open", "done", "failed", "aborted", "interrupted"]);
/** A newer server may know more codes; they are shown, not judged. */
const failureCode = z.custom<FailureCode>((value) => typeof value === "string").nullable();
const callerKind = z.enum(["key", "keyless", "admin"]);

const nanos = z.int();
const pricing = z.object({
  provider: z.string(),
  model: z.string(),
  requestId: z.string().nullable(),
  computedNanos: nanos.nullable(),
  reportedNanos: nanos.nullable(),
  driftNanos: nanos.nullable(),
  priceId: z.string().nullable(),
  parts: z.array(
    z.object({
      what: z.string(),
      count: z.number(),
      picosEach: z.object({ numerator: z.number(), denominator: z.number() }),
    }),
  ),
  flags: z.array(z.string()),
  audio: z.object({ promptTokens: count, cachedTokens: count, completionTokens: count }),
  serviceTier: z.string().nullable(),
  rawUsage: z.unknown(),
  heldNanos: nanos.nullable(),
}) satisfies z.ZodType<PricingRecord, unknown>;

/** `GET /admin/usage/requests/:id`. */
export const requestAnswer = z.object({
  id: z.string(),
  startedAtMs: time,
  callerKind,
  keyId: z.int().nullable(),
  callerName: z.string(),
  dialect: z.string(),
  alias: z.string(),
  /** A server of an earlier build does not say it. */
  task: z.string().nullable().default(null),
  stream: z.boolean(),
  status: z.enum(["open", "done", "failed", "refused", "aborted", "interrupted"]),
  finishReason: z.enum(["stop", "length", "tool-calls", "content-filter", "pause"]).nullable(),
  failureCode,
  durationMs: time.nullable(),
  ttftMs: time.nullable(),
  usage,
  timings,
  cost: cost.nullable(),
  /** A server of an earlier build has no sums of parts, and no plan. */
  knownCostNanos: nanos.default(0),
  unknownCostAttempts: count.default(0),
  plan: z.unknown().default(null),
  /** An older server has none. A newer one may know more codes; they are shown, not judged. */
  notes: z
    .array(z.object({ code: z.custom<NoteCode>((value) => typeof value === "string"), detail: z.string() }))
    .default([]),
  attempts: z.array(
    z.object({
      number: count,
      target: z.string(),
      reason: z.string(),
      offsetMs: time,
      status: attemptStatus,
      failureCode,
      durationMs: time.nullable(),
      usage,
      timings,
      cost: cost.nullable(),
      pricing: pricing.nullable().default(null),
      upstreamRequestId: z.string().nullable().default(null),
    }),
  ),
}) satisfies z.ZodType<RequestRecord, unknown>;

const totals = z.object({
  requests: count,
  usage,
  knownCostNanos: z.int(),
  knownCostRequests: count,
  unknownCostRequests: count,
});

/** `GET /admin/usage/summary`. */
export const summaryAnswer = z.object({
  fromMs: time.nullable(),
  toMs: time.nullable(),
  rowsFromMs: time.nullable().default(null),
  total: totals,
  successes: z
    .object({ requests: count, saidOk: count, saidNotOk: count, knownCostNanosEach: nanos.nullable() })
    .default({ requests: 0, saidOk: 0, saidNotOk: 0, knownCostNanosEach: null }),
  byStatus: z.object({
    open: count,
    done: count,
    failed: count,
    refused: count,
    aborted: count,
    interrupted: count,
  }),
  byTarget: z
    .array(
      z.object({
        target: z.string(),
        attempts: count,
        usage,
        knownCostNanos: nanos,
        knownCostAttempts: count,
        unknownCostAttempts: count,
        driftNanos: nanos,
      }),
    )
    .default([]),
  byAlias: z.array(totals.extend({ alias: z.string() })),
  byCaller: z.array(totals.extend({ callerKind, keyId: z.int().nullable(), callerName: z.string() })),
}) satisfies z.ZodType<UsageSummary, unknown>;

/** `GET /admin/config`. */
export const configAnswer = z.array(
  z.object({
    path: z.string(),
    value: z.unknown(),
    origin: z.custom<Setting["origin"]>((value) => typeof value === "string"),
    meaning: z.string(),
    variable: z.string(),
  }),
);

/** Any answer that is JSON: the status said it all. */
export const anyAnswer = z.unknown();
