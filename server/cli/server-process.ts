/** The server as a process of this machine: is it there, is it ours, is it gone. Runs in the command's process. */
import { setTimeout as pause } from "node:timers/promises";
import { takeDataLock } from "../platform/data-lock.ts";
import { dataPaths } from "../platform/paths.ts";
import { isProcessAlive } from "../platform/running-server.ts";
import type { Environment } from "./command.ts";

/** Between two looks at a process that is about to end. */
const lookGapMs = 50;

/**
 * True when the process that `server.json` names is the server of this data folder. Process ids are used again, so the file
 * alone is no ground for a signal: only a living server holds the data folder's lock, and the holder wrote the file.
 */
export function isServerOfDataFolder(environment: Environment, pid: number): boolean {
  if (!isProcessAlive(pid)) return false;
  const outcome = takeDataLock(dataPaths(environment));
  if (outcome.taken) outcome.lock.release();
  return !outcome.taken && outcome.holder?.pid === pid;
}

/** Waits until the process is gone. False when it is still there after `limitMs`. */
export async function waitUntilGone(
  pid: number,
  limitMs: number,
  onLook: (passedMs: number) => void,
): Promise<boolean> {
  const startMs = performance.now();
  for (;;) {
    if (!isProcessAlive(pid)) return true;
    const passedMs = performance.now() - startMs;
    if (passedMs >= limitMs) return false;
    onLook(passedMs);
    await pause(lookGapMs);
  }
}
