/**
 * `lanthorn models pull`: fetches a model, verified, into the data folder. A bar on a terminal, a line per 5 % elsewhere, a
 * JSON line per look under `--json`. Ctrl-C pauses: what was fetched stays, and the same command goes on.
 */
import { type Command, InvalidArgumentError } from "commander";
import { type DownloadView, troubleEnds, type TroubleEnd } from "../../domain/download.ts";
import type { CommandContext } from "../command.ts";
import { type DownloadDesk, follow, withDownloadDesk } from "../download-desk.ts";
import { barLine, percentOf, stateText } from "../download-text.ts";
import { CommandFailure } from "../errors.ts";
import { type ExitCode, exitCodes } from "../exit-codes.ts";
import { bytesText } from "../format.ts";
import { printable } from "../text.ts";

export const pullExamples = [
  [
    "lanthorn models pull qwen2.5-coder-7b-instruct",
    "a model of the catalog, verified; the same again goes on after a pause",
  ],
  ["lanthorn models pull owner/name:Q4_K_M --alias coder", "any GGUF of the Hub; @revision behind the name pins it"],
  ["lanthorn models pull owner/name/file.gguf --rate 5MB", "one file, at most 5 MB per second"],
] as const;

interface PullFlags {
  readonly acceptLicense?: true;
  readonly alias?: string;
  readonly rate?: number;
}

export function definePull(command: Command, context: CommandContext): void {
  command
    .command("pull <model>")
    .description("download a model and verify it")
    .option("--accept-license", "accept a restricted licence that was shown")
    .option("--alias <name>", "what it is served as")
    .option("--rate <bytes>", "at most so much per second: 500KB, 5MB, 1GB", readRate)
    .action((model: string, flags: PullFlags) => pull(model, flags, context));
}

const units: Readonly<Record<string, number>> = Object.freeze({
  "": 1,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  KI: 2 ** 10,
  MI: 2 ** 20,
  GI: 2 ** 30,
});

export function readRate(text: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?([KMG]I?)?B?(?:\/S)?$/.exec(text.toUpperCase()) ?? [];
  const bytes = Math.round(Number(amount) * (units[unit ?? ""] ?? 0));
  if (!Number.isSafeInteger(bytes) || bytes < 1024) {
    throw new InvalidArgumentError("Such as 500KB, 5MB, 1.5GB; at least 1 KB per second.");
  }
  return bytes;
}

async function pull(model: string, flags: PullFlags, context: CommandContext): Promise<void> {
  const stop = new AbortController();
  const onSignal = () => {
    // Once more: at once, and what was fetched is in the journal all the same.
    if (stop.signal.aborted) process.exit(exitCodes.interrupted);
    stop.abort();
  };
  context.handleSignalsItself();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, onSignal);
  try {
    await withDownloadDesk(context, async (desk) => {
      const begun = await desk.start({
        model,
        acceptLicense: flags.acceptLicense === true,
        alias: flags.alias ?? null,
        rateBytesPerSecond: flags.rate ?? 0,
      });
      const show = display(begun, context);
      const last = await follow(desk, begun, show.look, stop.signal).finally(show.leave);
      await finish(desk, last, stop.signal.aborted, context);
    });
  } finally {
    for (const name of ["SIGINT", "SIGTERM"] as const) process.off(name, onSignal);
  }
}

interface Display {
  look(view: DownloadView): void | Promise<void>;
  leave(): void;
}

function display(first: DownloadView, context: CommandContext): Display {
  const { output, environment } = context;
  const title = `${printable(first.model)} from ${printable(first.repository)}`;
  if (output.json) {
    let shown = "";
    return {
      async look(view) {
        const line = `${JSON.stringify(view)}\n`;
        // A line that says the same as the one before says nothing.
        if (line !== shown) await output.chunk(line);
        shown = line;
      },
      leave: () => {},
    };
  }
  if (process.stderr.isTTY === true && environment.TERM !== "dumb") {
    output.note(title);
    const progress = output.progress("asking the Hub");
    return {
      look: (view) => progress.update(barLine(view, Date.now(), (process.stderr.columns || 80) - 1)),
      leave: () => progress.end(null),
    };
  }
  output.note(title);
  return { look: linesOf(output.note), leave: () => {} };
}

/** Percents between two lines of a download that runs. */
const linePercents = 5;

function linesOf(note: (text: string) => void): (view: DownloadView) => void {
  let shownState = "";
  let shownPercents = -linePercents;
  return (view) => {
    const percents = percentOf(view);
    const isStep = view.state === "downloading" && percents - shownPercents >= linePercents;
    const state = `${view.state} ${view.state === "stalled" ? view.reason : ""}`;
    const isNews =
      state !== shownState && view.state !== "downloading" && view.state !== "done" && view.state !== "failed";
    if (isStep || isNews) note(stateText(view, Date.now()));
    if (isStep) shownPercents = percents - (percents % linePercents);
    shownState = state;
  };
}

const exitCodeOf: Readonly<Record<TroubleEnd, ExitCode>> = Object.freeze({
  upstream: exitCodes.upstream,
  key: exitCodes.key,
  "no-such-thing": exitCodes.noSuchThing,
  "no-room": exitCodes.noRoom,
  usage: exitCodes.usage,
  failed: exitCodes.failed,
});

async function finish(
  desk: DownloadDesk,
  last: DownloadView,
  isStopped: boolean,
  context: CommandContext,
): Promise<void> {
  const isOver = last.state === "done" || last.state === "failed" || last.state === "cancelled";
  const view = isStopped && !isOver ? await desk.act("pause", last.id) : last;
  const again = `lanthorn models pull ${view.model}`;
  if (view.state === "done") {
    const alias = view.alias ?? view.model;
    context.output.note(`${printable(alias)} is ready: every byte fetched, SHA-256 verified.`);
    if ((await desk.isServed(alias)) === false)
      context.output.note("The running server serves it after a restart: lanthorn stop, then lanthorn serve.");
    if (!context.output.json) context.output.answer(view, () => view.files.map((file) => file.fileName).join("\n"));
    return;
  }
  if (view.state === "failed") {
    const { code, message, why, next } = view.trouble ?? { code: "internal", message: view.reason, why: "", next: [] };
    const safe =
      view.doneBytes === 0 ? "" : ` ${bytesText(view.doneBytes)} are safe: the same command goes on from there.`;
    // A newer server may know more codes than this command.
    const end = Object.hasOwn(troubleEnds, code) ? troubleEnds[code] : "failed";
    throw new CommandFailure(exitCodeOf[end], code, message, {
      why: `${why}${safe}`.trim(),
      next: next.length > 0 ? next.map((line) => line.replace("pull <name>", `pull ${view.model}`)) : [again],
    });
  }
  if (view.state === "cancelled") throw new CommandFailure(exitCodes.failed, "cancelled", "The download was cancelled");
  throw new CommandFailure(exitCodes.interrupted, "paused", `Paused at ${percentOf(view)} %`, {
    why: `${bytesText(view.doneBytes)} are safe. The same command goes on from there.`,
    next: [again],
  });
}
