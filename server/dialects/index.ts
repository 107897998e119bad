/** Every wire shape we serve, by id. Adding one is a folder and a line here; `test/contracts/` runs over this registry. */
import type { Dialect } from "./dialect.ts";
import { openaiChat } from "./openai-chat/openai-chat.ts";

export const dialects = Object.freeze({
  "openai-chat": openaiChat,
}) satisfies Readonly<Record<string, Dialect>>;

export type DialectId = keyof typeof dialects;
