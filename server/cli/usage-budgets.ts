/** `lanthorn usage budgets …`: what may be spent at providers and how it stands, through the running server. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import { parseBudgetOf } from "../domain/budget/budget.ts";
import { periods } from "../domain/budget/period.ts";
import type { BudgetView } from "../domain/budget/view.ts";
import { type Client, withServer } from "./client.ts";
import type { CommandContext } from "./command.ts";
import { confirm } from "./confirm.ts";
import { nanosText, timeText } from "./format.ts";
import { type Column, tableText } from "./table.ts";
import { printable } from "./text.ts";

export const budgetExamples = [
  ["lanthorn usage budgets list", "every budget: spent, held, left, and when it begins anew"],
  ["lanthorn usage budgets set team --usd 60", "60 dollars a month for everybody together"],
  ["lanthorn usage budgets set each --usd 20 --of 'person:*' --every month", "as much for each person"],
  ["lanthorn usage budgets set watch --usd 5 --of provider:openai --every day --soft", "warns and refuses nothing"],
  ["lanthorn usage budgets rm watch", "takes it out of the settings"],
] as const;

interface SetFlags {
  readonly usd: string;
  readonly of: string;
  readonly every: (typeof periods)[number];
  readonly soft?: true;
  readonly warnAt?: number;
}

export function defineBudgets(command: Command, context: CommandContext): void {
  const budgets = command.command("budgets").description("what may be spent at providers, and how it stands");
  budgets
    .command("list", { isDefault: true })
    .description("every budget: spent, held, left, and when it begins anew")
    .action(() => list(context));
  budgets
    .command("set <name>")
    .description("a new budget, or another figure for one; holds from the next request on")
    .requiredOption("--usd <amount>", "US dollars: 20 or 0.25", readUsd)
    .option("--of <whom>", "all, key:3, person:jonas, alias:coder, provider:openai; * for each of them", readOf, "all")
    .addOption(new Option("--every <period>", "when it begins anew").choices(periods).default("month"))
    .option("--soft", "warn only")
    .option("--warn-at <share>", "from which share on it warns, 0 to 1", readShare)
    .action((name: string, flags: SetFlags) => set(name, flags, context));
  budgets
    .command("rm <name>")
    .description("end a budget")
    .option("--yes", "do not ask")
    .action((name: string, flags: { readonly yes?: true }) => remove(name, flags.yes === true, context));
}

function readUsd(text: string): string {
  if (!/^\d{1,6}(\.\d{1,6})?$/.test(text)) throw new InvalidArgumentError("US dollars, such as 20 or 0.25.");
  return text;
}

function readOf(text: string): string {
  if (parseBudgetOf(text) === null)
    throw new InvalidArgumentError("all, or such as person:jonas, key:3, alias:coder, provider:openai.");
  return text;
}

function readShare(text: string): number {
  const share = Number(text);
  if (!/^\d?(\.\d{1,4})?$/.test(text) || text === "" || share > 1) throw new InvalidArgumentError("From 0 to 1: 0.8.");
  return share;
}

const budgetAnswer = z.object({
  name: z.string(),
  of: z.string(),
  subject: z.string(),
  every: z.enum(periods),
  hard: z.boolean(),
  state: z.enum(["ok", "near", "over"]),
  limitNanos: z.number(),
  spentNanos: z.number(),
  heldNanos: z.number(),
  leftNanos: z.number(),
  overrunNanos: z.number(),
  fromMs: z.number(),
  resetsAtMs: z.number(),
  zone: z.string(),
}) satisfies z.ZodType<BudgetView>;
const listAnswer = z.object({ heldNanos: z.number(), budgets: z.array(budgetAnswer) });
const setAnswer = z.object({ budgets: z.array(budgetAnswer) });

function atServer<Result>(context: CommandContext, work: (client: Client) => Promise<Result>): Promise<Result> {
  return withServer(context.environment, work);
}

async function list(context: CommandContext): Promise<void> {
  const found = await atServer(context, (client) => client.call("GET", "/admin/budgets", listAnswer));
  context.output.answer(found, () => budgetsText(found.budgets));
}

async function set(name: string, flags: SetFlags, context: CommandContext): Promise<void> {
  const { usd, of, every, soft, warnAt } = flags;
  const body = { name, usd, of, every, hard: soft !== true, ...(warnAt === undefined ? {} : { warnAt }) };
  const { budgets } = await atServer(context, (client) => client.call("POST", "/admin/budgets", setAnswer, { body }));
  context.output.answer(budgets, () => budgetsText(budgets));
  const then = soft === true ? "paid requests are warned about" : "paid requests are refused (402) until then";
  const [first] = budgets;
  if (first !== undefined)
    context.output.note(`At ${nanosText(first.limitNanos)} ${then}, ${resetText(first)}. Local models go on.`);
}

async function remove(name: string, yes: boolean, context: CommandContext): Promise<void> {
  await confirm({
    text: `End the budget ${printable(name)}? What it kept back may be spent then.`,
    yes,
    canAsk: context.canAsk,
    command: `lanthorn usage budgets rm ${name} --yes`,
  });
  const shape = z.object({ removed: z.string() });
  const path = `/admin/budgets/${encodeURIComponent(name)}`;
  const removed = await atServer(context, (client) => client.call("DELETE", path, shape));
  context.output.answer(removed, () => `The budget ${printable(name)} has ended.`);
}

const columns: readonly Column<BudgetView>[] = [
  { title: "NAME", of: ({ name }) => name },
  { title: "FOR", of: ({ of, subject }) => printable(of.endsWith("*") ? of.replace("*", subject) : of) },
  { title: "EVERY", of: ({ every }) => every },
  { title: "LIMIT", of: ({ limitNanos, hard }) => `${nanosText(limitNanos)}${hard ? "" : " soft"}`, align: "right" },
  { title: "SPENT", of: ({ spentNanos }) => nanosText(spentNanos), align: "right" },
  { title: "HELD", of: ({ heldNanos }) => nanosText(heldNanos), align: "right" },
  { title: "LEFT", of: ({ leftNanos }) => nanosText(leftNanos), align: "right" },
  { title: "STATE", of: ({ state }) => state },
  { title: "BEGINS ANEW", of: resetText },
];

/** In the budget's own zone. */
function resetText({ resetsAtMs, zone }: BudgetView): string {
  try {
    const format = new Intl.DateTimeFormat("en-GB", { timeZone: zone, dateStyle: "medium", timeStyle: "short" });
    return `${format.format(resetsAtMs)} ${zone}`;
  } catch {
    return timeText(resetsAtMs);
  }
}

function budgetsText(budgets: readonly BudgetView[]): string {
  if (budgets.length === 0) return "No budgets yet. Set one: lanthorn usage budgets set team --usd 60";
  return tableText(columns, budgets);
}
