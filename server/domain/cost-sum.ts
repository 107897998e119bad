/** What several tries cost together. Pure. */
import type { Cost, Nanos, UnknownCostReason } from "./money.ts";

export interface CostSum {
  /** Known only when every part is. */
  readonly cost: Cost;
  /** Of the parts that are known, whatever the others may be: money that was spent does not vanish from a sum. */
  readonly knownNanos: Nanos;
  /** Parts whose cost is not known. */
  readonly unknownParts: number;
}

/** The weakest word wins: a sum with an estimate in it is an estimate. */
const weakestFirst = ["estimated", "measured", "billed"] as const;

/** Of nothing the cost is not known to be 0: nothing ran, and nothing was priced. */
export function sumOfCosts(costs: readonly Cost[]): CostSum {
  let knownNanos = 0;
  let unknownParts = 0;
  let reason: UnknownCostReason = "not_priced";
  const bases = new Set<string>();
  for (const cost of costs) {
    if (cost.known) {
      knownNanos += cost.nanos;
      bases.add(cost.basis);
      continue;
    }
    unknownParts += 1;
    // The one that somebody can do something about is named.
    if (cost.reason === "unknown_price") reason = "unknown_price";
  }
  const basis = weakestFirst.find((word) => bases.has(word));
  const cost: Cost =
    unknownParts > 0 || basis === undefined ? { known: false, reason } : { known: true, nanos: knownNanos, basis };
  return { cost, knownNanos, unknownParts };
}
