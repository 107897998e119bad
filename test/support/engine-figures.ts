/** What the real engine takes for a model, by its own words, and what the arithmetic said before. */
import { validateGguf } from "../../models/gguf/validate.ts";
import type { EngineMemory } from "../../server/backends/engine/protocol.ts";
import { workerStarter } from "../../server/backends/engine/start-process.ts";
import { type Loaded, WorkerLink } from "../../server/backends/engine/worker-link.ts";
import type { EngineBytes } from "../../server/domain/fit/corrections.ts";
import { fitOf } from "../../server/domain/fit/fit.ts";
import type { Machine } from "../../server/domain/fit/machine.ts";
import type { FitBytes, KvType } from "../../server/domain/fit/verdict.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { silentLog } from "./real-engine.ts";

export interface LoadCase {
  readonly contextLength: number;
  readonly slots: number;
  readonly kv?: KvType;
  /** As in the worker's load message. */
  readonly gpuLayers?: number | null;
}

export interface FigureRow extends Required<Omit<LoadCase, "gpuLayers">> {
  readonly model: string;
  readonly gpu: string;
  readonly estimated: FitBytes;
  readonly measured: EngineMemory;
  /** Of the worker process after the load, with the library and the runtime. Bytes. */
  readonly rssBytes: number;
}

const batchSize = 512;

/** Loads the file in a worker process of its own and ends it. Throws when the engine refuses. */
export async function loadOnce(
  path: string,
  { contextLength, slots, kv = "f16", gpuLayers = null }: LoadCase,
): Promise<{ loaded: Loaded; rssBytes: number }> {
  let onGone: () => void = () => {};
  const gone = new Promise<void>((resolve) => {
    onGone = resolve;
  });
  const link = new WorkerLink(workerStarter(silentLog), systemClock, 120_000, { onDeath: () => onGone() });
  try {
    const loaded = await link.load({
      modelPath: path,
      contextLength,
      slots,
      batchSize,
      threads: 1,
      gpuLayers,
      kvType: kv,
      tokenGapMs: 600,
      kvStore: null,
      pooled: null,
    });
    const state = await link.state(10_000);
    return { loaded, rssBytes: state?.rssBytes ?? 0 };
  } finally {
    link.shutdown(5_000);
    await gone;
  }
}

/** A machine with room for everything, of the kind that the engine ran on. */
function roomyMachine(gpu: string): Machine {
  const bytes = 2 ** 42;
  return {
    gpus: gpu === "cpu" ? [] : [{ name: gpu, totalBytes: bytes, freeBytes: bytes }],
    unifiedMemory: false,
    memoryTotalBytes: bytes,
    memoryFreeBytes: bytes,
    limitBytes: null,
  };
}

/** Estimate, without any correction, beside what the engine says. */
export async function figuresOf(model: string, path: string, one: LoadCase): Promise<FigureRow> {
  const { shape } = await validateGguf(path);
  const { contextLength, slots, kv = "f16" } = one;
  const { loaded, rssBytes } = await loadOnce(path, one);
  if (loaded.memory === null) throw new Error("the engine did not say what it took");
  const verdict = fitOf(shape, roomyMachine(loaded.gpu), { contextLength, slots, kv, batchSize });
  return {
    model,
    contextLength,
    slots,
    kv,
    gpu: loaded.gpu,
    estimated: verdict.bytes,
    measured: loaded.memory,
    rssBytes,
  };
}

/** How far the estimate is off, as a share of what the engine took. */
export function differences({ estimated, measured }: FigureRow): EngineBytes {
  const of = (kind: keyof EngineBytes): number => estimated[kind] / measured[kind] - 1;
  return { weights: of("weights"), kv: of("kv"), compute: of("compute") };
}

const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1);
const percent = (share: number): string => `${share >= 0 ? "+" : ""}${(100 * share).toFixed(2)} %`;

/** As it stands in docs/fit.md. */
export function figuresTable(rows: readonly FigureRow[]): string {
  const lines = rows.map((row) => {
    const off = differences(row);
    const cell = (kind: keyof EngineBytes): string =>
      `${mib(row.estimated[kind])} / ${mib(row.measured[kind])} (${percent(off[kind])})`;
    return `| ${row.model} | ${row.contextLength} | ${row.slots} | ${row.kv} | ${cell("weights")} | ${cell("kv")} | ${cell("compute")} |`;
  });
  return [
    "| model | context | slots | KV | weights, MiB: estimate / engine | KV | compute |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}
