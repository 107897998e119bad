/** `lanthorn route explain <alias>`: the plan that a described request would get now. Nothing is asked for, nothing is used up. */
import { type Command, InvalidArgumentError } from "commander";
import { withServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { usageFailure } from "../errors.ts";
import { momentOf } from "../time-range.ts";
import { explainAnswer } from "./answers.ts";
import { planText } from "./plan-text.ts";
import { share } from "../number-option.ts";

interface ExplainFlags {
  readonly tokens?: number;
  readonly maxTokens?: number;
  readonly tools?: true;
  readonly images?: true;
  readonly jsonSchema?: true;
  readonly header: readonly string[];
  readonly caller?: string;
  readonly budgetLeft?: number;
  readonly at?: string;
}

export const explainExamples = [
  ["lanthorn route explain coder", "where a small request would go now, and why"],
  ["lanthorn route explain coder --tokens 90000 --tools", "a long one with tools"],
  ['lanthorn route explain coder --header "x-lanthorn-data: local" --at 2026-12-24T22:30', "by header and hour"],
] as const;

export function defineExplain(command: Command, context: CommandContext): void {
  command
    .command("explain <alias>")
    .description("where a request would go, and why")
    .option("--tokens <number>", "tokens of its prompt", whole)
    .option("--max-tokens <number>", "most tokens of its answer", whole)
    .option("--tools", "it brings tools")
    .option("--images", "it brings images")
    .option("--json-schema", "its answer must satisfy a schema")
    .option("--header <line>", '"name: value", as a client sends it; repeatable', collect, [])
    .option("--caller <name>", "whose key it comes with")
    .option("--budget-left <share>", "what is left of the caller's budget, 0 to 1", share)
    .option("--at <time>", "when: 2026-11-30 or 2026-11-30T22:15; now when absent")
    .action((alias: string, flags: ExplainFlags) => explain(alias, flags, context));
}

function whole(text: string): number {
  if (!/^\d{1,9}$/u.test(text)) throw new InvalidArgumentError("A whole number.");
  return Number(text);
}

function collect(line: string, before: readonly string[]): readonly string[] {
  return [...before, line];
}

async function explain(alias: string, flags: ExplainFlags, context: CommandContext): Promise<void> {
  const needs = [
    ...(flags.tools ? ["tools"] : []),
    ...(flags.images ? ["images"] : []),
    ...(flags.jsonSchema ? ["json-schema"] : []),
  ];
  const facts = {
    needs,
    ...(flags.tokens === undefined ? {} : { promptTokens: flags.tokens, counted: true }),
    ...(flags.maxTokens === undefined ? {} : { maxTokens: flags.maxTokens }),
    ...(flags.caller === undefined ? {} : { caller: flags.caller }),
    ...(flags.budgetLeft === undefined ? {} : { budgetLeft: flags.budgetLeft }),
    ...(flags.at === undefined ? {} : { atMs: momentOf("--at", flags.at, 0) }),
  };
  const body = { model: alias, facts, headers: headersOf(flags.header) };
  const { plan } = await withServer(context.environment, (client) =>
    client.call("POST", "/admin/routes/explain", explainAnswer, { body }),
  );
  context.output.answer(plan, () => planText(plan));
}

function headersOf(lines: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(":");
      if (colon < 1) {
        throw usageFailure(
          `--header is no header: "${line}"`,
          'A name, a colon, a value: "x-lanthorn-role: reviewer".',
          ['lanthorn route explain coder --header "x-lanthorn-role: reviewer"'],
        );
      }
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
