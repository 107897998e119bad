/** Looks once at what is in this machine. Takes up to seconds: never called while a request waits. */
import type { HardwareView } from "../domain/hardware.ts";
import { Failure } from "../domain/failure.ts";

export interface ProbeOptions {
  /** Where models lie: the disk whose room counts. */
  readonly modelsFolder: string;
}

export async function probeHardware(options: ProbeOptions): Promise<HardwareView> {
  throw new Failure("internal", `Nothing is known of ${options.modelsFolder} yet.`);
}
