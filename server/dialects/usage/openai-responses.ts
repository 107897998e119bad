/** Usage as OpenAI's Responses write it, and Perplexity's Agent API, which adds what it cost. Pure; imports the domain only. */
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import type { CallTraits } from "../called.ts";
import { at, isWireObject } from "./figures.ts";
import { readUsage, servedAs, serverToolCalls, type UsageShape } from "./upstream-usage.ts";

const shape: UsageShape = {
  cumulative: false,
  find(usage, figures) {
    return {
      prompt: figures.count("input_tokens"),
      cached: figures.count("input_tokens_details", "cached_tokens"),
      written5m: figures.count("input_tokens_details", "cache_write_tokens"),
      completion: figures.count("output_tokens"),
      reasoning: figures.count("output_tokens_details", "reasoning_tokens"),
      audioPrompt: figures.count("input_tokens_details", "audio_tokens"),
      audioCompletion: figures.count("output_tokens_details", "audio_tokens"),
      toolCalls: serverToolCalls(usage, figures),
      serviceTier: at(usage, "service_tier"),
    };
  },
};

/** `usage` is the object under `usage` of a response. */
export function readOpenaiResponsesUsage(usage: unknown, traits: CallTraits, previous?: UpstreamUsage): UpstreamUsage {
  return readUsage(shape, usage, traits, previous);
}

/** Out of a response or one event that carries a response: usage, tier and the searches among its items. */
export function readOpenaiResponsesFrame(frame: unknown, traits: CallTraits, previous?: UpstreamUsage): UpstreamUsage {
  const response = isWireObject(at(frame, "response")) ? at(frame, "response") : frame;
  const read = servedAs(
    readOpenaiResponsesUsage(at(response, "usage"), traits, previous),
    at(response, "service_tier"),
  );
  const searches = searchesIn(at(response, "output"));
  return searches === 0 || read.toolCalls.web_search !== undefined
    ? read
    : { ...read, toolCalls: { ...read.toolCalls, web_search: searches } };
}

/** OpenAI bills a search by the item it leaves in the output; its usage says nothing of it. */
function searchesIn(output: unknown): number {
  if (!Array.isArray(output)) return 0;
  return output.filter((item) => at(item, "type") === "web_search_call").length;
}
