/** Who holds the fewest of our requests now. Pure. */
import { orderedBy, type Strategy } from "./strategy.ts";

export const leastBusy: Strategy = {
  words: "who holds the fewest requests now",
  order: (candidates) =>
    orderedBy(candidates, (candidate) => candidate.inFlight).map((candidate) => ({
      candidate,
      reason: "least_busy",
      detail: `${candidate.inFlight} in flight`,
    })),
};
