/**
 * Load in the shape of a published trace, without the trace: Azure LLM inference dataset 2023, the coding service (Patel et
 * al., "Splitwise", ISCA 2024; the data set is CC-BY). What was published or computed of its 8,819 requests in 57 minutes:
 * 2.57 requests a second; prompts with a median of 1,469 tokens, a mean of 2,048 and a 99th percentile of 7,436; answers with a
 * median of 13, a mean of 28 and a 99th percentile of 249. It comes in bursts: about 7.5 a second for a dozen seconds, then
 * silence. The points between are ours, set so that the means come out. Pure.
 */
import { randomFrom } from "./prompts.ts";

/** Share of requests that have at most so many tokens. */
type Distribution = readonly (readonly [share: number, tokens: number])[];

const promptTokens: Distribution = [
  [0, 12],
  [0.1, 175],
  [0.25, 700],
  [0.5, 1_469],
  [0.75, 2_750],
  [0.9, 4_700],
  [0.95, 6_300],
  [0.99, 7_436],
  [1, 7_440],
];
const answerTokens: Distribution = [
  [0, 6],
  [0.1, 7],
  [0.25, 9],
  [0.5, 13],
  [0.75, 24],
  [0.9, 55],
  [0.95, 85],
  [0.99, 249],
  [1, 400],
];

const burstPerSecond = 7.5;
const meanBurstMs = 12_000;
/** Makes the mean rate 2.57 a second. */
const meanSilenceMs = 23_000;

export interface TraceRequest {
  /** From the start of the load. */
  readonly atMs: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
}

/** `share` of the trace's rate for `durationMs`, bursts and silences as they are: the same for the same seed. */
export function traceRequests(durationMs: number, share: number, seed: number): readonly TraceRequest[] {
  const random = randomFrom(seed);
  const exponential = (mean: number) => -Math.log(1 - random()) * mean;
  const requests: TraceRequest[] = [];
  let atMs = 0;
  let burstEndsMs = exponential(meanBurstMs);
  for (;;) {
    atMs += exponential(1_000 / (burstPerSecond * share));
    if (atMs > burstEndsMs) {
      atMs = burstEndsMs + exponential(meanSilenceMs);
      burstEndsMs = atMs + exponential(meanBurstMs);
    }
    if (atMs >= durationMs) return requests;
    requests.push({
      atMs,
      promptTokens: quantile(promptTokens, random()),
      answerTokens: quantile(answerTokens, random()),
    });
  }
}

function quantile(distribution: Distribution, share: number): number {
  for (const [at, [right, high]] of distribution.entries()) {
    const [left, low] = distribution[at - 1] ?? [0, high];
    if (share <= right)
      return Math.round(right === left ? high : low + ((high - low) * (share - left)) / (right - left));
  }
  return distribution.at(-1)?.[1] ?? 1;
}
