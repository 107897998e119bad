/** `lanthorn route calibrate <alias> --file <tasks>`: from which confidence on the drafts of a cascade are good enough. */
import { type Command, InvalidArgumentError } from "commander";
import { type Aim, bestThreshold, type Sample } from "../../domain/proof/threshold.ts";
import { type Client, withServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { factLines } from "../table.ts";
import { askAnswer, routesAnswer } from "./answers.ts";
import { judged, readTasks, type Task, wrongUse } from "./tasks.ts";
import { share } from "../number-option.ts";

interface CalibrateFlags {
  readonly file: string;
  readonly precision?: number;
  readonly escalationCosts?: number;
  readonly wrongCosts?: number;
  readonly write?: true;
}

export const calibrateExamples = [
  ["lanthorn route calibrate ask --file known.jsonl", "drafts that are right 95 times of 100"],
  ["lanthorn route calibrate ask --file known.jsonl --precision 0.99 --write", "stricter, and into lanthorn.yaml"],
  [
    "lanthorn route calibrate ask --file known.jsonl --escalation-costs 0.01 --wrong-costs 0.2",
    "whatever costs least, a wrong answer being worth 20 cents",
  ],
] as const;

/** Where nothing is said. */
const usualPrecision = 0.95;

export function defineCalibrate(command: Command, context: CommandContext): void {
  command
    .command("calibrate <alias>")
    .description("find the confidence from which a cascade's drafts are given")
    .requiredOption("--file <file>", 'lines of {"prompt": …, "expected": …}, or with a "check" as in route eval')
    .option("--precision <share>", "part of the given drafts that must be right, 0 to 1", share)
    .option("--escalation-costs <number>", "what asking the next group costs", amount)
    .option("--wrong-costs <number>", "what a wrong answer costs, in the same unit", amount)
    .option("--write", "keep the threshold in lanthorn.yaml")
    .action((alias: string, flags: CalibrateFlags) => calibrate(alias, flags, context));
}

function amount(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !(number >= 0 && Number.isFinite(number)))
    throw new InvalidArgumentError("A number from 0 on.");
  return number;
}

async function calibrate(alias: string, flags: CalibrateFlags, context: CommandContext): Promise<void> {
  const aim = aimOf(flags);
  const tasks = readTasks(flags.file, context);
  const { target, samples, costNanos } = await withServer(context.environment, async (client) => {
    const target = await draftingTarget(client, alias, context);
    return { target, ...(await drafts(client, target, tasks, context)) };
  });
  const best = bestThreshold(samples, aim);
  const isWritten = best !== null && flags.write === true;
  const known = samples.filter(({ confidence }) => confidence !== null).length;
  if (isWritten) await write(alias, target, best.threshold, context);
  const answer = {
    ...{ alias, target, tasks: samples.length, withConfidence: known },
    right: samples.filter(({ isRight }) => isRight).length,
    threshold: best?.threshold ?? null,
    acceptedShare: best?.acceptedShare ?? 0,
    precision: best?.precision ?? null,
    costPerRequest: best?.cost ?? null,
    ...{ costNanos, written: isWritten },
  };
  context.output.answer(answer, () =>
    factLines([
      ["Target", target],
      ["Right", `${answer.right} of ${samples.length}; ${known} with a confidence`],
      ["Threshold", best === null ? "none is good enough: no draft should be given" : best.threshold.toFixed(4)],
      ["Given", `${(answer.acceptedShare * 100).toFixed(1)} % of the drafts`],
      ...(best?.precision == null ? [] : [["Precision", `${(best.precision * 100).toFixed(1)} %`] as const]),
      ...(best?.cost == null ? [] : [["Cost", `${best.cost.toPrecision(4)} per request beside the draft`] as const]),
      ["Paid", costNanos === null ? "not known" : `${(costNanos / 1e9).toFixed(6)} USD for the drafts`],
      ...(isWritten ? [["Written", "into lanthorn.yaml; it holds from the next start"] as const] : []),
    ]),
  );
}

function aimOf({ precision, escalationCosts, wrongCosts }: CalibrateFlags): Aim {
  if (escalationCosts === undefined && wrongCosts === undefined) return { precision: precision ?? usualPrecision };
  if (precision !== undefined) throw wrongUse("Either --precision, or --escalation-costs and --wrong-costs.");
  if (escalationCosts === undefined || wrongCosts === undefined) {
    throw wrongUse("--escalation-costs and --wrong-costs belong together.");
  }
  return { escalationCosts, wrongCosts };
}

/** The first one of the route's first group: thresholds belong to a model. */
async function draftingTarget(client: Client, alias: string, context: CommandContext): Promise<string> {
  const { routes } = await client.call("GET", "/admin/routes", routesAnswer, { signal: context.signal });
  const route = routes.find((one) => one.alias === alias);
  if (route === undefined) throw wrongUse(`There is no alias "${alias}" below routes.`);
  if (route.mode !== "cascade") throw wrongUse(`"${alias}" is no cascade; its mode is ${route.mode}.`);
  const target = route.groups[0]?.targets[0]?.target;
  if (target === undefined) throw wrongUse(`The first group of "${alias}" has no targets.`);
  return target;
}

async function drafts(client: Client, target: string, tasks: readonly Task[], context: CommandContext) {
  const samples: Sample[] = [];
  let costNanos: number | null = 0;
  for (const { prompt, system, maxTokens, check } of tasks) {
    const body = { model: target, prompt, system, maxTokens, purpose: "calibrate" };
    const said = await client.call("POST", "/admin/routes/ask", askAnswer, { body, signal: context.signal });
    costNanos = said.costNanos === null || costNanos === null ? null : costNanos + said.costNanos;
    // A cut answer is never given, however sure it is.
    const isWhole = said.failure === null && said.finishReason === "stop";
    samples.push({
      confidence: isWhole ? said.confidence : null,
      isRight: isWhole && (await judged(said.text, check, context)) === null,
    });
  }
  return { samples, costNanos };
}

async function write(alias: string, target: string, threshold: number, { environment }: CommandContext): Promise<void> {
  const [{ writeSetting }, { dataPaths }] = await Promise.all([
    import("../../config/write.ts"),
    import("../../platform/paths.ts"),
  ]);
  const rounded = Math.round(threshold * 1e4) / 1e4;
  writeSetting(dataPaths(environment).config, ["routes", alias, "cascade", "calibration", target], rounded);
}
