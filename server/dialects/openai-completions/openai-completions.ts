/** The dialect of `/v1/completions`, put together. Pure; one line in `server/dialects/index.ts` registers it. */
import type { Dialect } from "../dialect.ts";
import { openaiChat } from "../openai-chat/openai-chat.ts";
import { decodeCompletion } from "./decode.ts";
import { completionEncoder } from "./encode.ts";

export const openaiCompletions: Dialect = Object.freeze({
  ...openaiChat,
  id: "openai-completions",
  decodeChat: decodeCompletion,
  chatEncoder: completionEncoder,
});
