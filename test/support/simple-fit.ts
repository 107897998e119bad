/** Arithmetic that is plain enough to be believed, in place of the real fit: weights, KV of all slots, a fixed buffer. */
import type { Machine } from "../../server/domain/fit/machine.ts";
import type { ModelShape } from "../../server/domain/fit/shape.ts";
import type { FitVerdict, FitWishes } from "../../server/domain/fit/verdict.ts";

const mib = 1024 ** 2;
const computeBytes = 400 * mib;
const marginBytes = 512 * mib;

/** Bytes that a step reads from the machine's own memory, per token: what decides how it feels. */
const usableBytes = 3 * 1024 ** 3;

export function simpleFit(shape: ModelShape, machine: Machine, wishes: FitWishes): FitVerdict {
  const contextLength = wishes.contextLength ?? 8192;
  const kv = shape.layers.reduce(
    (sum, layer) => sum + (layer.keyWidth + layer.valueWidth) * 2 * contextLength * wishes.slots,
    0,
  );
  const total = shape.weightBytes + kv + computeBytes + marginBytes;
  const limit = machine.limitBytes ?? Number.POSITIVE_INFINITY;
  const ram = Math.min(limit, machine.memoryFreeBytes);
  const onGpus = machine.gpus.reduce((sum, gpu) => sum + gpu.freeBytes, 0);
  const gpu = Math.min(limit, machine.unifiedMemory ? Math.min(onGpus, ram) : onGpus);
  const perLayer = (shape.weightBytes + kv) / shape.layers.length;
  const gpuLayers = Math.min(
    shape.layers.length,
    Math.max(0, Math.floor((gpu - computeBytes - marginBytes) / perLayer)),
  );
  const inRam = total - gpuLayers * perLayer;
  const onGpu = total <= gpu;
  const fitsInRam = !onGpu && inRam <= ram && total <= limit;
  const isSplit = fitsInRam && gpuLayers > 0 && !machine.unifiedMemory;
  const placement = onGpu ? "gpu" : fitsInRam ? (isSplit ? "split" : "cpu") : "none";
  const read = inRam * shape.activeShare;
  return {
    placement,
    gpuLayers: onGpu ? shape.layers.length : isSplit ? gpuLayers : 0,
    totalLayers: shape.layers.length,
    contextLength,
    slots: wishes.slots,
    bytes: { weights: shape.weightBytes, kv, compute: computeBytes, margin: marginBytes, total },
    footprint: { ramBytes: onGpu ? 0 : inRam, vramBytes: onGpu ? total : total - inRam },
    longestContext: contextLength,
    speed: placement === "none" ? null : onGpu ? "fast" : read <= usableBytes ? "usable" : "slow",
    reason: "",
    alternatives: [],
  };
}
