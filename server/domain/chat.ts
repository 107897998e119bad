/**
 * What a chat request is and what comes back, whatever wire shape the client speaks and wherever it runs.
 * Pure types; a dialect turns bytes into these and back, a backend consumes and produces them.
 */
import type { Failure } from "./failure.ts";
import type { RequestNote } from "./note.ts";
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

export type ResponseFormat =
  | { readonly type: "text" }
  | { readonly type: "json-object" }
  /** `param` is the field the schema came in, as the client wrote it: refusals name places inside it. */
  | { readonly type: "json-schema"; readonly schema: JsonSchema; readonly param: string };

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

/** One prompt that goes to the model as it is: text, or token ids of this very model. */
export type RawPrompt = string | readonly number[];

/** What a completion asks instead of sending messages. */
export interface Completion {
  /** Each is answered `choices` times. */
  readonly prompts: readonly RawPrompt[];
  /** Text behind the gap: the model fills in between, with its own tokens for that. Null: it goes on after the prompt. */
  readonly suffix: string | null;
  /** The answer begins with the prompt. */
  readonly echo: boolean;
}

/** Log-probabilities of the answer's tokens, from the model's own distribution: before temperature, filters and grammar. */
export interface LogprobsWish {
  /** How many alternatives beside each chosen token, 0 to 20. */
  readonly top: number;
}

export interface ChatRequest {
  /** The alias as the client wrote it. */
  readonly model: string;
  /** Empty when `completion` is set. */
  readonly messages: readonly ChatMessage[];
  /** Null: the messages go through the model's chat template. */
  readonly completion: Completion | null;
  readonly tools: readonly ToolDefinition[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls: boolean;
  readonly responseFormat: ResponseFormat;
  readonly sampling: Sampling;
  /** Most tokens to generate; null: until the model stops or the context is full. */
  readonly maxTokens: number | null;
  /** Answers per prompt, 1 or more. They share the prompt's computation. */
  readonly choices: number;
  /** Null: not asked for, and then they cost nothing. */
  readonly logprobs: LogprobsWish | null;
  /** Strings that end the answer and are not part of it. */
  readonly stop: readonly string[];
  /** Go on past the model's end-of-turn token until `maxTokens`. */
  readonly ignoreEos: boolean;
  /** False: compute the whole prompt and do not look for a shared prefix. */
  readonly cachePrompt: boolean;
  /** The client's own word for what belongs together (`prompt_cache_key`): requests with the same one share a prefix. */
  readonly cacheKey: string | null;
  readonly stream: boolean;
  /** The client asked for a usage chunk at the end of the stream. */
  readonly includeUsage: boolean;
}

export type FinishReason = "stop" | "length" | "tool-calls";

/** A token with the natural logarithm of its probability. */
export interface TokenLogprob {
  readonly text: string;
  /** UTF-8; a token may be a part of a character. */
  readonly bytes: readonly number[];
  readonly logprob: number;
}

export interface ChosenLogprob extends TokenLogprob {
  /** The likeliest, best first. */
  readonly top: readonly TokenLogprob[];
}

/** Which of several answers; absent: the only one. Counts over `prompts`, then `choices`. */
interface OfChoice {
  readonly choice?: number;
}

/**
 * What a backend reports while it answers. The last event is always exactly one of `finished`, `failed`, `aborted`, each
 * with the usage known so far. Before the first event a backend may throw a Failure instead; afterwards it never throws.
 */
export type ChatEvent =
  /** Counted and accepted; waiting for a slot or for the model. Sent at most once, first. */
  | {
      readonly type: "accepted";
      readonly promptTokens: number;
      readonly queuePosition: number;
      /** What was done to the request, or could not be kept of it: part of its record. */
      readonly notes?: readonly RequestNote[];
    }
  /** A slot is computing the prompt. */
  | { readonly type: "started"; readonly promptTokens: number; readonly cachedTokens: number }
  /** `logprobs` only when asked for: of the tokens whose text this is. */
  | ({ readonly type: "text"; readonly text: string; readonly logprobs?: readonly ChosenLogprob[] } & OfChoice)
  | ({ readonly type: "reasoning"; readonly text: string } & OfChoice)
  | ({ readonly type: "tool-call"; readonly index: number; readonly id: string; readonly name: string } & OfChoice)
  /** A further piece of the JSON text of call `index`. */
  | ({ readonly type: "tool-arguments"; readonly index: number; readonly text: string } & OfChoice)
  /** One of several answers is whole. Not sent where there is one answer: its end is the request's. */
  | { readonly type: "choice-finished"; readonly choice: number; readonly finishReason: FinishReason }
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

/** How many answers a request asks for in all. */
export function answersOf(request: Pick<ChatRequest, "choices" | "completion">): number {
  return request.choices * (request.completion?.prompts.length ?? 1);
}
