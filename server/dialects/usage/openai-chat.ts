/**
 * Usage as OpenAI's chat, completions and embeddings write it, and everybody who writes the same with words of their own. Pure;
 * imports the domain only.
 */
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import type { CallTraits } from "../called.ts";
import { at } from "./figures.ts";
import { readUsage, servedAs, serverToolCalls, type UsageShape } from "./upstream-usage.ts";

const shape: UsageShape = {
  cumulative: false,
  find(usage, figures) {
    const hit = figures.count("prompt_cache_hit_tokens");
    const miss = figures.count("prompt_cache_miss_tokens");
    const prompt = figures.count("prompt_tokens") ?? (hit === null && miss === null ? null : (hit ?? 0) + (miss ?? 0));
    // OpenAI's place, DeepSeek's, and the one of those who have no details: the first that says more than 0.
    const cached = figures.count("prompt_tokens_details", "cached_tokens") || hit || figures.count("cached_tokens");
    const said = figures.count("completion_tokens");
    const reasoning =
      figures.count("completion_tokens_details", "reasoning_tokens") ?? figures.count("reasoning_tokens");
    const total = figures.count("total_tokens");
    // xAI and Gemini's OpenAI wire leave thinking out of the completion; their total gives it away.
    const apart = total !== null && (reasoning ?? 0) > 0 && total === (prompt ?? 0) + (said ?? 0) + (reasoning ?? 0);
    return {
      prompt,
      cached,
      written5m: figures.count("prompt_tokens_details", "cache_write_tokens"),
      completion: apart ? (said ?? 0) + (reasoning ?? 0) : said,
      reasoning,
      audioPrompt: figures.count("prompt_tokens_details", "audio_tokens"),
      audioCompletion: figures.count("completion_tokens_details", "audio_tokens"),
      toolCalls: serverToolCalls(usage, figures),
      serviceTier: at(usage, "service_tier"),
    };
  },
};

/** `usage` is the object under `usage` (or Groq's `x_groq.usage`); `previous` what was read before in the same stream. */
export function readOpenaiChatUsage(usage: unknown, traits: CallTraits, previous?: UpstreamUsage): UpstreamUsage {
  return readUsage(shape, usage, traits, previous);
}

/** Out of a whole body or one chunk: its usage, wherever it is, and the tier it was served at. */
export function readOpenaiChatFrame(frame: unknown, traits: CallTraits, previous?: UpstreamUsage): UpstreamUsage {
  const usage = at(frame, "usage") ?? at(frame, "x_groq", "usage");
  return servedAs(readOpenaiChatUsage(usage, traits, previous), at(frame, "service_tier"));
}
