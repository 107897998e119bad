/** Each in turn. Pure. */
import type { Strategy } from "./strategy.ts";

export const roundRobin: Strategy = {
  words: "each in turn",
  order: (candidates, { turn }) => {
    const first = candidates.length === 0 ? 0 : turn % candidates.length;
    return [...candidates.slice(first), ...candidates.slice(0, first)].map((candidate) => ({
      candidate,
      reason: "round_robin",
      detail: "",
    }));
  },
};
