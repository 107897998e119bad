/**
 * Starts the engine's child processes: one worker per loaded model, and the process that prepares prompts. Runs in the
 * server process; what is said to them is in their own protocol files.
 */
import type { Log } from "../../domain/ports.ts";
import { resolveSibling } from "../../platform/resolve-sibling.ts";
import { signalTo, spawnWorker } from "../../platform/spawn.ts";
import type { StartPreparer } from "./preparation/preparer.ts";
import type { StartWorker } from "./worker-link.ts";

/** A child process that speaks JSON messages over Node's channel. */
export interface EngineProcess<To> {
  readonly pid: number;
  /** False once the channel is closed. */
  send(message: To): boolean;
  kill(): void;
}

export type StartProcess<To, From> = (handlers: {
  onMessage(message: From): void;
  /** Exactly once, when the process is gone, with the reason in words ("killed by SIGKILL", "exit code 134"). */
  onExit(reason: string): void;
}) => EngineProcess<To>;

export function workerStarter(log: Log): StartWorker {
  return processStarter(resolveSibling(import.meta.url, "./worker/main"), log);
}

export function preparerStarter(log: Log): StartPreparer {
  return processStarter(resolveSibling(import.meta.url, "./preparation/main"), log);
}

/** What the engine's libraries print goes to the log, a line each. */
function processStarter<To extends object, From>(modulePath: string, log: Log): StartProcess<To, From> {
  return (handlers) => {
    const child = spawnWorker(modulePath, { onLine: (line) => log.warn({ worker: child.pid, line }, "worker says") });
    let gone = false;
    const exit = (reason: string) => {
      if (gone) return;
      gone = true;
      handlers.onExit(reason);
    };
    child.on("message", (message) => handlers.onMessage(message as From));
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
      kill: () => signalTo(child, "SIGKILL"),
    };
  };
}
