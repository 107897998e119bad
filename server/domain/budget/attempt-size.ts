/**
 * How much of a model an attempt may use at most, from the request as it is sent. Pure. Nobody here has a vendor's vocabulary, so a
 * prompt is counted by the bytes of its texts: a token stands for a byte at least. What is held too much is given back when
 * the attempt has ended.
 */
import type { ChatRequest, ContentPart, ServiceTier } from "../chat.ts";
import type { EmbedRequest, RerankRequest } from "../embedding.ts";

export interface AttemptSize {
  /** At most, of all prompts together. */
  readonly promptTokens: number;
  /** At most for each answer; null: the request does not say. */
  readonly completionTokens: number | null;
  /** Answers asked for. */
  readonly answers: number;
  readonly serviceTier: ServiceTier;
  /** Whether a model's dearer, faster mode is asked for. */
  readonly fast: boolean;
}

/** Around a message, a tool or a call: role, separators, the names of fields. */
const framingTokens = 16;
/** The texts a provider puts before tools and schemas. */
const preambleTokens = 1_000;
/** A picture at the closest look that any provider of the price book offers. */
const imageTokens = 16_000;
/** A document behind an address, of which nobody here knows the length. */
const distantFileTokens = 100_000;

export function sizeOfChat(request: ChatRequest): AttemptSize {
  const { completion, maxTokens, choices, serviceTier = "standard", wire } = request;
  const prompts = completion === null ? 1 : completion.prompts.length;
  return {
    promptTokens: completion === null ? conversationTokens(request) : rawTokens(request),
    completionTokens: maxTokens,
    answers: choices * prompts,
    serviceTier,
    fast: wire?.body.speed === "fast",
  };
}

export function sizeOfEmbedding({ inputs }: EmbedRequest): AttemptSize {
  let promptTokens = 0;
  for (const input of inputs) {
    promptTokens += framingTokens + (input.type === "text" ? bytesOf(input.text) : input.tokens.length);
  }
  return { ...wholeAnswer, promptTokens };
}

export function sizeOfRerank({ query, documents }: RerankRequest): AttemptSize {
  const queryTokens = bytesOf(query) + framingTokens;
  const promptTokens = documents.reduce((sum, document) => sum + queryTokens + bytesOf(document), 0);
  return { ...wholeAnswer, promptTokens };
}

const wholeAnswer = Object.freeze({ completionTokens: 0, answers: 1, serviceTier: "standard", fast: false } as const);

function rawTokens({ completion }: ChatRequest): number {
  if (completion === null) return 0;
  const { prompts, suffix } = completion;
  const behind = suffix === null ? 0 : bytesOf(suffix);
  return prompts.reduce(
    (sum, prompt) => sum + framingTokens + behind + (typeof prompt === "string" ? bytesOf(prompt) : prompt.length),
    0,
  );
}

function conversationTokens({ messages, tools, responseFormat }: ChatRequest): number {
  let sum = framingTokens;
  for (const message of messages) {
    sum += framingTokens + contentTokens(message.content);
    if (message.role !== "assistant") continue;
    sum += bytesOf(message.reasoning ?? "");
    for (const { text, signature } of message.reasoningBlocks ?? []) sum += bytesOf(text) + bytesOf(signature ?? "");
    for (const call of message.toolCalls) sum += framingTokens + bytesOf(call.name) + bytesOf(call.arguments);
  }
  for (const { name, description, parameters, custom } of tools) {
    sum += framingTokens + bytesOf(name) + bytesOf(description ?? "");
    sum += bytesOf(JSON.stringify(parameters ?? custom?.grammar ?? {}));
  }
  const schema = responseFormat.type === "json-schema" ? bytesOf(JSON.stringify(responseFormat.schema)) : 0;
  const isPlain = tools.length === 0 && responseFormat.type === "text";
  return sum + schema + (isPlain ? 0 : preambleTokens);
}

function contentTokens(content: readonly ContentPart[]): number {
  let sum = 0;
  for (const part of content) {
    if (part.type === "text") sum += bytesOf(part.text);
    else if (part.type === "image") sum += imageTokens;
    else if (part.source.kind === "url") sum += distantFileTokens;
    else sum += Math.ceil((part.source.data.length * 3) / 4);
  }
  return sum;
}

/** In UTF-8. */
function bytesOf(text: string): number {
  let bytes = text.length;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit < 0x80) continue;
    // Half a character pair is two bytes more than its unit, so that both halves are four.
    bytes += unit < 0x800 || (unit >= 0xd800 && unit < 0xe000) ? 1 : 2;
  }
  return bytes;
}
