/**
 * How many GPUs a number of users needs. Pure. The load is what is generated at the busiest time of the day; a GPU gives so many
 * tokens a second, to all that it answers together.
 */
import { type Demand, monthOf } from "./demand.ts";
import {
  ceilingOf,
  compare,
  floorOf,
  numberOf,
  one,
  over,
  plus,
  type Ratio,
  ratio,
  roundedTo,
  times,
  zero,
} from "./ratio.ts";

export interface Capacity {
  /** Hours of the day in which the queries come. */
  readonly activeHoursPerDay: number;
  /** The busiest moment over the average of those hours. */
  readonly peakFactor: number;
  /** Generated tokens a second of one GPU, over all streams. */
  readonly decodePerSecond: number;
  /** Prompt tokens a second of one GPU; null: not known, and the time for prompts is left out. */
  readonly prefillPerSecond: number | null;
  /** GPUs that hold the model together: they are taken by this many. */
  readonly group: number;
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

/** Whole GPUs, by groups; at least one group. */
export function gpusFor(demand: Demand, capacity: Capacity, share: Ratio = one): number {
  const groups = ceilingOf(over(peakLoad(demand, capacity, share), ratio(capacity.group)));
  return Math.max(1, Number(groups)) * capacity.group;
}

/** Users that so many GPUs can serve at the peak; those that make up no group count nothing. Null: without bound, they ask nothing. */
export function usersFor(gpus: number, demand: Demand, capacity: Capacity): number | null {
  const perUser = peakLoad({ ...demand, users: 1 }, capacity);
  const usable = Math.floor(gpus / capacity.group) * capacity.group;
  if (compare(perUser, zero) === 0) return usable === 0 ? 0 : null;
  return Number(floorOf(over(ratio(usable), perUser)));
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

/** Of a GPU's memory, what weights may take: the rest is for contexts and work. */
export const weightShare = 0.9;

/** GPUs of a kind that a model of so many bytes needs beside each other, before any load. */
export function gpusToHold(modelBytes: number, gpuBytes: number): number {
  return Math.max(1, Number(ceilingOf(over(ratio(modelBytes), times(ratio(gpuBytes), ratio(weightShare))))));
}

/** Bytes of the weights of so many parameters at so many bits each. */
export function weightBytes(parameters: number, bitsEach: number): number {
  return (parameters * bitsEach) / 8;
}

export interface Speed {
  readonly perSecond: number;
  /** Of the GPU it was seen on. */
  readonly gigabytesPerSecond: number;
  readonly weightBytes: number;
}

/** The same on another GPU or with another model: each token reads all weights once, so memory sets the pace. To a tenth. */
export function scaledSpeed(seen: Speed, gigabytesPerSecond: number, bytes: number): number {
  const factor = times(ratio(gigabytesPerSecond, seen.gigabytesPerSecond), ratio(seen.weightBytes, bytes));
  return Math.max(0.1, numberOf(roundedTo(times(ratio(seen.perSecond), factor), ratio(1, 10))));
}
