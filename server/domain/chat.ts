/**
 * What a chat request is and what comes back, whatever wire shape the client speaks and wherever it runs.
 * Pure types; a dialect turns bytes into these and back, a backend consumes and produces them.
 */
import type { Failure } from "./failure.ts";
import type { RequestNote } from "./note.ts";
import type { UpstreamUsage } from "./upstream-usage.ts";
import type { Timings, Usage } from "./usage.ts";

/** The prompt up to and with this piece is worth caching upstream. The local engine keeps prefixes without being told. */
export interface CacheMark {
  readonly keep: "5m" | "1h";
}

interface Cacheable {
  readonly cache?: CacheMark;
}

export interface TextPart extends Cacheable {
  readonly type: "text";
  readonly text: string;
}

/** The bytes themselves, or where an upstream may fetch them. This box never fetches them. */
export type MediaSource =
  | { readonly kind: "base64"; readonly mediaType: string; readonly data: string }
  | { readonly kind: "url"; readonly url: string };

export interface ImagePart extends Cacheable {
  readonly type: "image";
  readonly source: MediaSource;
  /** How closely it is looked at; absent: the upstream's default. */
  readonly detail?: "low" | "high" | "auto";
}

/** A document, by its bytes or address. */
export interface FilePart extends Cacheable {
  readonly type: "file";
  readonly source: MediaSource;
  readonly name: string | null;
}

/** One piece of a message's content. The local engine reads text only and refuses the others by name. */
export type ContentPart = TextPart | ImagePart | FilePart;

/** A call the model made. `arguments` is JSON text, kept as it was written; of a `custom` tool it is free text. */
export interface ToolCall extends Cacheable {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** The group the tool was offered in (Codex); answers must name it apart from `name`. */
  readonly namespace?: string;
  readonly custom?: boolean;
  /** Opaque; goes back to the upstream it came from unchanged (Gemini's thoughtSignature). */
  readonly signature?: string;
}

/**
 * What a model thought, as an upstream wants it back in a tool loop: unchanged, with its signature. `text` may be empty where
 * only the opaque part was given.
 */
export interface ReasoningBlock {
  readonly text: string;
  /** Opaque: Anthropic's signature, Responses' encrypted_content, Gemini's thoughtSignature; null: none was given. */
  readonly signature: string | null;
  /** Which wire shape the signature belongs to: it means nothing to the others and is not sent to them. */
  readonly dialect: string;
  /** Anthropic's redacted_thinking: `signature` is its data and there is no text. */
  readonly redacted?: boolean;
  /** Responses: the item's id. */
  readonly id?: string;
}

export type ChatMessage =
  | { readonly role: "system" | "user"; readonly content: readonly ContentPart[] }
  | {
      readonly role: "assistant";
      readonly content: readonly ContentPart[];
      /** The thinking as plain text, for models that read it so. */
      readonly reasoning: string | null;
      /** The same with signatures, where the client sent them; absent: none. */
      readonly reasoningBlocks?: readonly ReasoningBlock[];
      readonly toolCalls: readonly ToolCall[];
    }
  | {
      readonly role: "tool";
      readonly toolCallId: string;
      readonly content: readonly ContentPart[];
      /** The tool says that it failed; absent: not said. */
      readonly isError?: boolean;
    };

/** A JSON schema as the client sent it, not yet judged. */
export type JsonSchema = { readonly [keyword: string]: unknown };

export interface ToolDefinition extends Cacheable {
  readonly name: string;
  readonly description: string | null;
  /** Absent means: an object with no known properties. */
  readonly parameters: JsonSchema | null;
  /** The client wants arguments held to the schema by the upstream; absent: not said. */
  readonly strict?: boolean;
  /** Offered inside a group of this name (Codex); absent: on its own. */
  readonly namespace?: string;
  /** Takes free text instead of JSON; `grammar` is what the client sent for it. */
  readonly custom?: { readonly grammar: unknown };
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

/** How hard a model should think, where it can be told. */
export type ReasoningEffort = "none" | "minimal" | "low" | "medium" | "high" | "xhigh";

export interface ReasoningWish {
  /** Null: not said. */
  readonly effort: ReasoningEffort | null;
  /** Most tokens of thinking (Anthropic); null: not said. */
  readonly budgetTokens: number | null;
  /** The client wants to read (a summary of) the thinking; null: not said. */
  readonly summary: "auto" | "concise" | "detailed" | null;
}

export type ServiceTier = "standard" | "batch" | "flex" | "priority";

/** The body as the client sent it: an upstream of the same wire shape gets it so, but for a closed list of edits. */
export interface WireRequest {
  readonly dialect: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** Those of the client's headers that belong to the request (`Dialect.requestHeaders`); lower-case names. Absent: none. */
  readonly headers?: Readonly<Record<string, string>>;
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
  /** Absent: nothing was said about thinking. */
  readonly reasoning?: ReasoningWish;
  /** Absent: not said. */
  readonly serviceTier?: ServiceTier;
  /** Whom the client says it asks for (`user`, `metadata.user_id`); absent: not said. */
  readonly endUser?: string;
  /** There is no prompt: the model is brought into memory and nothing is computed. Absent: there is one. */
  readonly loadOnly?: boolean;
  /** What of the body was left out or is not kept, whoever answers: part of the request's record. Absent: nothing. */
  readonly notes?: readonly RequestNote[];
  /** Absent: the request was made here and has no body of its own. */
  readonly wire?: WireRequest;
}

/**
 * `content-filter`: the provider withheld the answer, or the model declined to give it. `pause`: the provider stopped inside a
 * long turn and wants the answer sent back to go on.
 */
export type FinishReason = "stop" | "length" | "tool-calls" | "content-filter" | "pause";

/** One SSE frame as an upstream sent it, without `event:` and `data:`; for an answer in one piece: its JSON text. */
export interface WireFrame {
  readonly dialect: string;
  readonly event: string | null;
  readonly data: string;
}

/**
 * Where an event was read from. `above`: from the frame of the event before it, which has been handed on already. An encoder of
 * the same dialect writes frames and nothing else; any other ignores them.
 */
interface FromWire {
  readonly wire?: WireFrame | "above";
}

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
export type ChatEvent = FromWire & ChatFact;

type ChatFact =
  /** Counted and accepted; waiting for a slot or for the model. Sent at most once, first. */
  | {
      readonly type: "accepted";
      readonly promptTokens: number;
      readonly queuePosition: number;
      /** What was done to the request, or could not be kept of it: part of its record. */
      readonly notes?: readonly RequestNote[];
    }
  /** A slot is computing the prompt, or an upstream has begun to answer and said what it counted. */
  | { readonly type: "started"; readonly promptTokens: number; readonly cachedTokens: number }
  /** A frame that means nothing to us (`ping`, an event nobody knows): only for a client of the same dialect. */
  | { readonly type: "frame" }
  /** `logprobs` only when asked for: of the tokens whose text this is. */
  | ({ readonly type: "text"; readonly text: string; readonly logprobs?: readonly ChosenLogprob[] } & OfChoice)
  | ({ readonly type: "reasoning"; readonly text: string } & OfChoice)
  /** Ends one block of reasoning: the texts since the last one are its text, if `block.text` is not set. */
  | ({ readonly type: "reasoning-block"; readonly block: ReasoningBlock } & OfChoice)
  /** The model says why it will not answer. */
  | ({ readonly type: "refusal"; readonly text: string } & OfChoice)
  | ({
      readonly type: "tool-call";
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly namespace?: string;
      readonly custom?: boolean;
      readonly signature?: string;
    } & OfChoice)
  /** A further piece of the JSON text of call `index`. */
  | ({ readonly type: "tool-arguments"; readonly index: number; readonly text: string } & OfChoice)
  /** One of several answers is whole. Not sent where there is one answer: its end is the request's. */
  | { readonly type: "choice-finished"; readonly choice: number; readonly finishReason: FinishReason }
  | ({
      readonly type: "finished";
      readonly finishReason: FinishReason;
      /** Which of the request's `stop` strings ended it; absent: none, or not said. */
      readonly stopSequence?: string;
    } & Spent)
  | ({ readonly type: "failed"; readonly failure: Failure } & Spent)
  | ({ readonly type: "aborted" } & Spent);

/** What an attempt used, at its end. `upstream` is what another machine said about it; absent: computed here. */
interface Spent {
  readonly usage: Usage;
  readonly timings: Timings;
  readonly upstream?: UpstreamUsage;
  /** The other machine's own name for it, for questions to its support; absent: it gave none. */
  readonly upstreamRequestId?: string;
}

export type EndEvent = Extract<ChatEvent, { type: "finished" | "failed" | "aborted" }>;

/** True for the events a client can see as part of the answer: after one of these nothing may be retried. */
export function isContent(event: { readonly type: string }): boolean {
  return (
    event.type === "text" ||
    event.type === "reasoning" ||
    event.type === "reasoning-block" ||
    event.type === "refusal" ||
    event.type === "tool-call" ||
    event.type === "tool-arguments" ||
    event.type === "result"
  );
}

export function isEnd(event: { readonly type: string }): event is EndEvent {
  return event.type === "finished" || event.type === "failed" || event.type === "aborted";
}

/** The text of a message, its parts joined; what is no text is left out. */
export function textOf(content: readonly ContentPart[]): string {
  return content.map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** How many answers a request asks for in all. */
export function answersOf(request: Pick<ChatRequest, "choices" | "completion">): number {
  return request.choices * (request.completion?.prompts.length ?? 1);
}
