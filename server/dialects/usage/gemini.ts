/**
 * Usage as Gemini writes it. Thoughts are not among the candidates' tokens, and what its own tools put into the prompt is not
 * among the prompt's; both are billed. Every chunk of a stream has all of it. Pure; imports the domain only.
 */
import type { UpstreamUsage } from "../../domain/upstream-usage.ts";
import type { CallTraits } from "../called.ts";
import { at, type Figures, figuresOf } from "./figures.ts";
import { readUsage, type UsageShape } from "./upstream-usage.ts";

const shape: UsageShape = {
  cumulative: true,
  find(usage, figures) {
    const prompt = figures.count("promptTokenCount");
    const tools = figures.count("toolUsePromptTokenCount");
    const candidates = figures.count("candidatesTokenCount");
    const thoughts = figures.count("thoughtsTokenCount");
    return {
      prompt: prompt === null && tools === null ? null : (prompt ?? 0) + (tools ?? 0),
      cached: figures.count("cachedContentTokenCount"),
      completion: candidates === null && thoughts === null ? null : (candidates ?? 0) + (thoughts ?? 0),
      reasoning: thoughts,
      audioPrompt:
        audioIn(at(usage, "promptTokensDetails"), figures) + audioIn(at(usage, "toolUsePromptTokensDetails"), figures),
      audioCached: audioIn(at(usage, "cacheTokensDetails"), figures),
      audioCompletion: audioIn(at(usage, "candidatesTokensDetails"), figures),
      serviceTier: at(usage, "serviceTier"),
    };
  },
};

/** The audio among `[{ modality, tokenCount }]`. */
function audioIn(details: unknown, figures: Figures): number {
  if (!Array.isArray(details)) return 0;
  let tokens = 0;
  for (const detail of details) {
    if (at(detail, "modality") !== "AUDIO") continue;
    const own = figuresOf(detail);
    tokens += own.count("tokenCount") ?? 0;
    for (const flag of own.flags) figures.odd(flag);
  }
  return tokens;
}

/** `usage` is the object under `usageMetadata`. */
export function readGeminiUsage(usage: unknown, traits: CallTraits, previous?: UpstreamUsage): UpstreamUsage {
  return readUsage(shape, usage, traits, previous);
}

/** Out of a whole answer or one chunk of a stream. */
export function readGeminiFrame(frame: unknown, traits: CallTraits, previous?: UpstreamUsage): UpstreamUsage {
  return readGeminiUsage(at(frame, "usageMetadata"), traits, previous);
}
