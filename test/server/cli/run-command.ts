/**
 * Runs `lanthorn …` as a person would: its own data folder, piped streams, nothing of the test's own environment.
 * `startLanthorn` and `lanthornAlone` start a process of the bin. `lanthorn` has the command run in one that is there already
 * (`command-host.ts`), for a tenth of the time; with `full` it starts one as well.
 */
import { type ChildProcess, type ChildProcessWithoutNullStreams, fork, spawn } from "node:child_process";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import { full } from "../../support/full.ts";
import type { HostedCommand, HostedOutcome } from "./command-host.ts";

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
  /** Standard input, to its end; nothing unless given. */
  readonly input?: string;
}

function environmentOf(options: RunOptions): Record<string, string> {
  return { PATH: process.env.PATH ?? "", TZ: "Europe/Berlin", ...options.environment };
}

export function startLanthorn(args: readonly string[], options: RunOptions): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.workingFolder ?? import.meta.dirname,
    env: environmentOf(options),
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), limitMs);
  child.once("exit", () => clearTimeout(timer));
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** One process for this command alone. */
export async function lanthornAlone(args: readonly string[], options: RunOptions): Promise<Outcome> {
  const child = startLanthorn(args, options);
  child.stdin.end(options.input ?? "");
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

export function lanthorn(args: readonly string[], options: RunOptions): Promise<Outcome> {
  // A server takes its process over, and Node's own flags are for a start.
  if (full || args.includes("serve") || "NODE_OPTIONS" in options.environment) return lanthornAlone(args, options);
  return hosted({
    args,
    environment: environmentOf(options),
    workingFolder: options.workingFolder ?? import.meta.dirname,
    input: options.input ?? "",
  });
}

/** Hosts that have nothing to do: as many as there ever were commands at once. They end with this process. */
const idleHosts: ChildProcess[] = [];

const { NODE_COMPILE_CACHE } = process.env;
const compileCache = NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE };

function newHost(): ChildProcess {
  const host = fork(join(import.meta.dirname, "command-host.ts"), {
    execArgv: [],
    env: { ...environmentOf({ environment: {} }), ...compileCache },
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  host.unref();
  host.channel?.unref();
  return host;
}

/** Code null: the host ended under the command, or had to be ended. */
function hosted(command: HostedCommand): Promise<Outcome> {
  const host = idleHosts.pop() ?? newHost();
  const timer = setTimeout(() => host.kill("SIGKILL"), limitMs);
  return new Promise((done) => {
    const gone = () => {
      clearTimeout(timer);
      done({ code: null, stdout: "", stderr: "the process of this command ended" });
    };
    host.once("exit", gone);
    host.once("message", (outcome) => {
      clearTimeout(timer);
      host.off("exit", gone);
      idleHosts.push(host);
      done(outcome as HostedOutcome);
    });
    host.send(command);
  });
}
