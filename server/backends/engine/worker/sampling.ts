/** A request's sampling wishes → the sampler's configuration. Pure, except for the random seed that is handed in. */
import type { WireSampling } from "../protocol.ts";
import type { NativeGrammarState, SamplerConfig } from "./native.ts";

/**
 * What is used when a client does not say: the values llama.cpp's server uses, because quantized weights sampled from their
 * whole distribution wander off. A field the client does send is taken as sent (1.0 for top_p switches it off).
 */
export const samplingDefaults = Object.freeze({ temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05 });

/** Tokens that `repeat_penalty` looks back over, as in llama.cpp. */
const repeatWindow = 64;

export interface SamplerFacts {
  readonly sampling: WireSampling;
  /** Unsigned 32 bits, used when the client gave none. */
  readonly randomSeed: number;
  readonly promptTokens: readonly number[];
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly grammarState: NativeGrammarState | null;
}

export function samplerConfig(facts: SamplerFacts): SamplerConfig {
  const { sampling } = facts;
  const temperature = sampling.temperature ?? samplingDefaults.temperature;
  const topK = sampling.topK ?? samplingDefaults.topK;
  const topP = sampling.topP ?? samplingDefaults.topP;
  const minP = sampling.minP ?? samplingDefaults.minP;
  // At temperature 0 the filters only cost time: the greedy stage takes the largest logit whatever was filtered.
  const filters =
    temperature <= 0
      ? {}
      : {
          ...(topK > 0 ? { topK } : {}),
          ...(topP < 1 ? { topP } : {}),
          ...(minP > 0 ? { minP } : {}),
        };
  return {
    temperature,
    seed: (sampling.seed ?? facts.randomSeed) >>> 0,
    ...filters,
    ...penalties(facts),
    ...bias(facts),
    ...(facts.grammarState === null ? {} : { grammarEvaluationState: facts.grammarState }),
  };
}

/**
 * OpenAI's frequency and presence penalties count what was generated, so they start with nothing; `repeat_penalty` is
 * llama.cpp's and looks at the last 64 tokens, the prompt's included.
 */
function penalties(facts: SamplerFacts): Partial<SamplerConfig> {
  const repeat = facts.sampling.repeatPenalty ?? 1;
  const frequency = facts.sampling.frequencyPenalty ?? 0;
  const presence = facts.sampling.presencePenalty ?? 0;
  if (repeat === 1 && frequency === 0 && presence === 0) return {};
  const looksAtPrompt = repeat !== 1;
  return {
    repeatPenalty: repeat,
    repeatPenaltyFrequencyPenalty: frequency,
    repeatPenaltyPresencePenalty: presence,
    repeatPenaltyMaxTokens: looksAtPrompt ? repeatWindow : facts.contextLength,
    repeatPenaltyTokens: Uint32Array.from(looksAtPrompt ? facts.promptTokens.slice(-repeatWindow) : []),
  };
}

function bias(facts: SamplerFacts): Partial<SamplerConfig> {
  const known = facts.sampling.logitBias.filter(([token]) => token >= 0 && token < facts.vocabularySize);
  if (known.length === 0) return {};
  // -100 means "never" in OpenAI's words, whatever the logits are.
  const values = known.map(([, amount]) => (amount <= -100 ? Number.NEGATIVE_INFINITY : amount));
  return { tokenBiasKeys: Uint32Array.from(known.map(([token]) => token)), tokenBiasValues: Float32Array.from(values) };
}
