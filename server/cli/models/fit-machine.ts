/** The machine a model is fitted to: this one, or one that is written down. Runs in the command's process. */
import { resolve } from "node:path";
import type { Config } from "../../config/schema.ts";
import type { Machine } from "../../domain/fit/machine.ts";
import { readHardwareFile } from "../../hardware/file.ts";
import { machineOf } from "../../hardware/machine.ts";
import { probeHardware } from "../../hardware/probe.ts";
import type { DataPaths } from "../../platform/paths.ts";

export interface MachineQuestion {
  /** `--hardware`; null: this machine. */
  readonly hardware: string | null;
  readonly paths: DataPaths;
  readonly config: Config;
  readonly workingFolder: string;
}

export async function readMachine({ hardware, paths, config, workingFolder }: MachineQuestion): Promise<Machine> {
  const view =
    hardware === null
      ? await probeHardware({ modelsFolder: paths.models })
      : await readHardwareFile(resolve(workingFolder, hardware));
  return machineOf(view, hardware === null ? limitOf(config) : null);
}

/** `engine.memoryLimit` in bytes; null: what the machine has. */
function limitOf({ engine }: Config): number | null {
  return engine.memoryLimit === "auto" ? null : engine.memoryLimit;
}
