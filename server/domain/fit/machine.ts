/** What a fit asks of a machine: the few numbers of `HardwareView` that decide. Pure types. */

export interface MachineGpu {
  readonly name: string;
  readonly totalBytes: number;
  /** What nobody uses now. Equal to the total where only that is known. */
  readonly freeBytes: number;
}

export interface Machine {
  /** Those that the engine can compute on; none: everything runs on the CPU. */
  readonly gpus: readonly MachineGpu[];
  /** The GPU's memory is the machine's (Apple silicon): what one takes the other lacks. */
  readonly unifiedMemory: boolean;
  /** That memory is built for it, as on Apple silicon; absent or false: a GPU in the processor reads ordinary memory. */
  readonly wideMemory?: boolean;
  readonly memoryTotalBytes: number;
  readonly memoryFreeBytes: number;
  /** `engine.memoryLimit`: most bytes that all models together may take; null: what the machine has. */
  readonly limitBytes: number | null;
}
