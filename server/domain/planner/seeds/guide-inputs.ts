/** What the deployment guide puts into its own sums, once. Data; pure. */
import { apiCost, costOfGpus, type Hosting } from "../option.ts";
import type { Demand } from "../demand.ts";
import { guidePrices } from "../guide-prices.ts";
import { awsInstances } from "../instances/clouds.ts";
import { type InstanceRow, usualHourNanos } from "../instances/instance.ts";
import { rowsOf } from "../../pricing/book.ts";
import { type Ratio, ratio, times } from "../ratio.ts";
import { ratesFor, type TokenRates } from "../token-cost.ts";

export const usersOfExample = 100;

export function demandFor(users: number): Demand {
  return {
    users,
    queriesPerUserDay: 20,
    daysPerMonth: 30,
    promptTokens: 500,
    completionTokens: 300,
    answersFromCachePercent: 0,
    cachedPromptPercent: 0,
    batchPercent: 0,
  };
}

export function guideRates(model: "gpt-4" | "gpt-3.5-turbo"): TokenRates {
  const row = rowsOf(guidePrices).find((one) => one.model === model);
  if (row === undefined) throw new RangeError(`The guide has no price of ${model}`);
  return ratesFor(row, demandFor(1).promptTokens);
}

/** Lines 335 and 336. */
export const apiFixed = Object.freeze({ surroundingsUsd: 300, operationsUsd: 200 });

export function apiMonth(users: number, model: "gpt-4" | "gpt-3.5-turbo"): Ratio {
  return apiCost(demandFor(users), guideRates(model), apiFixed).total;
}

/** Line 157 and the following. */
export function monthOfMachine(row: InstanceRow | undefined): Ratio {
  if (row === undefined) throw new RangeError("The guide has no such machine");
  return times(ratio(usualHourNanos(row)), ratio(730));
}

/** Lines 325 and 326, on the machine of the guide's own example: a T4 for 550 dollars. */
export const hosting: Hosting = Object.freeze({
  capacity: { activeHoursPerDay: 8, peakFactor: 3, decodePerSecond: 40, prefillPerSecond: null, group: 1 },
  hourNanos: awsInstances.rows.find(({ name }) => name === "g4dn.2xlarge")?.hourNanosLow ?? 0,
  hoursPerMonth: 730,
  reservedPercent: 0,
  operationsUsd: 500,
  operationsPerGpuUsd: 200,
});

export function gpuMonth(gpus: number): Ratio {
  return costOfGpus(gpus, hosting).total;
}
