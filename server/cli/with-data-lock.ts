/**
 * Work on the data folder while no server runs: makes it where there is none yet, and holds its single-writer lock meanwhile. Runs
 * in the command's process.
 */
import { takeDataLock } from "../platform/data-lock.ts";
import { createDataFolder, type DataPaths, dataPaths } from "../platform/paths.ts";
import type { Environment } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";

/** Another command holds the lock for milliseconds, a server that is just starting or stopping for longer. */
const lockWaitMs = 3_000;

/** `next`: what to try while somebody else holds it. Throws exit 6 then. */
export async function withDataLock<Result>(
  environment: Environment,
  next: readonly string[],
  work: (paths: DataPaths) => Promise<Result>,
): Promise<Result> {
  const paths = dataPaths(environment);
  createDataFolder(paths);
  const outcome = takeDataLock(paths, lockWaitMs);
  if (!outcome.taken) {
    throw new CommandFailure(exitCodes.noRoom, "data_folder_in_use", "The data folder is in use", {
      why: "A server is starting or stopping there, or another command works on it.",
      next,
    });
  }
  try {
    return await work(paths);
  } finally {
    outcome.lock.release();
  }
}
