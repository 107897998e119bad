/**
 * A process that runs one `lanthorn …` after the other, as the bin would: an environment, a folder, streams that are no
 * terminals, an exit code, and an end that comes only when nothing keeps the process alive any more. Started by
 * `run-command.ts`, because a start of Node and the imports are nine tenths of what a command costs. Serves nothing and
 * gets no signals: those are for a process of the command's own.
 */
import { Readable, Writable } from "node:stream";
import { run } from "../../../server/cli/main.ts";

export interface HostedCommand {
  readonly args: readonly string[];
  /** The whole of it. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingFolder: string;
  /** Standard input, to its end. */
  readonly input: string;
}

export interface HostedOutcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Thrown by `process.exit` in place of the end. */
class Ended extends Error {}

function put(name: "stdin" | "stdout" | "stderr", stream: Readable | Writable): void {
  Object.defineProperty(process, name, { value: stream, configurable: true });
}

function collector(parts: string[]): Writable {
  return new Writable({
    decodeStrings: false,
    write(part: string | Uint8Array, _encoding, done) {
      parts.push(typeof part === "string" ? part : Buffer.from(part).toString("utf8"));
      done();
    },
  });
}

/** A process ends when its loop is empty; here that is when nothing is left but the channel to the one that started this. */
async function untilAtRest(): Promise<void> {
  const left = () => process.getActiveResourcesInfo().filter((name) => name !== "Immediate");
  do {
    await new Promise((resolve) => setTimeout(resolve, 1).unref());
    await new Promise((resolve) => setImmediate(resolve));
  } while (left().length > 1);
}

async function carryOut({ args, environment, workingFolder, input }: HostedCommand): Promise<HostedOutcome> {
  const [stdout, stderr]: [string[], string[]] = [[], []];
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, environment);
  process.chdir(workingFolder);
  put("stdin", Readable.from(input === "" ? [] : [Buffer.from(input)]));
  put("stdout", collector(stdout));
  put("stderr", collector(stderr));
  process.exitCode = undefined;
  const outcome = (code: number) => ({ code, stdout: stdout.join(""), stderr: stderr.join("") });
  return new Promise((resolve) => {
    process.exit = (code) => {
      resolve(outcome(Number(code ?? process.exitCode ?? 0)));
      throw new Ended();
    };
    crashed = (thrown) => {
      if (thrown instanceof Ended) return;
      stderr.push(`${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
      resolve(outcome(1));
    };
    run(args)
      .then(untilAtRest)
      .then(() => resolve(outcome(Number(process.exitCode ?? 0))), crashed);
  });
}

let crashed: (thrown: unknown) => void = () => {};
process.on("uncaughtException", (thrown) => crashed(thrown));

process.on("message", async (command: HostedCommand) => {
  const outcome = await carryOut(command);
  for (const signal of ["SIGINT", "SIGTERM"]) process.removeAllListeners(signal);
  process.send?.(outcome);
});
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));
