/** Every wire shape we serve, by id. Adding one is a folder and a line here; `test/contracts/` runs over this registry. */
import type { Dialect } from "./dialect.ts";
import { openaiChat } from "./openai-chat/openai-chat.ts";
import { openaiCompletions } from "./openai-completions/openai-completions.ts";

export const dialects = Object.freeze({
  "openai-chat": openaiChat,
  "openai-completions": openaiCompletions,
}) satisfies Readonly<Record<string, Dialect>>;

export type DialectId = keyof typeof dialects;
