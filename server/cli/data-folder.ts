/**
 * The ledger of the data folder while no server runs, behind the single-writer lock. Runs in the command's process. Loaded by
 * commands only when there is no server to ask.
 */
import { type Ledger, openLedger } from "../ledger/ledger.ts";
import { systemClock } from "../platform/clock.ts";
import { createLog } from "../platform/log.ts";
import type { DataPaths } from "../platform/paths.ts";
import type { Environment } from "./command.ts";
import { withDataLock } from "./with-data-lock.ts";

/** Gives `work` the ledger of the data folder, made when there is none yet. Throws exit 6 while somebody else holds it. */
export function withLedger<Result>(
  environment: Environment,
  work: (ledger: Ledger, paths: DataPaths) => Promise<Result> | Result,
): Promise<Result> {
  return withDataLock(environment, ["lanthorn", "lanthorn stop"], async (paths) => {
    const ledger = openLedger(paths.ledger, { clock: systemClock, log: createLog({ level: "silent" }) });
    try {
      return await work(ledger, paths);
    } finally {
      await ledger.close();
    }
  });
}
