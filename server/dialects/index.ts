/** Every wire shape we serve, and every one we call, by id. Adding one is a folder and a line here; `test/contracts/` runs over this registry. */
import { anthropicMessages } from "./anthropic-messages/anthropic-messages.ts";
import { anthropicMessagesCalled } from "./anthropic-messages/anthropic-messages-called.ts";
import type { CalledDialect } from "./called.ts";
import type { Dialect } from "./dialect.ts";
import { calledGemini } from "./gemini/called.ts";
import { ollamaEmbed, ollamaEmbeddings } from "./ollama/embed.ts";
import { ollama, ollamaGenerate } from "./ollama/ollama.ts";
import { calledOpenaiChat } from "./openai-chat/called.ts";
import { openaiChat } from "./openai-chat/openai-chat.ts";
import { calledOpenaiCompletions } from "./openai-completions/called.ts";
import { openaiCompletions } from "./openai-completions/openai-completions.ts";
import { calledOpenaiResponses } from "./openai-responses/called.ts";
import { openaiResponses } from "./openai-responses/openai-responses.ts";
import { calledOpenaiEmbeddings } from "./openai-embeddings/called.ts";
import { openaiEmbeddings } from "./openai-embeddings/openai-embeddings.ts";
import { calledRerank } from "./rerank/called.ts";
import { rerank } from "./rerank/rerank.ts";

export const dialects = Object.freeze({
  "openai-chat": openaiChat,
  "openai-completions": openaiCompletions,
  "anthropic-messages": anthropicMessages,
  ollama,
  "ollama-generate": ollamaGenerate,
  "openai-responses": openaiResponses,
}) satisfies Readonly<Record<string, Dialect>>;

export type DialectId = keyof typeof dialects;

/** Every wire shape we call, by id; a provider names one of them. */
export const calledDialects = Object.freeze({
  "openai-chat": calledOpenaiChat,
  gemini: calledGemini,
  "anthropic-messages": anthropicMessagesCalled,
  "openai-responses": calledOpenaiResponses,
}) satisfies Readonly<Record<string, CalledDialect>>;

export type CalledDialectId = keyof typeof calledDialects;

/** Those that are answered in one piece; their contract is `whole-dialect.ts`. */
export const wholeDialects = Object.freeze({
  "openai-embeddings": openaiEmbeddings,
  rerank,
  "ollama-embed": ollamaEmbed,
  "ollama-embeddings": ollamaEmbeddings,
});

/** Those of them that we call. A provider has them beside its chat, behind the same base URL, where its abilities say so. */
export const calledWhole = Object.freeze({
  "openai-embeddings": calledOpenaiEmbeddings,
  rerank: calledRerank,
});

/**
 * For raw prompts, where a provider has a wire for them beside its chat (`traits.completions`); by the provider's dialect. Not
 * among `calledDialects`, because no provider can be called by it alone.
 */
export const calledForPrompts: Readonly<Partial<Record<string, CalledDialect>>> = Object.freeze({
  "openai-chat": calledOpenaiCompletions,
  "openai-responses": calledOpenaiCompletions,
});
