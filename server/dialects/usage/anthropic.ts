/**
 * Usage as Anthropic's Messages write it. `input_tokens` is what was neither read from the cache nor written into it; a stream's
 * `message_start` and `message_delta` are cumulative and replace each other. Pure; imports the domain only.
 */
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import type { CallTraits } from "../called.ts";
import { at } from "./figures.ts";
import { readUsage, serverToolCalls, type UsageShape } from "./upstream-usage.ts";

const shape: UsageShape = {
  cumulative: true,
  find(usage, figures) {
    const input = figures.count("input_tokens");
    const read = figures.count("cache_read_input_tokens");
    const written = figures.count("cache_creation_input_tokens");
    const of5m = figures.count("cache_creation", "ephemeral_5m_input_tokens") ?? 0;
    const of1h = figures.count("cache_creation", "ephemeral_1h_input_tokens") ?? 0;
    // The sum is the truth where it is given, so that the two lifetimes are never both billed for the same tokens.
    const all = written ?? of5m + of1h;
    const written1h = Math.min(of1h, all);
    if (of5m + of1h > all) figures.odd("cached_clamped");
    const nothing = input === null && read === null && written === null;
    return {
      prompt: nothing ? null : (input ?? 0) + (read ?? 0) + all,
      cached: read,
      written5m: all - written1h,
      written1h,
      completion: figures.count("output_tokens"),
      reasoning: figures.count("output_tokens_details", "thinking_tokens"),
      toolCalls: serverToolCalls(usage, figures),
      serviceTier: at(usage, "service_tier"),
      fast: at(usage, "speed") === "fast",
    };
  },
};

/** `usage` is the object under `usage` of a message, of `message_start.message` or of `message_delta`. */
export function readAnthropicUsage(usage: unknown, traits: CallTraits, previous?: UpstreamUsage): UpstreamUsage {
  return readUsage(shape, usage, traits, previous);
}

/** Out of a whole message or one event of a stream. */
export function readAnthropicFrame(frame: unknown, traits: CallTraits, previous?: UpstreamUsage): UpstreamUsage {
  return readAnthropicUsage(at(frame, "message", "usage") ?? at(frame, "usage"), traits, previous);
}
