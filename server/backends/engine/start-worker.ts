/** Starts a real worker process for `worker-link.ts`. Runs in the server process. */
import type { Log } from "../../domain/ports.ts";
import { resolveSibling } from "../../platform/resolve-sibling.ts";
import { spawnWorker } from "../../platform/spawn.ts";
import type { FromWorker } from "./protocol.ts";
import type { StartWorker } from "./worker-link.ts";

/** What the engine's libraries print goes to the log, a line each. */
export function workerStarter(log: Log): StartWorker {
  const modulePath = resolveSibling(import.meta.url, "./worker/main");
  return (handlers) => {
    const child = spawnWorker(modulePath, { onLine: (line) => log.warn({ worker: child.pid, line }, "worker says") });
    let gone = false;
    const exit = (reason: string) => {
      if (gone) return;
      gone = true;
      handlers.onExit(reason);
    };
    child.on("message", (message) => handlers.onMessage(message as FromWorker));
    child.on("error", (error) => exit(`could not be started: ${error.message}`));
    child.on("exit", (code, signal) => exit(signal === null ? `exit code ${code}` : `killed by ${signal}`));
    return {
      pid: child.pid ?? -1,
      send: (message) => {
        if (!child.connected) return false;
        // The callback takes the error of a channel that closes under way; the exit event settles everything.
        child.send(message, () => {});
        return true;
      },
      kill: () => child.kill("SIGKILL"),
    };
  };
}
