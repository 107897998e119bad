/**
 * Who was fastest of late, by the time to the first token or to the end. What has not been measured, or not for long, goes
 * first, one request at a time, so that a target that became fast is found again. Pure.
 */
import type { Candidate } from "../target.ts";
import { orderedBy, type Strategy } from "./strategy.ts";

function byLatency(words: string, latencyMs: (candidate: Candidate) => number | null): Strategy {
  const isToTry = (candidate: Candidate) => latencyMs(candidate) === null && candidate.inFlight === 0;
  return {
    words,
    order: (candidates) => {
      const figure = (candidate: Candidate) => (isToTry(candidate) ? -1 : (latencyMs(candidate) ?? Infinity));
      return orderedBy(candidates, figure).map((candidate) => {
        const ms = latencyMs(candidate);
        return ms === null
          ? { candidate, reason: "unmeasured", detail: "" }
          : { candidate, reason: "lowest_latency", detail: `${Math.round(ms)} ms` };
      });
    },
  };
}

export const lowestLatency = byLatency("who gave its first token fastest of late", (candidate) => candidate.ttftMs);
export const lowestTotalLatency = byLatency(
  "who was fastest with whole answers of late",
  (candidate) => candidate.totalMs,
);
