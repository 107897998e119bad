/**
 * The contract of a wire shape we call. Pure: a request becomes one HTTP call's path, headers and body; what comes back becomes
 * `ChatEvent`s. No I/O and no clock. Beside `dialect.ts`, whose subject is what we serve. One suite in `test/contracts/` runs
 * over the registry `calledDialects` in `index.ts`.
 */
import type { ChatEvent, ChatRequest } from "../domain/chat.ts";
import type { Failure } from "../domain/failure.ts";
import type { UpstreamUsage } from "../domain/upstream-usage.ts";

/** Where providers of one wire shape differ, as named flags. Absent: as the shape's inventor has it. */
export interface CallTraits {
  /** The field that bounds the answer; absent: `max_completion_tokens`. */
  readonly maxTokensField?: "max_tokens" | "max_completion_tokens";
  /** Does not know `stream_options`: usage comes by itself or not at all. */
  readonly noStreamOptions?: boolean;
  /** Knows the role `system` only. */
  readonly noDeveloperRole?: boolean;
  /** Where its usage says what the call cost: `cost` (OpenRouter, Perplexity), `estimated_cost` (DeepInfra). */
  readonly reportedCost?: "cost" | "estimated_cost";
  /** Sampling fields of llama.cpp and vLLM (`top_k`, `min_p`, `repeat_penalty`) are understood. */
  readonly extendedSampling?: boolean;
  /** Anthropic's models up to 4.5 and what imitates them: thinking has a budget of tokens, not an effort. */
  readonly thinkingBudget?: boolean;
  /** Wants the thinking of earlier turns back, as `reasoning_content` (DeepSeek); others refuse the field. */
  readonly reasoningContent?: boolean;
  /** Understands Anthropic's cache marks on parts and tools (OpenRouter). */
  readonly cacheControl?: boolean;
  /** Knows `prompt_cache_key`. */
  readonly promptCacheKey?: boolean;
  /** Has `/completions` beside the chat, for raw prompts and for filling in; absent: prompts become a user's message. */
  readonly completions?: boolean;
  /** Its embeddings know no `encoding_format` and refuse it. */
  readonly noEmbeddingFormat?: boolean;
  /** Its rerank scores are logits (`true`) or probabilities (`false`); absent: told by whether they lie within 0 and 1. */
  readonly rerankLogits?: boolean;
}

/** What is to be called. */
export interface CallFacts {
  /** As the upstream names it. */
  readonly model: string;
  /** Most tokens of the answer, already bounded by what the alias allows; null: none is sent where the shape can do without. */
  readonly maxTokens: number | null;
  readonly traits: CallTraits;
  /** Fields that this provider alone takes, put into the body as they are (OpenRouter's `provider`). */
  readonly extraBody?: Readonly<Record<string, unknown>>;
}

export interface WireCall {
  /** Behind the provider's base URL, which ends without a slash: `/chat/completions`. */
  readonly path: string;
  /** Without the key. */
  readonly headers: Readonly<Record<string, string>>;
  /** JSON text. */
  readonly body: string;
  /** Wishes that this model or upstream takes none of, by the names of OpenAI's fields: the record says so. */
  readonly leftOut?: readonly string[];
}

/** One SSE event as it was framed. */
export interface UpstreamFrame {
  readonly event: string | null;
  readonly data: string;
}

/** An HTTP answer that is no success. */
export interface UpstreamRefusal {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Epoch milliseconds: `Retry-After` may be a date. */
  readonly nowMs: number;
}

/**
 * Turns one answer into events. Holds the state of that one answer. Every event carries the frame it came from (`wire`), and one
 * that came with another from the same frame says `above`. Gives exactly one end (`finished` or `failed`), with `noTimings`
 * (the caller knows the times) and `upstream`; after it nothing more. Never throws: what cannot be read is `upstream_cut` or
 * `upstream_failed`.
 */
export interface AnswerDecoder {
  frame(frame: UpstreamFrame): readonly ChatEvent[];
  /** The body ended without an error of the connection: the end, or `upstream_cut` where the answer is not whole. */
  ended(): readonly ChatEvent[];
  /** An answer in one piece, as JSON text. */
  whole(body: string): readonly ChatEvent[];
  /** What is known of the usage so far: for an answer that breaks off or is left. */
  used(): UpstreamUsage;
}

export interface CalledDialect {
  readonly id: string;
  /**
   * Throws Failure `unsupported` for what this shape cannot carry. A request whose `wire.dialect` is this one goes as it came,
   * but for the closed list of edits: model, the bound of the answer, that usage is streamed, fields of this box alone.
   */
  encodeRequest(request: ChatRequest, facts: CallFacts): WireCall;
  decoder(request: ChatRequest, facts: CallFacts): AnswerDecoder;
  decodeFailure(refusal: UpstreamRefusal): Failure;
  /** Its way to have a prompt counted without an answer; absent: it has none, and prompts are estimated. */
  readonly count?: { encode(request: ChatRequest, facts: CallFacts): WireCall; tokens(body: unknown): number | null };
  /** The path of its list of models behind the base URL, and the ids in it; null: it has none. */
  readonly models: { readonly path: string; ids(body: unknown): readonly string[] } | null;
}
