/** Sampling wishes as upstreams of OpenAI's shapes take them, in chat and completions alike. Pure; imports the domain only. */
import type { ChatRequest } from "../domain/chat.ts";
import type { CallFacts } from "./called.ts";
import { sampledBy } from "./openai-reasoning.ts";

/** Fields that were not asked for are left out: the upstream's defaults are its own. */
export function calledSampling(
  request: ChatRequest,
  { model, traits }: Pick<CallFacts, "model" | "traits">,
): Readonly<Record<string, unknown>> {
  const sampling = sampledBy(model, request);
  return {
    ...(sampling.temperature !== null && { temperature: sampling.temperature }),
    ...(sampling.topP !== null && { top_p: sampling.topP }),
    ...(sampling.frequencyPenalty !== null && { frequency_penalty: sampling.frequencyPenalty }),
    ...(sampling.presencePenalty !== null && { presence_penalty: sampling.presencePenalty }),
    ...(sampling.seed !== null && { seed: sampling.seed }),
    ...(sampling.logitBias.size > 0 && { logit_bias: Object.fromEntries(sampling.logitBias) }),
    ...(traits.extendedSampling === true && extendedOf(request)),
  };
}

function extendedOf({ sampling, ignoreEos, cachePrompt }: ChatRequest): Readonly<Record<string, unknown>> {
  return {
    ...(sampling.topK !== null && { top_k: sampling.topK }),
    ...(sampling.minP !== null && { min_p: sampling.minP }),
    ...(sampling.repeatPenalty !== null && { repeat_penalty: sampling.repeatPenalty }),
    ...(ignoreEos && { ignore_eos: true }),
    ...(!cachePrompt && { cache_prompt: false }),
  };
}

const names = Object.freeze({
  temperature: "temperature",
  topP: "top_p",
  topK: "top_k",
  minP: "min_p",
  seed: "seed",
  frequencyPenalty: "frequency_penalty",
  presencePenalty: "presence_penalty",
  repeatPenalty: "repeat_penalty",
} as const);

/** What was wished and is not among what goes out, by the names of OpenAI's fields. */
export function samplingLeftOut(
  { sampling }: Pick<ChatRequest, "sampling">,
  sent: Readonly<Record<string, unknown>>,
): readonly string[] {
  return (Object.keys(names) as (keyof typeof names)[])
    .filter((field) => sampling[field] !== null && !(field === "topK" && sampling.topK === 0))
    .map((field) => names[field])
    .filter((name) => sent[name] === undefined);
}
