/** The machines that are written down in `test/fixtures/machines`, by name. */
import { readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { readRecording } from "../../server/hardware/file.ts";
import { type Picture, pictureOf } from "../../server/hardware/merge.ts";
import type { Recording } from "../../server/hardware/recording.ts";
import type { Tools } from "../../server/hardware/run/tools.ts";

const folder = join(import.meta.dirname, "../fixtures/machines");

export const machineNames: readonly string[] = readdirSync(folder)
  .filter((name) => name.endsWith(".json"))
  .map((name) => basename(name, ".json"))
  .sort();

export function machinePath(name: string): string {
  return join(folder, `${name}.json`);
}

export function recordedMachine(name: string): Promise<Recording> {
  return readRecording(machinePath(name));
}

export async function machinePicture(name: string, change: Partial<Recording> = {}): Promise<Picture> {
  return pictureOf({ ...(await recordedMachine(name)), ...change });
}

/** Tools that answer as the machine that is in `now`; a test puts another there and looks again. */
export interface PlayedTools extends Tools {
  now: Recording;
  /** How often each was asked. */
  readonly asked: { nvidiaSmi: number; rocmSmi: number; engine: number; systeminformation: number; node: number };
}

export function playedTools(machine: Recording): PlayedTools {
  const asked = { nvidiaSmi: 0, rocmSmi: 0, engine: 0, systeminformation: 0, node: 0 };
  const tools: PlayedTools = {
    now: machine,
    asked,
    platform: machine.platform,
    arch: machine.arch,
    enginePackages: () => tools.now.enginePackages,
    nvidiaSmi: async () => {
      asked.nvidiaSmi += 1;
      return tools.now.nvidiaSmi ?? { fields: [], answer: { outcome: "missing" } };
    },
    rocmSmi: async () => {
      asked.rocmSmi += 1;
      return tools.now.rocmSmi ?? { outcome: "missing" };
    },
    engine: async () => {
      asked.engine += 1;
      return tools.now.engine ?? { ended: "it was not recorded" };
    },
    systeminformation: async () => {
      asked.systeminformation += 1;
      return tools.now.systeminformation;
    },
    node: async () => {
      asked.node += 1;
      return (
        tools.now.node ?? {
          cpuModel: null,
          threads: null,
          totalMemoryBytes: null,
          freeMemoryBytes: null,
          diskTotalBytes: null,
          diskFreeBytes: null,
        }
      );
    },
  };
  return tools;
}

/** The same machine after its card fell off the bus. */
export function withoutCard(
  machine: Recording,
  text = "GPU is lost.  Reboot the system to recover this GPU",
): Recording {
  const { nvidiaSmi } = machine;
  if (nvidiaSmi === null) throw new Error("no NVIDIA card here");
  const line = `Unable to determine the device handle for GPU 0000:01:00.0: ${text}\n`;
  return {
    ...machine,
    nvidiaSmi: { ...nvidiaSmi, answer: { outcome: "failed", code: 15, text: line } },
    engine: engineOnCpu,
  };
}

export const engineOnCpu: NonNullable<Recording["engine"]> = {
  gpu: null,
  cpuThreads: 4,
  release: "v0.5.0",
  devices: [],
  memory: null,
  olderCuda: null,
};
