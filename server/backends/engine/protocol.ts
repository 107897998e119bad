/**
 * What the server and one worker process say to each other. Plain data over Node's IPC channel, tagged by request id; the
 * worker sends one message per step however many streams there are. The parent owns the kill. Types only.
 */
import type { FinishReason, JsonSchema, Sampling } from "../../domain/chat.ts";
import type { FailureCode } from "../../domain/failure.ts";
import type { ReplyFormat } from "./reply/format-of.ts";

/** Messages as chat templates know them. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: string;
  readonly reasoning_content?: string;
  /** The same under the name that gpt-oss gives it. */
  readonly thinking?: string;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly type: "function";
    readonly function: { readonly name: string; readonly arguments: unknown };
  }[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

export interface TemplateTool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description: string; readonly parameters: JsonSchema };
}

export interface PromptInput {
  readonly messages: readonly TemplateMessage[];
  readonly tools: readonly TemplateTool[];
}

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
  /**
   * Control tokens that show in the text, each between the two characters that `reply/input.ts` names; the others leave no
   * text. Absent: none.
   */
  readonly markers?: readonly string[];
}

export type ToWorker =
  | {
      readonly type: "load";
      readonly modelPath: string;
      readonly contextLength: number;
      readonly slots: number;
      readonly batchSize: number;
      readonly threads: number;
      readonly tokenGapMs: number;
      readonly templateTimeLimitMs: number;
      /** Where prefixes that leave their slot are kept, in memory; null: nowhere. The parent removes the folder. */
      readonly snapshots: { readonly folder: string; readonly limitBytes: number } | null;
    }
  | { readonly type: "prepare"; readonly id: string; readonly prompt: PromptInput }
  /** The prepared prompt will not be used. */
  | { readonly type: "drop"; readonly id: string }
  | { readonly type: "generate"; readonly id: string; readonly caller: string; readonly options: GenerateOptions }
  | { readonly type: "cancel"; readonly id: string }
  | { readonly type: "state"; readonly id: number }
  | { readonly type: "ping"; readonly id: number }
  | { readonly type: "shutdown" };

export interface WorkerSlot {
  readonly state: "idle" | "waiting" | "prefill" | "decode";
  readonly tokens: number;
  readonly caller: string | null;
}

/** How a generation ended, with what it used. Milliseconds are from the moment a slot was taken. */
export interface GenerationEnd {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly prefillMs: number;
  readonly decodeMs: number;
}

export type StepEvent =
  /** `promptEnd` is the text of the last few tokens of the prompt: it says whether the answer begins inside reasoning. */
  | { readonly id: string; readonly type: "started"; readonly cachedTokens: number; readonly promptEnd: string }
  /** `tokens` is the number of answer tokens made so far: what is known of the usage if the process dies next. */
  | { readonly id: string; readonly type: "text"; readonly text: string; readonly tokens: number }
  | ({ readonly id: string; readonly type: "done"; readonly finishReason: FinishReason } & GenerationEnd)
  | ({ readonly id: string; readonly type: "cancelled" } & GenerationEnd)
  | ({
      readonly id: string;
      readonly type: "failed";
      readonly code: FailureCode;
      readonly message: string;
    } & GenerationEnd);

export type FromWorker =
  | {
      readonly type: "loaded";
      readonly contextLength: number;
      readonly slots: number;
      readonly vocabularySize: number;
      readonly gpu: string;
      /** How this model writes reasoning and tool calls. */
      readonly replyFormat: ReplyFormat;
    }
  | { readonly type: "load-failed"; readonly message: string }
  | { readonly type: "prepared"; readonly id: string; readonly promptTokens: number }
  | { readonly type: "refused"; readonly id: string; readonly code: FailureCode; readonly message: string }
  | { readonly type: "step"; readonly events: readonly StepEvent[] }
  | { readonly type: "state"; readonly id: number; readonly slots: readonly WorkerSlot[]; readonly rssBytes: number }
  | { readonly type: "pong"; readonly id: number };
