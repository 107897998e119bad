/** `lanthorn route eval <tasks> --targets a,b`: how often each is right, what a right answer costs, how long it takes. */
import { type Command, InvalidArgumentError } from "commander";
import { type Client, withServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { durationText } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { type Evaluation, evaluationOf, type Outcome } from "../../domain/proof/evaluation.ts";
import { askAnswer } from "./answers.ts";
import { judged, readTasks, type Task } from "./tasks.ts";
import { seconds } from "../number-option.ts";

interface EvalFlags {
  readonly targets: readonly string[];
  readonly timeLimit: number;
}

export const evalExamples = [
  ["lanthorn route eval tasks.jsonl --targets ask,engine/qwen", "an alias against a model, task by task"],
  ["lanthorn route eval tasks.jsonl --targets coder --json", "the figures as JSON"],
] as const;

export function defineEval(command: Command, context: CommandContext): void {
  command
    .command("eval <tasks>")
    .description("compare aliases and models on tasks with known answers; paid targets bill them")
    .requiredOption("--targets <names>", "aliases or models, separated by commas", names)
    .option("--time-limit <seconds>", "an answer that takes longer is wrong", seconds, 120)
    .action((file: string, flags: EvalFlags) => evaluate(file, flags, context));
}

function names(text: string): readonly string[] {
  const list = [...new Set(text.split(",").map((name) => name.trim()))].filter((name) => name !== "");
  if (list.length === 0 || list.length > 20) throw new InvalidArgumentError("1 to 20 names.");
  return list;
}

async function evaluate(file: string, { targets, timeLimit }: EvalFlags, context: CommandContext): Promise<void> {
  const tasks = readTasks(file, context);
  const results = await withServer(context.environment, (client) =>
    evaluated(client, tasks, targets, timeLimit * 1000, context),
  );
  context.output.answer({ tasks: tasks.length, targets: results }, () => evaluationText(results));
}

/** Task by task through all targets, so that a slow hour hits them all alike. */
export async function evaluated(
  client: Client,
  tasks: readonly Task[],
  targets: readonly string[],
  limitMs: number,
  context: CommandContext,
  onTask: (done: number) => void = () => {},
): Promise<readonly Evaluation[]> {
  const outcomes = new Map(targets.map((target) => [target, [] as Outcome[]]));
  for (const [index, task] of tasks.entries()) {
    onTask(index + 1);
    for (const target of targets) outcomes.get(target)?.push(await one(client, task, target, limitMs, context));
  }
  return targets.map((target) => evaluationOf(target, outcomes.get(target) ?? []));
}

async function one(
  client: Client,
  task: Task,
  target: string,
  limitMs: number,
  context: CommandContext,
): Promise<Outcome> {
  const { prompt, system, maxTokens, check } = task;
  const schema = "schema" in check ? check.schema : undefined;
  const body = { model: target, prompt, system, maxTokens, schema, purpose: "eval" };
  const limit = AbortSignal.timeout(limitMs);
  try {
    const signal = AbortSignal.any([context.signal, limit]);
    const said = await client.call("POST", "/admin/routes/ask", askAnswer, { body, signal });
    const { durationMs, costNanos, knownNanos, failure } = said;
    const why = failure === null ? await judged(said.text, check, context) : failure.code;
    return { why, durationMs, costNanos, knownNanos };
  } catch (thrown) {
    if (context.signal.aborted || !limit.aborted) throw thrown;
    return { why: "too slow", durationMs: limitMs, costNanos: null, knownNanos: 0 };
  }
}

/** A name that nobody serves fails every task as a bad model does, so what went wrong stands below. */
export function evaluationText(results: readonly Evaluation[]): string {
  const wrong = results.flatMap(({ target, failures }) => {
    const most = failures.slice(0, mostReasons).map(({ why, count }) => `${count} ${why}`);
    return most.length === 0 ? [] : [`${target} failed: ${most.join(", ")}`];
  });
  return [tableText(columns, results), ...(wrong.length === 0 ? [] : ["", ...wrong])].join("\n");
}

const mostReasons = 5;

const percent = (value: number) => `${(value * 100).toFixed(1)} %`;
const time = (ms: number | null) => (ms === null ? "-" : durationText(ms));

const columns: readonly Column<Evaluation>[] = [
  { title: "TARGET", of: ({ target }) => target },
  { title: "PASSED", of: ({ passed, tasks }) => `${passed}/${tasks}`, align: "right" },
  { title: "RATE", of: ({ passRate }) => percent(passRate), align: "right" },
  { title: "95 %", of: ({ interval }) => `${percent(interval.low)} to ${percent(interval.high)}` },
  {
    title: "COST PER SUCCESS",
    of: ({ costPerSuccessNanos }) =>
      costPerSuccessNanos === null ? "not known" : `${(costPerSuccessNanos / 1e9).toFixed(6)} USD`,
    align: "right",
  },
  { title: "P50", of: ({ p50Ms }) => time(p50Ms), align: "right" },
  { title: "P95", of: ({ p95Ms }) => time(p95Ms), align: "right" },
];
