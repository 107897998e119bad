/**
 * What is in this box, as the rooms above and the renderer see it. Pure types. Every figure says who reported it; a figure
 * that nobody reports is null, never zero.
 */

export type FigureSource = "nvidia-smi" | "rocm-smi" | "engine" | "systeminformation" | "node";

/** Null: not reported. */
export type Figure<Value> = { readonly value: Value; readonly source: FigureSource } | null;

export type GpuVendor = "nvidia" | "amd" | "apple" | "intel" | "other";

/**
 * `lost`: it was there and does not answer any more, as after a suspend; it is probed again. `unused`: it is there, and the
 * engine does not list it beside the ones it computes on (hidden by `CUDA_VISIBLE_DEVICES`, or a slow one beside a fast one).
 */
export type GpuState = "present" | "lost" | "unused";

export interface GpuView {
  /** The same for one card as long as it stays in its place: its UUID, else its bus address, else its index. */
  readonly id: string;
  readonly index: number;
  readonly vendor: GpuVendor;
  readonly name: string;
  readonly state: GpuState;
  readonly memoryTotalBytes: Figure<number>;
  readonly memoryFreeBytes: Figure<number>;
  /** It shares the machine's memory instead of having its own. */
  readonly unifiedMemory: boolean;
  readonly driver: Figure<string>;
  /** NVIDIA's, `8.6`. */
  readonly computeCapability: Figure<string>;
  readonly powerDrawWatts: Figure<number>;
  readonly powerLimitWatts: Figure<number>;
  readonly temperatureCelsius: Figure<number>;
  readonly utilisationPercent: Figure<number>;
  readonly pcieGeneration: Figure<number>;
  readonly pcieWidth: Figure<number>;
}

/** Which of the engine's builds computes. */
export type EngineGpu = "cuda-13" | "cuda-12" | "vulkan" | "metal" | "cpu";

export interface HardwareView {
  /** Epoch milliseconds. */
  readonly sampledAtMs: number;
  /** `linux`, `darwin`, `win32`. */
  readonly platform: string;
  readonly gpus: readonly GpuView[];
  readonly cpu: {
    readonly name: Figure<string>;
    readonly physicalCores: Figure<number>;
    readonly threads: Figure<number>;
  };
  readonly memory: { readonly totalBytes: Figure<number>; readonly freeBytes: Figure<number> };
  /** Of the file system that holds the models. */
  readonly disk: { readonly totalBytes: Figure<number>; readonly freeBytes: Figure<number> };
  /** What the engine computes on, and why in one sentence. */
  readonly engine: { readonly gpu: EngineGpu; readonly reason: string };
}
