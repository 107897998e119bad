/** What costs least for this very request. Where no price is known nothing is promised: it comes last. Pure. */
import { orderedBy, type Strategy } from "./strategy.ts";

export const lowestCost: Strategy = {
  words: "what costs least for this request",
  order: (candidates) =>
    orderedBy(candidates, (candidate) => candidate.expectedNanos ?? Infinity).map((candidate) => ({
      candidate,
      reason: "lowest_cost",
      detail: candidate.expectedNanos === null ? "no price is known" : `${candidate.expectedNanos} nano-USD expected`,
    })),
};
