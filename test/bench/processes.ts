/**
 * Child processes of a bench: started, waited for, measured through /proc and killed at the end, each of them, whatever
 * happened. Only pids that this process started, and their descendants, are ever signalled.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as delay } from "node:timers/promises";

export interface BenchChild {
  readonly name: string;
  readonly pid: number;
  /** The last lines of its output, for the message of a failed start. */
  lastOutput(): string;
  exited(): boolean;
  /** SIGTERM, ten seconds for the whole tree to end, then SIGKILL for what is left of it. Safe to call twice. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
}

const running = new Set<BenchChild>();
const keptOutputCharacters = 4000;
const stopGraceMs = 10_000;

export function startChild(
  name: string,
  file: string,
  args: readonly string[],
  options: ChildOptions = {},
): BenchChild {
  const child: ChildProcess = spawn(file, [...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: options.env ?? process.env,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  });
  if (child.pid === undefined) {
    child.on("error", () => {});
    throw new Error(`${name}: cannot start ${file}`);
  }
  const pid = child.pid;
  let output = "";
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString("utf8")).slice(-keptOutputCharacters);
  };
  child.stdout?.on("data", keep);
  child.stderr?.on("data", keep);
  const ended = once(child, "exit");
  const exited = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const stop = async (): Promise<void> => {
    running.delete(benchChild);
    if (exited()) return;
    const tree = treeOf(pid).map((member) => ({ pid: member, startedAt: startOf(member) }));
    const left = (): number[] =>
      tree.filter((one) => one.startedAt !== null && startOf(one.pid) === one.startedAt).map((one) => one.pid);
    child.kill("SIGTERM");
    const deadline = performance.now() + stopGraceMs;
    // `npm start` ends before the server that it started.
    while ((!exited() || left().length > 0) && performance.now() < deadline) await delay(20);
    killAll(left());
    if (!exited()) child.kill("SIGKILL");
    await ended;
  };
  const benchChild: BenchChild = { name, pid, lastOutput: () => output, exited, stop };
  running.add(benchChild);
  return benchChild;
}

/** Stops every child that is still running. */
export async function stopAllChildren(): Promise<void> {
  await Promise.all([...running].map((child) => child.stop()));
}

/** For the exit handler, where nothing can be awaited. */
export function killAllChildren(): void {
  for (const child of running) killAll(treeOf(child.pid));
}

/** A port that was free a moment ago on 127.0.0.1. */
export async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no address of a listening socket");
  return address.port;
}

/** Polls `url` every `everyMs` until it answers 200. Throws with the child's last output when it exits or takes too long. */
export async function waitForOk(child: BenchChild, url: string, limitMs: number, everyMs = 20): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (performance.now() < deadline) {
    if (child.exited()) throw new Error(`${child.name} ended before it was ready:\n${child.lastOutput()}`);
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
      await response.arrayBuffer();
      if (response.ok) return;
    } catch {
      // Not listening yet.
    }
    await delay(everyMs);
  }
  throw new Error(`${child.name} was not ready after ${limitMs} ms:\n${child.lastOutput()}`);
}

/** `root` and all its descendants that exist now. Linux; elsewhere only `root`. */
export function treeOf(root: number): number[] {
  const parents = new Map<number, number[]>();
  for (const name of processNames()) {
    const fields = statFields(Number(name));
    if (fields === null) continue;
    const parent = Number(fields[1]);
    parents.set(parent, [...(parents.get(parent) ?? []), Number(name)]);
  }
  const tree: number[] = [];
  const queue = [root];
  for (let pid = queue.shift(); pid !== undefined; pid = queue.shift()) {
    tree.push(pid);
    queue.push(...(parents.get(pid) ?? []));
  }
  return tree;
}

/**
 * Memory of a process tree in bytes: the sum of proportional set sizes, so that a page two of them share counts once.
 * Measure one server at a time: a model file that two servers map would be halved.
 */
export function memoryBytesOf(root: number): number {
  let sum = 0;
  for (const pid of treeOf(root)) {
    const text = readOrNull(`/proc/${pid}/smaps_rollup`);
    const kilobytes = text === null ? null : /^Pss:\s+(\d+) kB/m.exec(text);
    if (kilobytes?.[1] !== undefined) sum += Number(kilobytes[1]) * 1024;
  }
  return sum;
}

/** Processor ticks (user and system) that the living members of a tree have used, their reaped children included. */
export function cpuTicksOf(root: number): number {
  let sum = 0;
  for (const pid of treeOf(root)) {
    const fields = statFields(pid);
    if (fields !== null) for (const index of [11, 12, 13, 14]) sum += Number(fields[index] ?? 0);
  }
  return sum;
}

/** When a process started, in ticks since boot: tells it from a later one with the same pid. Null: gone, or a zombie. */
function startOf(pid: number): string | null {
  const fields = statFields(pid);
  return fields === null || fields[0] === "Z" ? null : (fields[19] ?? null);
}

/** Fields of /proc/<pid>/stat after the command's name: state is [0], parent [1], utime [11] … cstime [14]. */
function statFields(pid: number): string[] | null {
  const text = readOrNull(`/proc/${pid}/stat`);
  return text === null ? null : text.slice(text.lastIndexOf(")") + 2).split(" ");
}

function processNames(): string[] {
  try {
    return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function readOrNull(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null; // The process ended between the listing and the reading.
  }
}

function killAll(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Already gone.
    }
  }
}
