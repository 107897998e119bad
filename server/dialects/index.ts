/** Every wire shape we serve, by id. Adding one is a folder and a line here; `test/contracts/` runs over this registry. */
import type { CalledDialect } from "./called.ts";
import type { Dialect } from "./dialect.ts";
import { openaiChat } from "./openai-chat/openai-chat.ts";
import { openaiCompletions } from "./openai-completions/openai-completions.ts";
import { openaiEmbeddings } from "./openai-embeddings/openai-embeddings.ts";
import { rerank } from "./rerank/rerank.ts";

export const dialects = Object.freeze({
  "openai-chat": openaiChat,
  "openai-completions": openaiCompletions,
}) satisfies Readonly<Record<string, Dialect>>;

/** Every wire shape we call, by id; a provider names one of them. */
export const calledDialects = Object.freeze({}) satisfies Readonly<Record<string, CalledDialect>>;

export type DialectId = keyof typeof dialects;

/** Those that are answered in one piece; their contract is `whole-dialect.ts`. */
export const wholeDialects = Object.freeze({
  "openai-embeddings": openaiEmbeddings,
  rerank,
});
