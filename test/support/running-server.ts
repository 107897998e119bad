/** The product as people start it: `build/lanthorn.js serve` as a process of its own, in a data folder of its own. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { demoCopy } from "./demo-copy.ts";
import { temporaryFolder } from "./real-engine.ts";

export const bin = join(import.meta.dirname, "../../build/lanthorn.js");

export interface RunningServer {
  readonly url: string;
  readonly pid: number;
  readonly home: string;
  readonly process: ChildProcess;
  /** What it wrote to stderr so far. */
  stderr(): string;
  /** `lanthorn <arguments>` against this server's data folder. */
  command(...argv: readonly string[]): Promise<CommandResult>;
  /** Ends it as a signal does; gives the exit code. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Ends it if it still runs, and removes its data folder. */
  remove(): Promise<void>;
}

export interface CommandResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ServerWishes {
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** An existing data folder; it is then not removed. Else a new one with nothing in it but the demo model. */
  readonly home?: string;
  /** Shell commands that narrow the process first: `ulimit -n 96`. Needs bash. */
  readonly narrowed?: string;
}

/** Waits for the ready line; fails with what the process wrote when it ends first. */
export async function startServer(wishes: ServerWishes = {}): Promise<RunningServer> {
  const folder = wishes.home === undefined ? await temporaryFolder() : null;
  const home = wishes.home ?? folder?.path ?? "";
  if (folder !== null) await demoCopy(join(home, "models"));
  const environment = {
    ...process.env,
    LANTHORN_HOME: home,
    LANTHORN_ENGINE_THREADS: "1",
    LANTHORN_HARDWARE_SAMPLE_MS: "0",
    ...wishes.environment,
  };
  const serve = [bin, "serve", "--port", "0", "--ready-json", ...(wishes.flags ?? [])];
  const [program, ...first] =
    wishes.narrowed === undefined
      ? [process.execPath]
      : ["bash", "-c", `${wishes.narrowed}; exec "$0" "$@"`, process.execPath];
  const child = spawn(program, [...first, ...serve], {
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const url = await readyUrl(child, () => stderr);
  return {
    url,
    pid: child.pid ?? -1,
    home,
    process: child,
    stderr: () => stderr,
    command: (...argv) => run(argv, environment),
    stop: (signal = "SIGTERM") => end(child, signal),
    remove: async () => {
      await end(child, "SIGKILL");
      await folder?.remove();
    },
  };
}

async function readyUrl(child: ChildProcess, stderr: () => string): Promise<string> {
  if (child.stdout === null) throw new Error("no stdout");
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([
    once(lines, "line").then(([text]) => String(text)),
    once(child, "exit").then(([code]) => {
      throw new Error(`the server ended with ${String(code)} before it was ready:\n${stderr()}`);
    }),
  ]);
  const ready: unknown = JSON.parse(line);
  if (typeof ready === "object" && ready !== null && "url" in ready && typeof ready.url === "string") return ready.url;
  throw new Error(`not a ready line: ${line}`);
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    const gone = once(child, "exit");
    child.kill(signal);
    await gone;
  }
  return child.exitCode;
}

/** Runs one command to its end. */
export function run(argv: readonly string[], environment: NodeJS.ProcessEnv): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [bin, ...argv], { env: environment, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    child.on("close", (code) => resolve({ code, stdout, stderr }));
  });
}
