/**
 * Runs the command of an idle box: a program and its arguments, no shell, within a time limit; what it prints goes to the
 * log, bounded. Runs in the server process. It gets the server's environment without anything that is named like a secret.
 */
import { spawn } from "node:child_process";
import type { Clock, Log } from "../domain/ports.ts";
import { environmentWithoutSecrets, readLines, signalTo } from "../platform/spawn.ts";

export interface RunningCommand {
  /** Resolves when it has ended, however it did. Never rejects. */
  readonly ended: Promise<void>;
  stop(): void;
}

/** Long enough to stop a rented machine over a slow line. */
const limitMs = 5 * 60_000;
/** Most lines of its output that are logged. */
const mostLines = 50;
/** Characters of a line that are logged. */
const longestLogged = 500;

export function runCommand(argv: readonly string[], { clock, log }: { clock: Clock; log: Log }): RunningCommand {
  const [program = "", ...args] = argv;
  const child = spawn(program, args, {
    shell: false,
    stdio: ["ignore", "pipe", "pipe"],
    env: environmentWithoutSecrets(process.env),
    windowsHide: true,
  });
  let lines = 0;
  const onLine = (line: string) => {
    lines += 1;
    if (lines <= mostLines) log.info({ line: line.slice(0, longestLogged) }, "idle command says");
  };
  for (const stream of [child.stdout, child.stderr]) readLines(stream, onLine);
  const cancelLimit = clock.after(limitMs, () => {
    log.warn({ program, limitMs }, "idle command takes too long and is ended");
    signalTo(child, "SIGKILL");
  });
  const ended = new Promise<void>((resolve) => {
    child.once("error", (error) => {
      cancelLimit();
      log.error({ program, error: error.message }, "idle command could not be started");
      resolve();
    });
    child.once("close", (code, signal) => {
      cancelLimit();
      const fields = { program, code, signal, lines };
      if (code === 0) log.info(fields, "idle command ended");
      else log.warn(fields, "idle command failed");
      resolve();
    });
  });
  return { ended, stop: () => signalTo(child, "SIGTERM") };
}
