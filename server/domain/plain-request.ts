/** A request of this box's own: one message, and no wishes but a bound. Pure. */
import type { ChatRequest, Sampling } from "./chat.ts";

/** Everything as the answering model has it. */
export const noSamplingWishes: Sampling = Object.freeze({
  temperature: null,
  topP: null,
  topK: null,
  minP: null,
  seed: null,
  frequencyPenalty: null,
  presencePenalty: null,
  repeatPenalty: null,
  logitBias: new Map<number, number>(),
});

export function plainRequest(model: string, text: string, maxTokens: number): ChatRequest {
  return {
    model,
    messages: [{ role: "user", content: [{ type: "text", text }] }],
    completion: null,
    tools: [],
    toolChoice: { type: "auto" },
    parallelToolCalls: true,
    responseFormat: { type: "text" },
    sampling: noSamplingWishes,
    maxTokens,
    choices: 1,
    logprobs: null,
    stop: [],
    ignoreEos: false,
    cachePrompt: true,
    cacheKey: null,
    stream: false,
    includeUsage: false,
  };
}
