/** Token counts and times of one request. Pure. */

/** Counts of tokens. `promptTokens` includes the cached ones, `completionTokens` includes the reasoning ones. */
export interface Usage {
  readonly promptTokens: number;
  /** The part of the prompt that was not computed again because its KV was already there. */
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  /** The parts of the prompt that an upstream wrote into its cache, for five minutes or an hour; absent: 0. */
  readonly cacheWrite5mTokens?: number;
  readonly cacheWrite1hTokens?: number;
}

export const noUsage: Usage = Object.freeze({
  promptTokens: 0,
  cachedTokens: 0,
  completionTokens: 0,
  reasoningTokens: 0,
});

/**
 * Where the time of one attempt went, in milliseconds. A part that was never reached is 0.
 * `queueMs + loadMs + prefillMs + decodeMs` is the attempt's duration, up to rounding.
 */
export interface Timings {
  /** Waiting for a slot. */
  readonly queueMs: number;
  /** Waiting for the model to be loaded. */
  readonly loadMs: number;
  /** From the slot to the first token. */
  readonly prefillMs: number;
  /** From the first token to the last. */
  readonly decodeMs: number;
}

export const noTimings: Timings = Object.freeze({ queueMs: 0, loadMs: 0, prefillMs: 0, decodeMs: 0 });

export function addUsage(left: Usage, right: Usage): Usage {
  return {
    promptTokens: left.promptTokens + right.promptTokens,
    cachedTokens: left.cachedTokens + right.cachedTokens,
    completionTokens: left.completionTokens + right.completionTokens,
    reasoningTokens: left.reasoningTokens + right.reasoningTokens,
    ...added("cacheWrite5mTokens", left, right),
    ...added("cacheWrite1hTokens", left, right),
  };
}

/** Stays absent where neither side has it. */
function added(field: "cacheWrite5mTokens" | "cacheWrite1hTokens", left: Usage, right: Usage): Partial<Usage> {
  if (left[field] === undefined && right[field] === undefined) return {};
  return { [field]: (left[field] ?? 0) + (right[field] ?? 0) };
}

export function addTimings(left: Timings, right: Timings): Timings {
  return {
    queueMs: left.queueMs + right.queueMs,
    loadMs: left.loadMs + right.loadMs,
    prefillMs: left.prefillMs + right.prefillMs,
    decodeMs: left.decodeMs + right.decodeMs,
  };
}
