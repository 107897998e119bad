/** The dialect of `/v1/chat/completions`, put together. Pure; one line in `server/dialects/index.ts` registers it. */
import type { Dialect } from "../dialect.ts";
import { decodeChat } from "./decode.ts";
import { chatEncoder } from "./encode.ts";
import { encodeFailure, failureFrame } from "./failure.ts";
import { encodeModel, encodeModels } from "./models.ts";
import { rateHeaders } from "./rate-headers.ts";

export const openaiChat: Dialect = Object.freeze({
  id: "openai-chat",
  contentType: { stream: "text/event-stream; charset=utf-8", whole: "application/json; charset=utf-8" },
  decodeChat,
  chatEncoder,
  encodeFailure,
  failureFrame,
  rateHeaders,
  // A `ping` event makes opencode, Cline and the AI SDK fail on this path; a comment is safe everywhere.
  keepAlive: ": keep-alive\n\n",
  encodeModels,
  encodeModel,
});
