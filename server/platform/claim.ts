/**
 * Getting hold of a data folder at a start: it is ours, or a server of it runs already, or somebody holds it who is no
 * server. Runs in the server's process before anything else of it.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type DataLock, takeDataLock } from "./data-lock.ts";
import type { DataPaths } from "./paths.ts";
import { isProcessAlive, isReady } from "./running-server.ts";
import type { ServerFile } from "./server-file.ts";

export type Claim =
  | { readonly kind: "ours"; readonly lock: DataLock }
  /** It answered just now. */
  | { readonly kind: "running"; readonly server: ServerFile }
  | { readonly kind: "in-use"; readonly holder: ServerFile | null };

/** A command holds the folder for a moment; a server that starts or drains for longer. */
export const claimLimitMs = 15_000;
const lookGapMs = 100;

export async function claimDataFolder(paths: DataPaths, limitMs = claimLimitMs): Promise<Claim> {
  const startMs = performance.now();
  for (;;) {
    const outcome = takeDataLock(paths);
    if (outcome.taken) return { kind: "ours", lock: outcome.lock };
    const { holder } = outcome;
    // A killed server leaves its file behind, and one that drains answers that it is not ready.
    if (holder !== null && isProcessAlive(holder.pid) && (await isReady(holder)))
      return { kind: "running", server: holder };
    if (performance.now() - startMs >= limitMs) return { kind: "in-use", holder };
    await pause(lookGapMs);
  }
}
