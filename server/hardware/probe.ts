/** Looks once at what is in this machine. Takes up to seconds: never called while a request waits. */
import type { HardwareView } from "../domain/hardware.ts";
import type { Clock } from "../domain/ports.ts";
import { systemClock } from "../platform/clock.ts";
import { collectAll } from "./collect.ts";
import { pictureOf } from "./merge.ts";
import type { Recording } from "./recording.ts";
import { machineTools, type Tools } from "./run/tools.ts";

export interface ProbeOptions {
  /** Where models lie: the disk whose room counts. */
  readonly modelsFolder: string;
  /** Ends the look early, with what is known by then. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
  /** What is asked; this machine's tools when absent. */
  readonly tools?: Tools;
}

export async function probeHardware(options: ProbeOptions): Promise<HardwareView> {
  return pictureOf(await recordMachine(options)).view;
}

/** What the tools said, as it is written into a machine file. */
export function recordMachine(options: ProbeOptions): Promise<Recording> {
  const { modelsFolder, clock = systemClock, signal = new AbortController().signal } = options;
  return collectAll({ modelsFolder, clock, signal, tools: options.tools ?? machineTools(clock) });
}
