/** The dialect of `/v1/messages`, put together. Pure; one line in `server/dialects/index.ts` registers it. */
import type { Dialect } from "../dialect.ts";
import { decodeChat } from "./decode.ts";
import { chatEncoder } from "./encode.ts";
import { encodeFailure, failureFrame } from "./failure.ts";
import { frame } from "./frame.ts";
import { encodeModel, encodeModels } from "./models.ts";
import { rateHeaders } from "./rate-headers.ts";
import { dialectId } from "./signature.ts";

export const anthropicMessages: Dialect = Object.freeze({
  id: dialectId,
  contentType: { stream: "text/event-stream; charset=utf-8", whole: "application/json; charset=utf-8" },
  decodeChat,
  chatEncoder,
  encodeFailure,
  failureFrame,
  rateHeaders,
  requestIdHeader: "request-id",
  requestHeaders: ["anthropic-version", "anthropic-beta"],
  // Every client measured knows it, and some count events and not bytes.
  keepAlive: frame({ type: "ping" }),
  encodeModels,
  encodeModel,
});
