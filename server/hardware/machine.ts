/** The few numbers of a hardware view that decide whether a model fits. Pure. */
import type { Machine } from "../domain/fit/machine.ts";
import type { GpuVendor, HardwareView } from "../domain/hardware.ts";

/** What each of the engine's builds computes on. */
export const vendorsOf: Readonly<Record<HardwareView["engine"]["gpu"], readonly GpuVendor[]>> = Object.freeze({
  "cuda-13": ["nvidia"],
  "cuda-12": ["nvidia"],
  vulkan: ["nvidia", "amd", "intel", "other"],
  metal: ["apple"],
  cpu: [],
});

/**
 * A lost GPU, one that the engine does not use and one whose memory nobody reports are left out: nothing may be promised on them. Where only the total is
 * reported, all of it counts as free. `limitBytes` is `engine.memoryLimit`; null: none.
 */
export function machineOf(view: HardwareView, limitBytes: number | null): Machine {
  const usable = view.gpus.filter(
    (gpu) =>
      gpu.state === "present" && vendorsOf[view.engine.gpu].includes(gpu.vendor) && gpu.memoryTotalBytes !== null,
  );
  const memoryTotalBytes = view.memory.totalBytes?.value ?? 0;
  return {
    gpus: usable.map((gpu) => {
      const totalBytes = gpu.memoryTotalBytes?.value ?? 0;
      return { name: gpu.name, totalBytes, freeBytes: gpu.memoryFreeBytes?.value ?? totalBytes };
    }),
    unifiedMemory: usable.length > 0 && usable.every((gpu) => gpu.unifiedMemory),
    wideMemory: usable.length > 0 && usable.every((gpu) => gpu.vendor === "apple"),
    memoryTotalBytes,
    memoryFreeBytes: view.memory.freeBytes?.value ?? memoryTotalBytes,
    limitBytes,
  };
}
