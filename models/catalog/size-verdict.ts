/**
 * A verdict on a model of which only the size is known: cautious, and it says so. Pure. Used where the catalog has no layers and
 * heads, so that the KV cannot be counted.
 */
import type { Machine } from "../../server/domain/fit/machine.ts";
import type { FitVerdict, FitWishes } from "../../server/domain/fit/verdict.ts";

/** For KV and buffers, of which nothing is known: a quarter of the weights for each request at the same time. */
const share = 0.25;
const baseBytes = 512 * 1024 ** 2;
/** A model this small answers quickly on any CPU that is still in use. Bytes. */
const quickOnCpuBytes = 1.5 * 1024 ** 3;

function gib(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`;
}

export function sizeVerdict(weightBytes: number, machine: Machine, wishes: FitWishes): FitVerdict {
  const limit = machine.limitBytes ?? Number.POSITIVE_INFINITY;
  const kv = Math.round(weightBytes * share * wishes.slots);
  const total = weightBytes + kv + baseBytes;
  const gpuBytes = Math.min(
    limit,
    machine.gpus.reduce((sum, gpu) => sum + gpu.freeBytes, 0),
  );
  const ramBytes = Math.min(limit, machine.memoryFreeBytes);
  const onGpu = total <= gpuBytes;
  const onCpu = !onGpu && total <= ramBytes;
  const placement = onGpu ? "gpu" : onCpu ? "cpu" : "none";
  return {
    placement,
    gpuLayers: 0,
    totalLayers: 0,
    contextLength: wishes.contextLength ?? 0,
    slots: wishes.slots,
    bytes: { weights: weightBytes, kv, compute: 0, margin: baseBytes, total },
    footprint: { ramBytes: onCpu ? total : 0, vramBytes: onGpu ? total : 0 },
    longestContext: 0,
    speed: onGpu ? "usable" : onCpu ? (weightBytes <= quickOnCpuBytes ? "usable" : "slow") : null,
    reason: `Only its size is known: ${gib(weightBytes)} of weights, about ${gib(total)} with what it computes in.`,
    alternatives: [],
  };
}
