/**
 * What a chat request is and what comes back, whatever wire shape the client speaks and wherever it runs.
 * Pure types; a dialect turns bytes into these and back, a backend consumes and produces them.
 */
import type { Failure } from "./failure.ts";
import type { Timings, Usage } from "./usage.ts";

/** One piece of a message's content. Text only for now; images join this union with the cloud dialects. */
export interface TextPart {
  readonly type: "text";
  readonly text: string;
}
export type ContentPart = TextPart;

/** A call the model made. `arguments` is JSON text, kept as it was written. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export type ChatMessage =
  | { readonly role: "system" | "user"; readonly content: readonly ContentPart[] }
  | {
      readonly role: "assistant";
      readonly content: readonly ContentPart[];
      readonly reasoning: string | null;
      readonly toolCalls: readonly ToolCall[];
    }
  | { readonly role: "tool"; readonly toolCallId: string; readonly content: readonly ContentPart[] };

/** A JSON schema as the client sent it, not yet judged. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export interface ToolDefinition {
  readonly name: string;
  readonly description: string | null;
  /** Absent means: an object with no known properties. */
  readonly parameters: JsonSchema | null;
}

export type ToolChoice =
  | { readonly type: "auto" }
  | { readonly type: "none" }
  | { readonly type: "required" }
  | { readonly type: "named"; readonly name: string };

export type ResponseFormat = { readonly type: "text" } | { readonly type: "json-object" };

/** Sampling wishes. `null` means: not asked for, use the default written beside it. */
export interface Sampling {
  /** 0 is greedy. Default 1. */
  readonly temperature: number | null;
  /** Default 1 (off). */
  readonly topP: number | null;
  /** Default 0 (off). */
  readonly topK: number | null;
  /** Default 0 (off). */
  readonly minP: number | null;
  /** Unsigned 32 bits. Default: a fresh random one per request, never the clock. */
  readonly seed: number | null;
  readonly frequencyPenalty: number | null;
  readonly presencePenalty: number | null;
  /** Default 1 (off). */
  readonly repeatPenalty: number | null;
  /** Token id → amount added to its logit, -100 to 100. */
  readonly logitBias: ReadonlyMap<number, number>;
}

export interface ChatRequest {
  /** The alias as the client wrote it. */
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls: boolean;
  readonly responseFormat: ResponseFormat;
  readonly sampling: Sampling;
  /** Most tokens to generate; null: until the model stops or the context is full. */
  readonly maxTokens: number | null;
  /** Strings that end the answer and are not part of it. */
  readonly stop: readonly string[];
  /** Go on past the model's end-of-turn token until `maxTokens`. */
  readonly ignoreEos: boolean;
  /** False: compute the whole prompt and do not look for a shared prefix. */
  readonly cachePrompt: boolean;
  readonly stream: boolean;
  /** The client asked for a usage chunk at the end of the stream. */
  readonly includeUsage: boolean;
}

export type FinishReason = "stop" | "length" | "tool-calls";

/**
 * What a backend reports while it answers. The last event is always exactly one of `finished`, `failed`, `aborted`, each
 * with the usage known so far. Before the first event a backend may throw a Failure instead; afterwards it never throws.
 */
export type ChatEvent =
  /** Counted and accepted; waiting for a slot or for the model. Sent at most once, first. */
  | { readonly type: "accepted"; readonly promptTokens: number; readonly queuePosition: number }
  /** A slot is computing the prompt. */
  | { readonly type: "started"; readonly promptTokens: number; readonly cachedTokens: number }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "reasoning"; readonly text: string }
  | { readonly type: "tool-call"; readonly index: number; readonly id: string; readonly name: string }
  /** A further piece of the JSON text of call `index`. */
  | { readonly type: "tool-arguments"; readonly index: number; readonly text: string }
  | {
      readonly type: "finished";
      readonly finishReason: FinishReason;
      readonly usage: Usage;
      readonly timings: Timings;
    }
  | { readonly type: "failed"; readonly failure: Failure; readonly usage: Usage; readonly timings: Timings }
  | { readonly type: "aborted"; readonly usage: Usage; readonly timings: Timings };

export type EndEvent = Extract<ChatEvent, { type: "finished" | "failed" | "aborted" }>;

/** True for the events a client can see as part of the answer: after one of these nothing may be retried. */
export function isContent(event: { readonly type: string }): boolean {
  return (
    event.type === "text" ||
    event.type === "reasoning" ||
    event.type === "tool-call" ||
    event.type === "tool-arguments" ||
    event.type === "result"
  );
}

export function isEnd(event: { readonly type: string }): event is EndEvent {
  return event.type === "finished" || event.type === "failed" || event.type === "aborted";
}

/** The text of a message, its parts joined. */
export function textOf(content: readonly ContentPart[]): string {
  return content.map((part) => part.text).join("");
}
