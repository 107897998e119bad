/** Runs `lanthorn …` as a person would: a real process of the bin, its own data folder, piped streams. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { resolve } from "node:path";
import { onTestFinished } from "vitest";

const bin = resolve(import.meta.dirname, "../../../build/lanthorn.js");
/** A liveness limit: commands take well under a second on a quiet machine. */
const limitMs = 60_000;

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  /** LANTHORN_HOME and whatever else the command should see; nothing of the test's own environment goes over. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder?: string;
}

export function startLanthorn(args: readonly string[], options: RunOptions): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.workingFolder ?? import.meta.dirname,
    env: { PATH: process.env.PATH ?? "", TZ: "Europe/Berlin", ...options.environment },
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
  child.once("exit", () => clearTimeout(timer));
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

export async function lanthorn(args: readonly string[], options: RunOptions): Promise<Outcome> {
  const child = startLanthorn(args, options);
  child.stdin.end();
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const code = await new Promise<number | null>((done, failed) => {
    child.once("error", failed);
    child.once("close", (status) => done(status));
  });
  return { code, stdout, stderr };
}
