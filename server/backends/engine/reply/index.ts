/** The families of models, as a registry; the first whose `speaks` says yes is taken, so the most particular come first. */
import { any } from "./families/any.ts";
import { deepseek } from "./families/deepseek.ts";
import { gptOss } from "./families/gpt-oss.ts";
import { hermes } from "./families/hermes.ts";
import { llama } from "./families/llama.ts";
import { mistral } from "./families/mistral.ts";
import { qwen3Coder } from "./families/qwen3-coder.ts";
import type { ModelFacts, ReplyFamily } from "./family.ts";

export const replyFamilies = Object.freeze({
  "gpt-oss": gptOss,
  deepseek,
  mistral,
  "qwen3-coder": qwen3Coder,
  hermes,
  llama,
  any,
}) satisfies Record<string, ReplyFamily>;

export type ReplyFormat = keyof typeof replyFamilies;

/** Which family's way of answering a model has. */
export function replyFormatOf(facts: ModelFacts): ReplyFormat {
  const formats = Object.keys(replyFamilies) as ReplyFormat[];
  return formats.find((format) => replyFamilies[format].speaks(facts)) ?? "any";
}
