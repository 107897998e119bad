/** Runs build scripts as a person would, under the Node the test names. Runs in the test's process. */
import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import type { Tree } from "./tree.ts";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  /** Resolves once stdout holds `text`, with all it holds by then; rejects when the program ends before. */
  printed(text: string): Promise<string>;
  /** The first line of stdout. */
  line(): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<Ended>;
}

/** Starts a program without a terminal. */
export function start(command: string, args: readonly string[], env: NodeJS.ProcessEnv = process.env): Running {
  const child = spawn(command, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  const watchers = new Set<() => void>();
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const watcher of watchers) watcher();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const printed = (text: string) =>
    new Promise<string>((resolve, reject) => {
      const watcher = () => {
        if (stdout.includes(text)) resolve(stdout);
      };
      watchers.add(watcher);
      watcher();
      void ended.then(() => reject(new Error(`ended before it printed "${text}": ${stdout}${stderr}`)), reject);
    });
  return {
    printed,
    line: async () => (await printed("\n")).split("\n")[0] ?? "",
    kill: (signal) => child.kill(signal),
    ended,
  };
}

/**
 * Arguments that make the Node running the tests give another version. Only that process believes it: a child it starts is what it is.
 */
export function asNode(tree: Tree, version: string): string[] {
  const file = `pretend-${version}.cjs`;
  tree.write(file, `Object.defineProperty(process.versions, "node", { value: ${JSON.stringify(version)} });\n`);
  return ["--require", join(tree.root, file)];
}

/** A Node on the path that is not the project's own, as a person's system has it. */
export function systemNode(): string | null {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const file = join(folder, process.platform === "win32" ? "node.exe" : "node");
    if (folder.includes("node_modules")) continue;
    try {
      accessSync(file, constants.X_OK);
      return file;
    } catch {
      // Not in this folder.
    }
  }
  return null;
}
