/** The families of models, as a registry: how each is read. `format-of.ts` says which one a model belongs to. */
import { any } from "./families/any.ts";
import { deepseek } from "./families/deepseek.ts";
import { gptOss } from "./families/gpt-oss.ts";
import { hermes } from "./families/hermes.ts";
import { llama } from "./families/llama.ts";
import { mistral } from "./families/mistral.ts";
import { qwen3Coder } from "./families/qwen3-coder.ts";
import type { ReplyFamily } from "./family.ts";
import type { ReplyFormat } from "./format-of.ts";

export const replyFamilies = Object.freeze({
  "gpt-oss": gptOss,
  deepseek,
  mistral,
  "qwen3-coder": qwen3Coder,
  hermes,
  llama,
  any,
}) satisfies Record<ReplyFormat, ReplyFamily>;
