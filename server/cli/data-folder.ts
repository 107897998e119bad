/**
 * Work on the data folder while no server runs: takes the single-writer lock, opens the ledger, and gives both back. Runs in
 * the command's process. Loaded by commands only when there is no server to ask.
 */
import { type Ledger, openLedger } from "../ledger/ledger.ts";
import { systemClock } from "../platform/clock.ts";
import { takeDataLock } from "../platform/data-lock.ts";
import { createLog } from "../platform/log.ts";
import { createDataFolder, type DataPaths, dataPaths } from "../platform/paths.ts";
import type { Environment } from "./command.ts";
import { CommandFailure } from "./errors.ts";
import { exitCodes } from "./exit-codes.ts";

/** Another command holds the lock for milliseconds, a server that is just starting or stopping for longer. */
const lockWaitMs = 3_000;

/** Gives `work` the ledger of the data folder, made when there is none yet. Throws exit 6 while somebody else holds it. */
export async function withLedger<Result>(
  environment: Environment,
  work: (ledger: Ledger, paths: DataPaths) => Promise<Result> | Result,
): Promise<Result> {
  const paths = dataPaths(environment);
  createDataFolder(paths);
  const outcome = takeDataLock(paths, lockWaitMs);
  if (!outcome.taken) {
    throw new CommandFailure(exitCodes.noRoom, "data_folder_in_use", "The data folder is in use", {
      why: "A server is starting or stopping there, or another command works on it.",
      next: ["lanthorn", "lanthorn stop"],
    });
  }
  try {
    const ledger = openLedger(paths.ledger, { clock: systemClock, log: createLog({ level: "silent" }) });
    try {
      return await work(ledger, paths);
    } finally {
      await ledger.close();
    }
  } finally {
    outcome.lock.release();
  }
}
