/**
 * `lanthorn route apply <file>`: other routes, taken only when they pass their gate. They are tried out under names nobody else
 * knows, so that no request meets a route that has not passed; until it has, neither the settings nor the routes that answer are
 * touched, whatever ends first: this command, the server or the power.
 */
import type { Command } from "commander";
import { z } from "zod";
import type { Evaluation } from "../../domain/proof/evaluation.ts";
import type { RouteChange } from "../../router/route-desk.ts";
import { type Client, withServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { asCommandFailure, CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural } from "../format.ts";
import { printable } from "../text.ts";
import { type ChangeFile, readChangeFile } from "./change-file.ts";
import { evaluated, evaluationText } from "./eval.ts";
import { lineDiff } from "./line-diff.ts";
import { readTasks, type Task, wrongUse } from "./tasks.ts";
import { seconds, share } from "../number-option.ts";

interface ApplyFlags {
  readonly gate?: string;
  readonly minPassRate?: number;
  readonly timeLimit?: number;
  readonly dryRun?: true;
}

export const applyExamples = [
  ["lanthorn route apply routes.yaml --dry-run", "what would change, and whether it could be used"],
  ["lanthorn route apply routes.yaml --gate tasks.jsonl", "taken only if 90 of 100 answers are right"],
  [
    "lanthorn route apply routes.yaml --gate tasks.jsonl --min-pass-rate 0.97",
    "stricter; the file may name its own gate",
  ],
] as const;

/** Where nothing is said. */
const usualPassRate = 0.9;
const usualTimeLimitSeconds = 120;

export function defineApply(command: Command, context: CommandContext): void {
  command
    .command("apply <file>")
    .description("change routes of the running server and lanthorn.yaml, if they pass their gate")
    .option("--gate <tasks>", "tasks with known answers, as for route eval; paid targets bill them")
    .option("--min-pass-rate <share>", "part of the answers that must be right, 0 to 1; usually 0.9", share)
    .option("--time-limit <seconds>", "an answer that takes longer is wrong; usually 120", seconds)
    .option("--dry-run", "say what would change, and change nothing")
    .action((file: string, flags: ApplyFlags) => apply(file, flags, context));
}

interface Gate {
  readonly tasks: readonly Task[];
  readonly minPassRate: number;
  readonly timeLimitMs: number;
  readonly aliases: readonly string[] | null;
}

function gateOf({ gate }: ChangeFile, flags: ApplyFlags, context: CommandContext): Gate | null {
  const file = flags.gate ?? gate?.tasks;
  if (file === undefined) {
    if (flags.minPassRate === undefined && flags.timeLimit === undefined) return null;
    throw wrongUse("--min-pass-rate and --time-limit belong to a gate: --gate, or the file's own.");
  }
  return {
    tasks: readTasks(file, context),
    minPassRate: flags.minPassRate ?? gate?.minPassRate ?? usualPassRate,
    timeLimitMs: (flags.timeLimit ?? gate?.timeLimitSeconds ?? usualTimeLimitSeconds) * 1_000,
    aliases: gate?.aliases ?? null,
  };
}

const change = z.custom<RouteChange>((value) => typeof value === "object" && value !== null && "alias" in value);
const begunAnswer = z.object({ id: z.string().nullable(), changes: z.array(change) });
const takenAnswer = z.discriminatedUnion("applied", [
  z.object({ applied: z.literal(true) }),
  z.object({ applied: z.literal(false), reason: z.string() }),
]);
const droppedAnswer = z.object({ dropped: z.boolean() });

interface Outcome {
  readonly applied: boolean;
  /** Why it was not; null: it was, or it was only looked at. */
  readonly reason: string | null;
  readonly results: readonly Evaluation[] | null;
}

async function apply(file: string, flags: ApplyFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const wanted = await readChangeFile(file, context);
  const gate = gateOf(wanted, flags, context);
  const dryRun = flags.dryRun === true;
  const { changes, outcome } = await withServer(context.environment, async (client) => {
    const body = { routes: wanted.routes, dryRun };
    const begun = await client.call("POST", "/admin/routes/changes", begunAnswer, { body });
    return { changes: begun.changes, outcome: await decided(client, begun, gate, context) };
  });
  const { applied, reason, results } = outcome;
  const asked = gate === null ? null : { tasks: gate.tasks.length, minPassRate: gate.minPassRate, results };
  const shown = changes.map(({ alias, change: kind, before, after }) => ({ alias, change: kind, before, after }));
  const { stringify } = await import("yaml");
  output.answer({ dryRun, applied, reason, changes: shown, gate: asked }, () =>
    [
      ...changes.flatMap((one) => changeLines(one, stringify)),
      ...(results === null ? [] : ["", evaluationText(results)]),
      "",
      reason === null ? lastWords(applied, changes) : `${output.paint("trouble", "rolled back")}: ${printable(reason)}`,
      ...(reason === null ? [] : ["The routes and lanthorn.yaml are exactly as they were."]),
    ].join("\n"),
  );
  if (reason !== null) context.setExitCode(exitCodes.failed);
}

/** What was begun is taken or dropped; a server that cannot be asked any more has forgotten it. */
async function decided(
  client: Client,
  { id, changes }: z.output<typeof begunAnswer>,
  gate: Gate | null,
  context: CommandContext,
): Promise<Outcome> {
  if (id === null) return { applied: false, reason: null, results: null };
  context.onInterrupt("No route was changed.");
  const at = `/admin/routes/changes/${encodeURIComponent(id)}`;
  let results: readonly Evaluation[] | null = null;
  try {
    if (gate !== null) {
      results = await measured(client, changes, gate, context);
      const reason = reasonAgainst(results, gate);
      if (reason !== null) {
        await client.call("DELETE", at, droppedAnswer);
        return { applied: false, reason, results };
      }
    }
  } catch (thrown) {
    await client.call("DELETE", at, droppedAnswer).catch(() => {});
    const { exitCode, code, message, why, next } = asCommandFailure(thrown);
    const words = [why, "No route was changed."].filter((text) => text !== "").join(" ");
    throw new CommandFailure(exitCode, code, message, { why: words, next, cause: thrown });
  }
  context.onInterrupt(null);
  const taken = await client.call("POST", `${at}/apply`, takenAnswer).catch((cause: unknown) => {
    throw cause instanceof CommandFailure && unheard.has(cause.code) ? notHeard(cause) : cause;
  });
  return taken.applied ? { applied: true, reason: null, results } : { applied: false, reason: taken.reason, results };
}

/** The server may have written before it ended: the file has all of it or nothing, and the next start goes by the file. */
const unheard: ReadonlySet<string> = new Set(["no_server", "cut_off"]);

function notHeard(cause: CommandFailure): CommandFailure {
  const why = `${cause.message}. Either all of the change is in lanthorn.yaml or none of it, and the next start goes by that.`;
  const next = ["lanthorn serve", "lanthorn route list"];
  return new CommandFailure(exitCodes.failed, "not_heard", "It is not known whether the routes were changed", {
    ...{ why, next, cause },
  });
}

async function measured(
  client: Client,
  changes: readonly RouteChange[],
  gate: Gate,
  context: CommandContext,
): Promise<readonly Evaluation[]> {
  const tried = changes.filter(({ alias, trial }) => trial !== null && (gate.aliases?.includes(alias) ?? true));
  const unknown = gate.aliases?.find((alias) => !changes.some((one) => one.alias === alias));
  if (unknown !== undefined) throw wrongUse(`The gate asks "${unknown}", and the file has no such route.`);
  if (tried.length === 0) return [];
  const aliases = new Map(tried.map(({ alias, trial }) => [trial ?? "", alias]));
  const progress = context.output.progress(
    `Asking ${plural(gate.tasks.length, "task")} of ${[...aliases.values()].join(", ")}`,
  );
  try {
    const results = await evaluated(client, gate.tasks, [...aliases.keys()], gate.timeLimitMs, context, (done) =>
      progress.update(`Task ${done} of ${gate.tasks.length}`),
    );
    return results.map((result) => ({ ...result, target: aliases.get(result.target) ?? result.target }));
  } finally {
    progress.end(null);
  }
}

/** Null: all of them pass. */
function reasonAgainst(results: readonly Evaluation[], { minPassRate }: Gate): string | null {
  const failed = results.filter(({ passRate }) => passRate < minPassRate);
  if (failed.length === 0) return null;
  return failed
    .map(({ target, passed, tasks, failures }) => {
      const most = failures[0] === undefined ? "" : `; most often: ${failures[0].why}`;
      return `"${target}" answered ${passed} of ${tasks} right, and ${(minPassRate * 100).toFixed(1)} % are needed${most}`;
    })
    .join(". ");
}

function changeLines({ alias, change: kind, before, after }: RouteChange, stringify: (value: unknown) => string) {
  const text = (value: unknown) => (value === null ? "" : stringify(value));
  const lines = kind === "unchanged" ? [] : lineDiff(text(before), text(after));
  return [`${printable(alias)}: ${kind}`, ...lines.map((line) => `  ${printable(line)}`)];
}

function lastWords(applied: boolean, changes: readonly RouteChange[]): string {
  const count = changes.filter(({ change: kind }) => kind !== "unchanged").length;
  if (count === 0) return "Nothing to change.";
  const routes = plural(count, "route");
  return applied ? `${routes} changed, here and in lanthorn.yaml.` : `${routes} would change. Nothing was changed.`;
}
