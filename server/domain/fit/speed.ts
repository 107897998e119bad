/**
 * How a model will feel, from the bytes that one token reads and the memory they lie in. Pure. A class, not a promise: what
 * the memory of a machine really gives is measured by `lanthorn bench`.
 */
import type { Machine } from "./machine.ts";
import type { ModelShape } from "./shape.ts";
import type { SpeedClass } from "./verdict.ts";

/** Bytes per second of memories as they are common: graphics memory, Apple's shared one, two channels of DDR. */
const bandwidth = Object.freeze({ gpu: 600e9, unified: 250e9, ram: 45e9 });
/** Of that, what generation reaches. */
const reached = 0.7;

/** Tokens per second from which a class begins; below the last it is `slow`. A person reads about 8. */
export const speedBounds: readonly (readonly [SpeedClass, number])[] = [
  ["instant", 60],
  ["fast", 20],
  ["usable", 7],
];

/** `gpuWeights`: bytes of the weights that lie on GPUs. */
export function speedOf(shape: ModelShape, machine: Machine, gpuWeights: number): SpeedClass {
  if (shape.weightBytes === 0) return "instant";
  const active = shape.weightBytes * shape.activeShare;
  const gpuShare = Math.min(1, gpuWeights / Math.max(1, shape.weightBytes - shape.inputBytes));
  const shared = machine.wideMemory === true ? bandwidth.unified : bandwidth.ram;
  const perSecond = machine.unifiedMemory ? shared : bandwidth.gpu;
  const seconds = (active * gpuShare) / (perSecond * reached) + (active * (1 - gpuShare)) / (bandwidth.ram * reached);
  const rate = seconds === 0 ? Number.POSITIVE_INFINITY : 1 / seconds;
  return speedBounds.find(([, least]) => rate >= least)?.[0] ?? "slow";
}
