/** Machines to try a fit on, by what people call them. Free is what a desktop leaves. */
import type { Machine } from "../../server/domain/fit/machine.ts";

const gib = 1024 ** 3;

function withGpus(ramGib: number, ...gpuGib: readonly number[]): Machine {
  return {
    gpus: gpuGib.map((size) => ({ name: `${size} GB`, totalBytes: size * gib, freeBytes: (size - 0.4) * gib })),
    unifiedMemory: false,
    memoryTotalBytes: ramGib * gib,
    memoryFreeBytes: (ramGib - 3) * gib,
    limitBytes: null,
  };
}

function apple(ramGib: number): Machine {
  const freeBytes = ramGib * 0.72 * gib;
  return {
    gpus: [{ name: "M-series", totalBytes: freeBytes, freeBytes }],
    unifiedMemory: true,
    wideMemory: true,
    memoryTotalBytes: ramGib * gib,
    memoryFreeBytes: (ramGib - 4) * gib,
    limitBytes: null,
  };
}

export const machines = Object.freeze({
  "CPU, 8 GB": withGpus(8),
  "CPU, 16 GB": withGpus(16),
  "CPU, 64 GB": withGpus(64),
  "8 GB": withGpus(32, 8),
  "12 GB": withGpus(32, 12),
  "16 GB": withGpus(32, 16),
  "24 GB": withGpus(64, 24),
  "2x24 GB": withGpus(128, 24, 24),
  "48 GB": withGpus(64, 48),
  "80 GB": withGpus(256, 80),
  "M, 16 GB": apple(16),
  "M, 36 GB": apple(36),
  "M, 96 GB": apple(96),
}) satisfies Readonly<Record<string, Machine>>;

export type MachineName = keyof typeof machines;
