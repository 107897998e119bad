/**
 * Starts an agent as a person at a terminal would, but with nothing of this machine's: an empty environment, a home of its own, no input.
 * It leads a process group of its own, and whatever of that group is left is killed when the run is over.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { AgentStart, Place } from "./client.ts";

export interface AgentRun {
  readonly code: number | null;
  /** Killed because it did not end in time. */
  readonly timedOut: boolean;
  readonly output: string;
  readonly seconds: number;
}

/** Characters of its output that are kept, from the end. */
const keptCharacters = 20_000;

/** Groups that still run, for the exit handler. */
const groups = new Set<number>();
/** Folders of conversations that are not over. */
const roots = new Set<string>();

export async function runAgent(start: AgentStart, place: Place, limitMs: number): Promise<AgentRun> {
  for (const [path, content] of Object.entries(start.files)) {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  const [program, ...args] = start.command;
  if (program === undefined) throw new Error("no program to start");
  const startedMs = performance.now();
  const child = spawn(program, args, {
    cwd: place.folder,
    env: { ...emptyEnvironment(place.home), ...start.environment },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  let output = "";
  const keep = (text: string): void => {
    output = (output + text).slice(-keptCharacters);
  };
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  child.on("error", (error) => keep(String(error)));
  if (child.pid !== undefined) groups.add(child.pid);
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    killGroup(child.pid);
  }, limitMs);
  try {
    const [code] = await once(child, "exit");
    return {
      code: typeof code === "number" ? code : null,
      timedOut,
      output,
      seconds: (performance.now() - startedMs) / 1000,
    };
  } finally {
    clearTimeout(timer);
    killGroup(child.pid);
  }
}

/** Kills what is left of a group; does nothing when there is nothing. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  groups.delete(pid);
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nothing of it is left.
  }
}

/** For the exit handler, where nothing can be awaited. */
export function killAllAgents(): void {
  for (const pid of groups) killGroup(pid);
  for (const root of roots) rmSync(root, { recursive: true, force: true });
}

/** Folders of one conversation. `remove` takes them away with everything in them. */
export async function newFolders(): Promise<Pick<Place, "home" | "folder"> & { remove(): Promise<void> }> {
  const root = await mkdtemp(join(tmpdir(), "lanthorn-client-"));
  roots.add(root);
  const [home, folder] = [join(root, "home"), join(root, "work")];
  for (const path of [home, folder, join(home, "tmp")]) await mkdir(path, { recursive: true });
  const remove = async (): Promise<void> => {
    await rm(root, { recursive: true, force: true, maxRetries: 5 });
    roots.delete(root);
  };
  return { home, folder, remove };
}

function emptyEnvironment(home: string): Record<string, string> {
  return {
    PATH: ["/usr/local/bin", "/usr/bin", "/bin"].join(":"),
    HOME: home,
    USERPROFILE: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local", "share"),
    XDG_STATE_HOME: join(home, ".local", "state"),
    XDG_CACHE_HOME: join(home, ".cache"),
    TMPDIR: join(home, "tmp"),
    LANG: "C.UTF-8",
    TERM: "dumb",
    NO_COLOR: "1",
    CI: "1",
  };
}
