/** One answer in the making, and the slot it is made in. Types and small pure parts of the step loop. */
import type { FinishReason } from "../../../domain/chat.ts";
import type { GenerateOptions, GenerationEnd, WorkerSlot } from "../protocol.ts";
import type { LogprobStream } from "./logprob-stream.ts";
import type { NativeSampler, SequenceId } from "./native.ts";
import type { SlotFacts } from "./slots.ts";
import type { TextStream } from "./text-stream.ts";

export interface Job {
  readonly id: string;
  readonly caller: string;
  /** Who takes turns. */
  readonly callerId: string;
  /** Sharing group: who may reuse what this computes. */
  readonly group: string;
  readonly prompt: readonly number[];
  readonly options: GenerateOptions;
  readonly text: TextStream;
  /** Null: nobody asked for log-probabilities. */
  readonly logprobs: LogprobStream | null;
  /** What belongs together; null: nobody said. */
  readonly session: string | null;
  /** Asked beside a conversation: its slot is given up first. */
  readonly side: boolean;
  phase: "waiting" | "prefill" | "decode";
  /** While waiting: the job whose prefill we share, and how far it must have got. */
  waitFor: { readonly jobId: string; readonly sequence: SequenceId; readonly until: number } | null;
  cachedTokens: number;
  prefilledTokens: number;
  /** The token that the next step feeds; meaningful while decoding. */
  nextToken: number;
  completionTokens: number;
  /** Prefill steps in which it got nothing. */
  passedOver: number;
  cancelled: boolean;
  /** Monotonic milliseconds. */
  readonly slotTakenAtMs: number;
  firstTokenAtMs: number | null;
}

export interface Slot {
  readonly sequence: SequenceId;
  readonly sampler: NativeSampler;
  /** Tokens whose KV is in place. */
  tokens: number[];
  /** Sharing group of whoever had them computed. */
  group: string;
  job: Job | null;
  lastUse: number;
  /** Of the job that filled it last. */
  session: string | null;
  side: boolean;
}

export type JobEnd =
  | { readonly type: "done"; readonly finishReason: FinishReason; readonly stopSequence?: string }
  | { readonly type: "cancelled" }
  | { readonly type: "failed"; readonly code: "internal" | "shutting_down"; readonly message: string };

export function slotFacts(slot: Slot): SlotFacts {
  // A job that waits for somebody promises nothing: two that waited for each other would wait for ever.
  const promised = slot.job === null || slot.job.phase === "waiting" ? slot.tokens : slot.job.prompt;
  return {
    sequence: slot.sequence,
    busy: slot.job !== null,
    computed: slot.tokens,
    planned: promised,
    lastUse: slot.lastUse,
    session: slot.session,
    side: slot.side,
    group: slot.group,
  };
}

export function slotView(slot: Slot): WorkerSlot {
  return { state: slot.job?.phase ?? "idle", tokens: slot.tokens.length, caller: slot.job?.caller ?? null };
}

export function generationEnd(job: Job, nowMs: number): GenerationEnd {
  const firstTokenAtMs = job.firstTokenAtMs ?? nowMs;
  return {
    promptTokens: job.prompt.length,
    cachedTokens: job.cachedTokens,
    prefilledTokens: job.prefilledTokens,
    completionTokens: job.completionTokens,
    prefillMs: Math.round(firstTokenAtMs - job.slotTakenAtMs),
    decodeMs: Math.round(nowMs - firstTokenAtMs),
  };
}
