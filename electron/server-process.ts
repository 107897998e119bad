/**
 * The server's command and its process: the very command that systemd and Docker start, under the Node that came with it.
 * Runs in Electron's main process; must not import "electron" nor the server.
 */
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import envPaths from "env-paths";
import type { ServerProcess } from "./shell.ts";

export interface ServerCommand {
  readonly node: string;
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  /** Data folder: said to the server as well, so that both mean the same. */
  readonly home: string;
}

const bin = join("build", "lanthorn.js");

/** The folder with the server's files: at `start` or above it. Throws a sentence where there is none. */
export function serverRoot(start: string): string {
  for (let folder = resolve(start); ; folder = dirname(folder)) {
    if (existsSync(join(folder, bin))) return folder;
    if (dirname(folder) === folder) throw new Error("The files of the Lanthorn server are missing. Install it again.");
  }
}

export function serverCommand(root: string, environment: NodeJS.ProcessEnv): ServerCommand {
  const name = process.platform === "win32" ? "node.exe" : "node";
  // A package carries its own Node; a checkout has the one that npm brought. `build/lanthorn.js` looks in the same order.
  const places = [join(root, "node", "bin", name), join(root, "node_modules", "node", "bin", name)];
  const node = places.find((place) => existsSync(place));
  if (node === undefined) throw new Error("The Node that belongs to Lanthorn is missing. Install Lanthorn again.");
  const asked = environment.LANTHORN_HOME;
  const home = asked ? resolve(asked.replace(/^~(?=$|[\\/])/, homedir())) : envPaths("lanthorn", { suffix: "" }).data;
  return {
    node,
    arguments: [join(root, bin), "serve", "--ready-json"],
    environment: { ...environment, LANTHORN_HOME: home },
    home,
  };
}

/** How much of what it said last is kept, in characters. */
const wordsKept = 4_000;
/** How long its last words may take after its end, in milliseconds: a process of its own may hold the pipe open. */
const lastWordsMs = 500;

export function startServer(command: ServerCommand): ServerProcess {
  const child = spawn(command.node, command.arguments, {
    env: command.environment,
    // The channel carries nothing: when it closes, because the shell is gone however it went, the server stops.
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    windowsHide: true,
  });
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-wordsKept);
    process.stderr.write(text);
  });
  return {
    onLine(listener) {
      if (child.stdout !== null) createInterface({ input: child.stdout }).on("line", listener);
    },
    onExit(listener) {
      let over = false;
      const end = (code: number | null, words: string) => {
        if (!over) listener(code, words);
        over = true;
      };
      child.on("error", () => {
        if (child.pid === undefined) end(78, "The Node that belongs to Lanthorn does not start.");
      });
      // Not "close": Node leaves it out once the channel was closed from here. What it said last may come after "exit".
      child.on("exit", (code) => {
        const done = () => end(code, lastWords(said));
        if (child.stderr === null || child.stderr.closed) return done();
        child.stderr.once("close", done);
        setTimeout(done, lastWordsMs).unref();
      });
    },
    stop() {
      // Closing the channel asks for the same end on every system; Windows has no signal that could be handled.
      if (child.connected) child.disconnect();
      else if (child.pid !== undefined) child.kill("SIGTERM");
    },
    kill() {
      // One that did not start has no number, and Node would send it to whatever lies in its place.
      if (child.pid !== undefined) child.kill("SIGKILL");
    },
  };
}

/** What was said to people, without the log's JSON lines: at most the last four lines. */
export function lastWords(text: string): string {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  return lines
    .filter((line) => line !== "" && !line.startsWith("{"))
    .slice(-4)
    .join("\n");
}
