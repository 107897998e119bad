/**
 * `lanthorn stop`: asks the server to stop, else signals its process, and waits until it is gone. Nothing running is a
 * success: a script may call it twice.
 */
import { setTimeout as pause } from "node:timers/promises";
import { type Command, InvalidArgumentError } from "commander";
import { anyAnswer, stateAnswer } from "../answers.ts";
import { answering } from "../box-state.ts";
import { type Client, withClient } from "../client.ts";
import { type CommandContext, examples } from "../command.ts";
import { asCommandFailure, CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { durationText, plural } from "../format.ts";
import { findServer, type ServerAddress } from "../server-address.ts";
import { isServerOfDataFolder, waitUntilGone } from "../server-process.ts";

interface StopFlags {
  readonly now?: true;
  readonly wait: number;
}

/** Longer than the default grace for running answers and the end of the workers after it. */
const defaultWaitS = 60;
/** `--now` gives no grace: a server that is still there after this hangs, and is killed. */
const nowPatienceMs = 10_000;
/** The kernel ends a killed process at once, unless it is stuck in a device. */
const killPatienceMs = 5_000;
/** Between two looks at a server on another machine. */
const remoteGapMs = 200;

export function define(command: Command, context: CommandContext): void {
  examples(command, [
    ["lanthorn stop", "lets running answers finish, within the server's grace"],
    ["lanthorn stop --now", "ends them; kills a server that hangs"],
  ]);
  command
    .option("--now", "end running answers at once")
    .option("--wait <seconds>", "how long to wait for it to be gone", readSeconds, defaultWaitS)
    .action((flags: StopFlags) => stop(flags, context));
}

function readSeconds(text: string): number {
  const seconds = Number(text);
  if (!/^\d{1,6}$/u.test(text)) throw new InvalidArgumentError("A whole number of seconds.");
  return seconds;
}

async function stop(flags: StopFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const address = findServer(context.environment);
  const startMs = performance.now();
  const wasRunning = address !== null && (await askToStop(address, flags.now === true, context));
  if (!wasRunning) {
    output.answer({ stopped: true, wasRunning, pid: null }, () => "No server is running.");
    return;
  }
  context.onInterrupt("The server goes on stopping.");
  const progress = output.progress("Stopping");
  const limitMs = flags.now ? Math.min(nowPatienceMs, flags.wait * 1000) : flags.wait * 1000;
  const onLook = (passedMs: number) => progress.update(`Stopping, ${durationText(passedMs)}`);
  const gone =
    address.pid === null
      ? await waitUntilSilent(address, limitMs, onLook)
      : (await waitUntilGone(address.pid, limitMs, onLook)) ||
        (flags.now === true && (await killServer(address.pid, context)));
  progress.end(null);
  if (!gone) throw await stillThere(address, flags);
  output.answer({ stopped: true, wasRunning: true, pid: address.pid }, () => {
    const process = address.pid === null ? "" : ` (pid ${address.pid})`;
    return `Stopped ${address.url}${process} in ${durationText(performance.now() - startMs)}.`;
  });
}

/**
 * By HTTP, so that it also works from another machine; by signal where that is not possible and the process is ours.
 * False when nothing was running after all.
 */
async function askToStop(address: ServerAddress, now: boolean, context: CommandContext): Promise<boolean> {
  try {
    await withClient(address, (client) =>
      client.call("POST", "/admin/stop", anyAnswer, { body: { now }, signal: AbortSignal.timeout(nowPatienceMs) }),
    );
    return true;
  } catch (thrown) {
    const failure = asCommandFailure(thrown);
    if (address.pid === null || !isServerOfDataFolder(context.environment, address.pid)) {
      // Nobody listens, and no process of ours is left: it ended by itself, or died and left its file behind.
      if (failure.exitCode === exitCodes.noServer) return false;
      throw failure;
    }
    context.output.note(
      `The server does not take the request (${failure.message}); its process ${address.pid} gets SIGTERM.`,
    );
    signal(address.pid, "SIGTERM");
    if (now) signal(address.pid, "SIGTERM");
    return true;
  }
}

/** A process that ends just now is no failure. */
function signal(pid: number, name: "SIGTERM" | "SIGKILL"): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return;
    throw new CommandFailure(exitCodes.failed, "not_allowed", `The process ${pid} may not be signalled`, {
      why: "It belongs to another user.",
      next: ["sudo lanthorn stop"],
      cause: error,
    });
  }
}

async function killServer(pid: number, context: CommandContext): Promise<boolean> {
  if (!isServerOfDataFolder(context.environment, pid)) return false;
  context.output.note(
    `It does not react; its process ${pid} is killed. Open requests will be closed as interrupted at the next start.`,
  );
  signal(pid, "SIGKILL");
  return waitUntilGone(pid, killPatienceMs, () => {});
}

async function answers(address: ServerAddress): Promise<boolean> {
  try {
    await withClient(address, (client: Client) => client.call("GET", "/health", anyAnswer));
    return true;
  } catch (thrown) {
    return asCommandFailure(thrown).exitCode !== exitCodes.noServer;
  }
}

async function waitUntilSilent(
  address: ServerAddress,
  limitMs: number,
  onLook: (passedMs: number) => void,
): Promise<boolean> {
  const startMs = performance.now();
  while (await answers(address)) {
    const passedMs = performance.now() - startMs;
    if (passedMs >= limitMs) return false;
    onLook(passedMs);
    await pause(remoteGapMs);
  }
  return true;
}

async function stillThere(address: ServerAddress, flags: StopFlags): Promise<CommandFailure> {
  const why = await withClient(address, async (client) => {
    const count = answering(await client.call("GET", "/admin/state", stateAnswer));
    return count === 0 ? "" : `${plural(count, "answer")} still running; it stops when they are done. `;
  }).catch(() => "");
  return new CommandFailure(exitCodes.failed, "still_stopping", `The server is still there after ${flags.wait} s`, {
    why: `${why}It has been asked and goes on stopping.`,
    next: ["lanthorn stop --now"],
  });
}
