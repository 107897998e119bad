/**
 * Starts worker processes of the server: our own modules in a Node of their own, spoken to over its IPC channel. Runs in the
 * server's process and knows nothing of what a worker does. Who starts one also ends it.
 */
import { type ChildProcess, fork } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { dirname } from "node:path";
import type { Readable } from "node:stream";

export interface WorkerOptions {
  readonly args?: readonly string[];
  /** Added to the environment the worker gets. */
  readonly env?: Readonly<Record<string, string>>;
  /** One line the worker, or a library inside it, wrote to stdout or stderr; without its line end, cut at `longestLine`. */
  readonly onLine: (line: string) => void;
}

/**
 * What every worker's Node is started with. V8 lets the young generation of each process grow to 16 MiB a half (48 MiB resident)
 * the first time garbage comes quickly, and never gives it back: a step of 54 MiB per process in the soak of 2026-11-26. A worker's
 * objects live for one step, so that a quarter of it is collected as quickly.
 */
const nodeFlags: readonly string[] = ["--max-semi-space-size=4"];

/** Characters. A library that never ends its line must not fill the server's memory. */
export const longestLine = 8192;

/**
 * Starts `modulePath` (from `resolveSibling`) with `process.execPath`: the Node that runs the server, in a checkout, a package or a
 * test. Messages are plain JSON. The worker sees its channel close (`disconnect`) when the server is gone, however it went.
 */
export function spawnWorker(modulePath: string, options: WorkerOptions): ChildProcess {
  const worker = fork(modulePath, [...(options.args ?? [])], {
    // Flags of the server, an inspector's port above all, are not the worker's.
    execArgv: [...nodeFlags],
    env: workerEnvironment(process.env, { ...compileCache(), ...options.env }),
    stdio: ["ignore", "pipe", "pipe", "ipc"],
  });
  for (const stream of [worker.stdout, worker.stderr]) if (stream) readLines(stream, options.onLine);
  return worker;
}

/**
 * Sends a signal to a program that was started. One that could not be has no number, and until Node has said so its `kill` goes to
 * whatever number lies in its memory (seen in Node 24.21): a stranger's, or 0, which is every process of this one's group.
 */
export function signalTo(child: ChildProcess, name: NodeJS.Signals): void {
  if (child.pid !== undefined) child.kill(name);
}

/** The bin's cache of compiled sources is not handed on by itself. */
function compileCache(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}

/**
 * What a worker's environment is made of. Graphics drivers read settings of their own, so all goes over except Node's flags and
 * anything named like a secret: a worker serves a model and needs no key. One thread in libuv's pool is enough, since the
 * worker reads its one file at load; four idle ones per model would compete with the threads that compute.
 */
export function workerEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...environmentWithoutSecrets(environment), UV_THREADPOOL_SIZE: "1", ...added };
}

/** An environment for other programs: without Node's flags and anything named like a secret. */
export function environmentWithoutSecrets(
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment)) {
    if (value === undefined || name === "NODE_OPTIONS" || /KEY|TOKEN|SECRET|PASSWORD/i.test(name)) continue;
    kept[name] = value;
  }
  return kept;
}

/** Hands on a stream line by line. What comes after the last line end is handed on when the stream closes. */
export function readLines(stream: Readable, onLine: (line: string) => void): void {
  let rest = "";
  stream.setEncoding("utf8");
  stream.on("data", (text: string) => {
    const lines = (rest + text).split(/\r?\n/);
    // Kept one character longer than the limit, so that cutting it is the same as cutting the whole line.
    rest = (lines.pop() ?? "").slice(0, longestLine + 1);
    for (const line of lines) onLine(line.slice(0, longestLine));
  });
  stream.once("close", () => {
    if (rest !== "") onLine(rest.slice(0, longestLine));
  });
}
