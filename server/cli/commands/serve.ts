/**
 * `lanthorn serve`: reads the flags, hands them to the server, and words what it says when it is ready. The server runs in
 * this very process, so nothing is loaded here but it.
 */
import { userInfo } from "node:os";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type Command, InvalidArgumentError, Option } from "commander";
import type { FlagSetting } from "../../config/load.ts";
import type { ServeRunning } from "../../main.ts";
import { type CommandContext, examples } from "../command.ts";
import { asCommandFailure, CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { readyText, runningText } from "../ready-text.ts";
import { orphanLine } from "../rental/burn-line.ts";

export interface ServeFlags {
  readonly model: readonly string[];
  readonly port?: number;
  readonly host?: string;
  readonly lan?: true;
  readonly tls?: true;
  readonly headless?: true;
  readonly auth?: "auto" | "always";
  readonly firstKeyFile?: string;
  readonly readyJson?: true;
  readonly logLevel?: string;
}

/** Every address of this machine. The LAN means all of its networks: a box with two cards is reached on both. */
const everyAddress = "0.0.0.0";

/** Between two looks at a server that this command did not start. */
const followGapMs = 500;

export function define(command: Command, context: CommandContext): void {
  examples(command, [
    ["lanthorn serve", "this computer only: the demo model and what lies in the data folder's models/"],
    ["lanthorn serve --model ./coder.gguf,alias=coder,context=8192,slots=4", "a model of your own; repeatable"],
    ["lanthorn serve --lan", "everyone on this network, with a key"],
    ["lanthorn serve --lan --tls", "the same, encrypted with a certificate that the box makes"],
    ["lanthorn serve --headless --first-key-file ./admin.key", "nobody at a terminal"],
  ]);
  command
    .option("--model <file[,alias=…,context=…,slots=…]>", "a GGUF file to serve; repeatable", collect, [])
    .option("--port <number>", "port to listen on; 0 picks a free one (LANTHORN_PORT, default 4747)", readPort)
    .option("--host <address>", "address to listen on (LANTHORN_HOST, default 127.0.0.1)")
    .addOption(new Option("--lan", "listen for the whole network; everybody needs a key").conflicts("host"))
    .option("--tls", "encrypt with a certificate that the box makes for itself (tls.mode for your own)")
    .option("--headless", "nobody sits here: a key is needed from this computer too")
    .addOption(new Option("--auth <when>", "always: a key is needed on 127.0.0.1 too").choices(["auto", "always"]))
    .option("--first-key-file <file>", "write the first admin key into this file, readable by you only")
    .option("--ready-json", "print one JSON line when ready, and nothing else on stdout")
    .addOption(
      new Option("--log-level <level>", "least serious line of the log on stderr").choices([
        "debug",
        "info",
        "warn",
        "error",
        "silent",
      ]),
    )
    .action((flags: ServeFlags) => serveUntilStopped(flags, context));
}

function collect(text: string, earlier: readonly string[]): readonly string[] {
  return [...earlier, text];
}

function readPort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/u.test(text) || port > 65_535) throw new InvalidArgumentError("A port is a number from 0 to 65535.");
  return port;
}

async function serveUntilStopped(flags: ServeFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const settings = await settingsOf(flags);
  const { serve } = await import("../../main.ts");
  // A server goes on when the terminal that read its first lines is gone, and ends on its own signals in its own order.
  context.handleSignalsItself();
  const isMachineRead = output.json || flags.readyJson === true;
  let running: ServeRunning | null = null;
  const exitCode = await serve({
    flags: settings,
    environment: context.environment,
    workingFolder: context.workingFolder,
    lan: flags.lan === true,
    firstKeyFile: flags.firstKeyFile === undefined ? null : resolve(context.workingFolder, flags.firstKeyFile),
    terminal: context.canAsk && !isMachineRead,
    onReady: (ready) => {
      const line = readyLine(ready, false);
      process.stdout.write(`${isMachineRead ? line : readyText(ready, tunnelLine(ready.url, context.environment))}\n`);
    },
    onRunning: (server) => {
      running = server;
      process.stdout.write(`${isMachineRead ? readyLine(server, true) : runningText(server)}\n`);
      if (settings.length > 0)
        output.note("It keeps the settings it was started with: lanthorn stop, then serve again.");
    },
    onOrphans: (found) => {
      const line = orphanLine(found);
      if (line !== null) output.note(line);
    },
    onWaiting: () => output.note("Another lanthorn process has this data folder and is not ready yet; waiting for it."),
    onFailure: (failure) => output.fail(asCommandFailure(failure)),
    onStopping: (reason) =>
      output.note(`Stopping: ${reason}. Running answers may finish; once more ends them at once.`),
  });
  context.setExitCode(exitCode);
  if (running !== null && flags.readyJson) await follow(running);
}

/** What programs read; `attached`: it ran before this command, which did not start it. */
function readyLine({ url, pid, fingerprint }: ServeRunning, attached: boolean): string {
  return JSON.stringify({
    type: "ready",
    url,
    pid,
    ...(fingerprint === null ? {} : { fingerprint }),
    ...(attached ? { attached } : {}),
  });
}

/**
 * A program that asked for `--ready-json` watches this process and takes its end for the server's: so it lasts as long as
 * the server does, or until that program is gone or ends it. The server is not ours to stop.
 */
async function follow({ pid }: ServeRunning): Promise<void> {
  const { isProcessAlive } = await import("../../platform/running-server.ts");
  const left = new AbortController();
  process.once("disconnect", () => left.abort());
  while (!left.signal.aborted && isProcessAlive(pid)) await pause(followGapMs, undefined, { ref: true });
  if (process.connected) process.disconnect?.();
}

/** The flags as settings, later than environment and file. A `--model` that cannot be read is wrong usage: exit 2. */
export async function settingsOf(flags: ServeFlags): Promise<readonly FlagSetting[]> {
  const settings: FlagSetting[] = [];
  const add = (path: string, flag: string, value: unknown) => {
    if (value !== undefined) settings.push({ path, flag, value });
  };
  if (flags.model.length > 0) add("models", "--model", await readModels(flags.model));
  add("port", "--port", flags.port);
  add("host", "--host", flags.host);
  if (flags.lan) add("host", "--lan", everyAddress);
  if (flags.tls) add("tls.mode", "--tls", "self-signed");
  add("headless", "--headless", flags.headless);
  add("auth", "--auth", flags.auth);
  add("log.level", "--log-level", flags.logLevel);
  return settings;
}

/** How to reach a box that listens on itself only, for the person who is logged in to it from elsewhere. */
function tunnelLine(url: string, environment: CommandContext["environment"]): string | null {
  const [, , boxAddress] = environment.SSH_CONNECTION?.split(" ") ?? [];
  const port = new URL(url).port;
  return boxAddress === undefined ? null : `ssh -L ${port}:127.0.0.1:${port} ${userInfo().username}@${boxAddress}`;
}

async function readModels(texts: readonly string[]): Promise<readonly unknown[]> {
  const { parseModelFlag } = await import("../../config/model-flag.ts");
  try {
    return texts.map((text) => parseModelFlag(text));
  } catch (thrown) {
    const { code, message, why, next } = asCommandFailure(thrown);
    throw new CommandFailure(exitCodes.usage, code, message, { why, next });
  }
}
