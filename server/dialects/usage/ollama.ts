/** Usage as Ollama writes it: fields of the answer itself, in the last line of a stream. Pure; imports the domain only. */
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import type { CallTraits } from "../called.ts";
import { at, isWireObject } from "./figures.ts";
import { readUsage, type UsageShape } from "./upstream-usage.ts";

/** What of an answer is kept as its usage. */
const fields = ["prompt_eval_count", "prompt_eval_cached_count", "eval_count"] as const;

const shape: UsageShape = {
  cumulative: false,
  find(_usage, figures) {
    return {
      prompt: figures.count("prompt_eval_count"),
      cached: figures.count("prompt_eval_cached_count"),
      completion: figures.count("eval_count"),
      reasoning: null,
    };
  },
};

/** `usage` is a whole answer or one line of a stream; a line without figures changes nothing. */
export function readOllamaUsage(usage: unknown, traits: CallTraits, previous?: UpstreamUsage): UpstreamUsage {
  const kept = fields.filter((field) => at(usage, field) !== undefined);
  if (!isWireObject(usage) || kept.length === 0) return readUsage(shape, null, traits, previous);
  return readUsage(shape, Object.fromEntries(kept.map((field) => [field, usage[field]])), traits, previous);
}
