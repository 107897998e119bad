/** The registry of strategies: a file and a line each. Settings, help and pages read their names from here. Pure. */
import { inOrder } from "./in-order.ts";
import { leastBusy } from "./least-busy.ts";
import { localFirst } from "./local-first.ts";
import { lowestCost } from "./lowest-cost.ts";
import { lowestLatency, lowestTotalLatency } from "./lowest-latency.ts";
import { region } from "./region.ts";
import { roundRobin } from "./round-robin.ts";
import type { Strategy } from "./strategy.ts";
import { weighted } from "./weighted.ts";

export const strategies = Object.freeze({
  "in-order": inOrder,
  "round-robin": roundRobin,
  weighted,
  "least-busy": leastBusy,
  "lowest-latency": lowestLatency,
  "lowest-total-latency": lowestTotalLatency,
  "lowest-cost": lowestCost,
  "local-first": localFirst,
  region,
}) satisfies Readonly<Record<string, Strategy>>;

export type StrategyId = keyof typeof strategies;

export const strategyIds = Object.freeze(Object.keys(strategies)) as readonly [StrategyId, ...StrategyId[]];
