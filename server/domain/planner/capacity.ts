/**
 * How many GPUs a number of users needs. Pure. The load is what is generated at the busiest time of the day; a GPU gives so many
 * tokens a second, to all that it answers together.
 */
import { type Demand, monthOf } from "./demand.ts";
import { ceilingOf, compare, floorOf, numberOf, one, over, plus, type Ratio, ratio, times, zero } from "./ratio.ts";

export interface Capacity {
  /** Hours of the day in which the queries come. */
  readonly activeHoursPerDay: number;
  /** The busiest moment over the average of those hours. */
  readonly peakFactor: number;
  /** Generated tokens a second of one GPU, over all streams. */
  readonly decodePerSecond: number;
  /** Prompt tokens a second of one GPU; null: not known, and the time for prompts is left out. */
  readonly prefillPerSecond: number | null;
}

const secondsPerHour = 3600;

/** GPU-seconds that one query takes. */
export function secondsPerQuery(demand: Demand, capacity: Capacity): Ratio {
  const decode = ratio(demand.completionTokens, capacity.decodePerSecond);
  const prefill = capacity.prefillPerSecond === null ? zero : ratio(demand.promptTokens, capacity.prefillPerSecond);
  return plus(decode, prefill);
}

/** GPUs that are busy at the peak, as a fraction. `share`: the part of the queries that they answer. */
export function peakLoad(demand: Demand, capacity: Capacity, share: Ratio = one): Ratio {
  const { computedQueries } = monthOf(demand);
  const perDay = over(computedQueries, ratio(demand.daysPerMonth));
  const perSecond = over(perDay, times(ratio(capacity.activeHoursPerDay), ratio(secondsPerHour)));
  return times(perSecond, share, ratio(capacity.peakFactor), secondsPerQuery(demand, capacity));
}

/** Whole GPUs; at least one. */
export function gpusFor(demand: Demand, capacity: Capacity, share: Ratio = one): number {
  return Math.max(1, Number(ceilingOf(peakLoad(demand, capacity, share))));
}

/** Users that so many GPUs can serve at the peak. Null: without bound, as when they ask nothing. */
export function usersFor(gpus: number, demand: Demand, capacity: Capacity): number | null {
  const perUser = peakLoad({ ...demand, users: 1 }, capacity);
  return compare(perUser, zero) === 0 ? null : Number(floorOf(over(ratio(gpus), perUser)));
}

/** Hours of a day in which one of so many GPUs computes, 24 at most. */
export function busyHoursPerDay(demand: Demand, capacity: Capacity, gpus: number): number {
  const average = over(peakLoad(demand, capacity), ratio(capacity.peakFactor));
  return Math.min(24, numberOf(times(average, ratio(capacity.activeHoursPerDay), ratio(1, gpus))));
}

/** A list of steps as papers have them: `[150, 2]` is two GPUs up to 150 users. Past its end: null. */
export type GpuSteps = readonly (readonly [upToUsers: number, gpus: number])[];

export function gpusBySteps(users: number, steps: GpuSteps): number | null {
  return steps.find(([upTo]) => users <= upTo)?.[1] ?? null;
}

/** GPUs of a kind that a model of so many bytes needs beside each other, before any load. */
export function gpusToHold(modelBytes: number, gpuBytes: number): number {
  return Math.ceil(modelBytes / gpuBytes);
}

/** Bytes of the weights of so many parameters at so many bits each. */
export function weightBytes(parameters: number, bitsEach: number): number {
  return (parameters * bitsEach) / 8;
}
