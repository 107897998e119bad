/** What the measured streams come to. Pure. */
import type { StreamFigures } from "./bench-stream.ts";

export interface TogetherFigures {
  /** Streams at the same time. */
  readonly streams: number;
  /** Decode rate of one stream, the median of them; null when too few tokens came to tell. */
  readonly tokensPerSecondEach: number | null;
  /** All tokens after each stream's first, over the time from the first token of any to the last of any. */
  readonly tokensPerSecondTogether: number | null;
  /** Median. */
  readonly firstTokenMs: number;
}

export function together(runs: readonly StreamFigures[]): TogetherFigures {
  const rates = runs.map((run) => rate(run.completionTokens - 1, run.lastTokenMs - run.firstTokenMs));
  const known = rates.filter((each) => each !== null);
  const fromMs = Math.min(...runs.map((run) => run.startedAtMs + run.firstTokenMs));
  const toMs = Math.max(...runs.map((run) => run.startedAtMs + run.lastTokenMs));
  const tokens = runs.reduce((sum, run) => sum + run.completionTokens - 1, 0);
  return {
    streams: runs.length,
    tokensPerSecondEach: known.length < runs.length ? null : median(known),
    tokensPerSecondTogether: rate(tokens, toMs - fromMs),
    firstTokenMs: median(runs.map((run) => run.firstTokenMs)),
  };
}

function rate(tokens: number, ms: number): number | null {
  return tokens > 0 && ms > 0 ? (tokens / ms) * 1000 : null;
}

/** Of at least one number; the mean of the middle two when they are even. */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}
