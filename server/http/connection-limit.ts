/**
 * Keeps a server from using up its process's descriptors: past the limit the system would close connections without a
 * word, and the ledger, the workers and the model files would find none left either. Runs in the server.
 */
import type { Server } from "node:net";
import type { Clock, Log } from "../domain/ports.ts";

/** Kept for everything that is no client: ledger, workers, model files, the log. */
const keptDescriptors = 64;
const leastConnections = 16;
/** Turned away again after this long without: worth a new line. */
const quietMs = 60_000;

/** Null: no limit worth one of our own. `descriptors`: the most this process may have open. */
export function mostConnections(descriptors: number | null): number | null {
  return descriptors === null ? null : Math.max(leastConnections, descriptors - keptDescriptors);
}

export interface ConnectionLimitParts {
  readonly descriptors: number | null;
  readonly clock: Clock;
  readonly log: Log;
}

export function limitConnections(server: Server, { descriptors, clock, log }: ConnectionLimitParts): void {
  const most = mostConnections(descriptors);
  if (most === null) return;
  server.maxConnections = most;
  let lastMs = Number.NEGATIVE_INFINITY;
  server.on("drop", () => {
    const nowMs = clock.monotonicMs();
    if (nowMs - lastMs > quietMs) {
      const message = "connections are turned away: as many are open as this process may have descriptors for";
      log.warn({ connections: most, descriptors }, message);
    }
    lastMs = nowMs;
  });
}
