/** The server as a process of this machine: is it there, is it ours, make it go. Runs in the command's process. */
import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { isAlive } from "./server-address.ts";

const run = promisify(execFile);

/** Between two looks at a process that is about to end. */
const lookGapMs = 50;
/** Asking the system about a process takes milliseconds; a machine that swaps takes seconds. */
const psTimeoutMs = 5_000;

/**
 * True when the process with this id was started as a Lanthorn server. A process id is used again after a restart of the
 * machine, so a signal goes only to a process whose command line says it is ours.
 */
export async function isLanthornServer(pid: number): Promise<boolean> {
  return looksLikeServer(await commandLineOf(pid));
}

/** Judged by the command line: our bin, or the files it starts, and `serve`. */
export function looksLikeServer(commandLine: string): boolean {
  return /lanthorn|server[\\/](cli[\\/])?main\.[jt]s/u.test(commandLine) && /(^|\s)serve(\s|$)/u.test(commandLine);
}

async function commandLineOf(pid: number): Promise<string> {
  if (process.platform === "linux") {
    return (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ");
  }
  const [program, args] =
    process.platform === "win32"
      ? ["powershell", ["-NoProfile", "-Command", `(Get-CimInstance Win32_Process -Filter 'ProcessId=${pid}').CommandLine`]]
      : ["ps", ["-o", "command=", "-p", String(pid)]];
  const result = await run(program as string, args as string[], { timeout: psTimeoutMs }).catch(() => ({ stdout: "" }));
  return result.stdout.trim();
}

/** Waits until the process is gone. False when it is still there after `limitMs`. */
export async function waitUntilGone(pid: number, limitMs: number, onLook: (passedMs: number) => void): Promise<boolean> {
  const startMs = performance.now();
  for (;;) {
    if (!isAlive(pid)) return true;
    const passedMs = performance.now() - startMs;
    if (passedMs >= limitMs) return false;
    onLook(passedMs);
    await pause(lookGapMs);
  }
}
