/** Usage as Messages says it: what was read from a cache, or written to one, is not part of `input_tokens`. Pure. */
import type { Usage } from "../../domain/usage.ts";

export interface WireUsage {
  readonly input_tokens: number;
  readonly cache_creation_input_tokens: number;
  readonly cache_read_input_tokens: number;
  readonly output_tokens: number;
}

export function wireUsage(usage: Usage): WireUsage {
  const written = (usage.cacheWrite5mTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0);
  return {
    input_tokens: Math.max(0, usage.promptTokens - usage.cachedTokens - written),
    cache_creation_input_tokens: written,
    cache_read_input_tokens: usage.cachedTokens,
    output_tokens: usage.completionTokens,
  };
}

/** With what of it is kept for how long; only where something was written. */
export function wholeUsage(usage: Usage): object {
  const { cacheWrite5mTokens = 0, cacheWrite1hTokens = 0 } = usage;
  return {
    ...wireUsage(usage),
    cache_creation: {
      ephemeral_5m_input_tokens: cacheWrite5mTokens,
      ephemeral_1h_input_tokens: cacheWrite1hTokens,
    },
    service_tier: "standard",
  };
}
