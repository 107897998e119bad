/** The dialects of `/api/chat` and `/api/generate`, put together. Pure; `server/dialects/index.ts` registers them. */
import type { Dialect } from "../dialect.ts";
import { decodeChat, decodeGenerate } from "./decode.ts";
import { chatEncoder, generateEncoder } from "./encode.ts";
import { encodeFailure, failureFrame } from "./failure.ts";
import { encodeModel, encodeModels } from "./models.ts";

export const ollama: Dialect = Object.freeze({
  id: "ollama",
  contentType: { stream: "application/x-ndjson", whole: "application/json; charset=utf-8" },
  decodeChat,
  chatEncoder,
  encodeFailure,
  failureFrame,
  // Every encoder has one that names its model: this shape has no comments, so it is a line without text.
  keepAlive: '{"message":{"role":"assistant","content":""},"done":false}\n',
  encodeModels,
  encodeModel,
});

export const ollamaGenerate: Dialect = Object.freeze({
  ...ollama,
  id: "ollama-generate",
  decodeChat: decodeGenerate,
  chatEncoder: generateEncoder,
  keepAlive: '{"response":"","done":false}\n',
});
