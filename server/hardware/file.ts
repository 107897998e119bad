/** A machine written down in a file, for `--hardware`: what its tools printed, read as if they had been asked here. */
import type { HardwareView } from "../domain/hardware.ts";
import { Failure } from "../domain/failure.ts";

/** Throws Failure `invalid_request` when the file is not there or no such description. */
export async function readHardwareFile(path: string): Promise<HardwareView> {
  throw new Failure("invalid_request", `${path} cannot be read yet.`);
}
