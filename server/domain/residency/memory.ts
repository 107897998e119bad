/** How much memory models take and may take: two pools, and what both may take together. Pure. */
import type { Machine } from "../fit/machine.ts";
import type { Footprint } from "../fit/verdict.ts";

/** Most bytes that all loaded models may take. */
export interface Capacity extends Footprint {
  /** Of both pools together: `engine.memoryLimit`, or all there is. */
  readonly totalBytes: number;
}

export const noBytes: Footprint = Object.freeze({ ramBytes: 0, vramBytes: 0 });

export function sumOf(footprints: Iterable<Footprint>): Footprint {
  let ramBytes = 0;
  let vramBytes = 0;
  for (const footprint of footprints) {
    ramBytes += footprint.ramBytes;
    vramBytes += footprint.vramBytes;
  }
  return { ramBytes, vramBytes };
}

export function totalOf({ ramBytes, vramBytes }: Footprint): number {
  return ramBytes + vramBytes;
}

/** True when `wanted` has room beside what is `taken`. */
export function hasRoomFor(wanted: Footprint, taken: Footprint, capacity: Capacity): boolean {
  const sum = sumOf([wanted, taken]);
  return (
    sum.ramBytes <= capacity.ramBytes && sum.vramBytes <= capacity.vramBytes && totalOf(sum) <= capacity.totalBytes
  );
}

/** Part of the machine's memory that is never counted on: the system, the page cache of model files, other programs. */
const keptFreeShare = 0.1;

/** What this machine lets models take. Of a GPU what nobody used when it was looked at counts, of the machine nine tenths. */
export function capacityOf(machine: Machine): Capacity {
  const ramBytes = Math.floor(machine.memoryTotalBytes * (1 - keptFreeShare));
  const ownVramBytes = machine.gpus.reduce((sum, gpu) => sum + gpu.freeBytes, 0);
  // Where both are one memory, what one takes the other lacks: the bound of both together says so.
  const vramBytes = machine.unifiedMemory ? Math.min(ownVramBytes, ramBytes) : ownVramBytes;
  const allBytes = machine.unifiedMemory ? ramBytes : ramBytes + vramBytes;
  return { ramBytes, vramBytes, totalBytes: Math.min(allBytes, machine.limitBytes ?? allBytes) };
}
