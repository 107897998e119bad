/**
 * What the server and one worker process say to each other. Plain data over Node's IPC channel, tagged by request id; the
 * worker sends one message per step however many streams there are. The parent owns the kill. Types only.
 */
import type { ChosenLogprob, FinishReason, LogprobsWish, Sampling } from "../../domain/chat.ts";
import type { FailureCode } from "../../domain/failure.ts";
import type { EngineBytes } from "../../domain/fit/corrections.ts";
import type { KvType } from "../../domain/fit/verdict.ts";
import type { PooledAbility } from "../../domain/model.ts";
import type { KvPlace } from "./kv-store/place.ts";

/** `Sampling` with the map as pairs: IPC speaks JSON. */
export type WireSampling = Omit<Sampling, "logitBias"> & { readonly logitBias: readonly (readonly [number, number])[] };

export interface GenerateOptions {
  readonly sampling: WireSampling;
  readonly maxTokens: number;
  readonly stop: readonly string[];
  readonly ignoreEos: boolean;
  readonly cachePrompt: boolean;
  /** GBNF text the answer must follow; null: none. */
  readonly grammar: string | null;
  /** Null: not asked for. */
  readonly logprobs: LogprobsWish | null;
  /**
   * Control tokens that show in the text, each between the two characters that `reply/input.ts` names; the others leave no
   * text.
   */
  readonly markers: readonly string[];
}

/** One answer to compute. */
export interface Generation {
  /** The prompt's tokens, as `packTokens` writes them. */
  readonly tokens: string;
  /** What people see. */
  readonly caller: string;
  /** Who takes turns. */
  readonly callerId: string;
  /** What belongs together: requests of one session share a prefix. Null: nobody said. */
  readonly session: string | null;
  /** A title, a summary: asked beside a conversation, and not worth more than it. */
  readonly side: boolean;
  /** Sharing group: only requests of the same one reuse what it computes. */
  readonly group: string;
  readonly options: GenerateOptions;
}

/** What one vector or one score is made of. */
export type PooledInput =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tokens"; readonly tokens: readonly number[] }
  | { readonly type: "pair"; readonly query: string; readonly document: string };

export type ToWorker =
  | {
      readonly type: "load";
      readonly modelPath: string;
      readonly contextLength: number;
      readonly slots: number;
      readonly batchSize: number;
      readonly threads: number;
      /** Layers on the GPU, the output being one; null: the library decides. */
      readonly gpuLayers: number | null;
      readonly kvType: KvType;
      readonly tokenGapMs: number;
      /** Where prefixes that leave their slot are kept; null: nowhere. */
      readonly kvStore: KvPlace | null;
      /** What to load it for, when that is not chat. */
      readonly pooled: PooledAbility | null;
    }
  /** For a model with `pooled`: tokenises and counts. The worker keeps the tokens under `id` until it hears what to do. */
  | { readonly type: "prepare-inputs"; readonly id: string; readonly inputs: readonly PooledInput[] }
  /** The prepared inputs will not be used. */
  | { readonly type: "drop-inputs"; readonly id: string }
  /** Computes the prepared inputs one after the other, in turns with other requests. `cancel` ends it within one input. */
  | { readonly type: "embed"; readonly id: string; readonly caller: string }
  | ({ readonly type: "generate"; readonly id: string } & Generation)
  /** The callers (their ids) that now wait for a slot: they want more than they get. Sent when that changes. */
  | { readonly type: "waiting"; readonly callers: readonly string[] }
  | { readonly type: "cancel"; readonly id: string }
  | { readonly type: "state"; readonly id: number }
  | { readonly type: "ping"; readonly id: number }
  /** The key of this sharing group has ended: nothing of it is kept. */
  | { readonly type: "forget"; readonly group: string }
  /** Ends what runs, saves what the slots hold as far as that gets within `withinMs`, and ends the process. */
  | { readonly type: "shutdown"; readonly withinMs: number };

/** What the engine says it took; the three are those of a fit's verdict, the other two where they lie. */
export interface EngineMemory extends EngineBytes {
  readonly ramBytes: number;
  readonly vramBytes: number;
}

export interface WorkerSlot {
  readonly state: "idle" | "waiting" | "prefill" | "decode";
  readonly tokens: number;
  readonly caller: string | null;
}

/** How a generation ended, with what it used. Milliseconds are from the moment a slot was taken. */
export interface GenerationEnd {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  /** Prompt tokens that were computed: fewer than promised when it ended before its first token. */
  readonly prefilledTokens: number;
  readonly completionTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

export type StepEvent =
  /** `promptEnd` is the text of the last few tokens of the prompt: it says whether the answer begins inside reasoning. */
  | { readonly id: string; readonly type: "started"; readonly cachedTokens: number; readonly promptEnd: string }
  /** `tokens` is the number of answer tokens made so far: what is known of the usage if the process dies next. */
  | {
      readonly id: string;
      readonly type: "text";
      readonly text: string;
      readonly tokens: number;
      readonly logprobs?: readonly ChosenLogprob[];
    }
  | ({
      readonly id: string;
      readonly type: "done";
      readonly finishReason: FinishReason;
      /** Which of `stop` ended it; absent: none. */
      readonly stopSequence?: string;
    } & GenerationEnd)
  | ({ readonly id: string; readonly type: "cancelled" } & GenerationEnd)
  | ({
      readonly id: string;
      readonly type: "failed";
      readonly code: FailureCode;
      readonly message: string;
    } & GenerationEnd);

/** How a request for vectors or scores goes on; the last is `done`, `cancelled` or `failed`. */
export type PooledEvent =
  /** `vector`: base64 of little-endian float32, as the model gave it; one number for a score. In the inputs' order. */
  | { readonly type: "vector"; readonly index: number; readonly vector: string }
  | ({ readonly type: "done" | "cancelled" } & PooledEnd)
  | ({ readonly type: "failed"; readonly code: FailureCode; readonly message: string } & PooledEnd);

export interface PooledEnd {
  /** Tokens of the inputs that were computed. */
  readonly promptTokens: number;
  /** From the first turn to the end. */
  readonly computeMs: number;
}

export type FromWorker =
  | {
      readonly type: "loaded";
      readonly contextLength: number;
      readonly slots: number;
      readonly vocabularySize: number;
      readonly gpu: string;
      /** Null: the engine did not say. */
      readonly memory: EngineMemory | null;
    }
  | { readonly type: "load-failed"; readonly message: string }
  /** Tokens of each input of `prepare-inputs`, in order; those that the tokenizer adds included. */
  | { readonly type: "inputs-prepared"; readonly id: string; readonly counts: readonly number[] }
  | { readonly type: "inputs-refused"; readonly id: string; readonly code: FailureCode; readonly message: string }
  | { readonly type: "pooled"; readonly id: string; readonly event: PooledEvent }
  | { readonly type: "step"; readonly events: readonly StepEvent[] }
  | { readonly type: "state"; readonly id: number; readonly slots: readonly WorkerSlot[]; readonly rssBytes: number }
  | { readonly type: "pong"; readonly id: number };
