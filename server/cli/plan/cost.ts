/** `lanthorn plan`: what a demand costs in a month, each way. Runs in the command's process. */
import { type Plan, type PlannedOption, planOf } from "../../domain/planner/plan.ts";
import type { CommandContext } from "../command.ts";
import { countText, nanosText, tokensText, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { assumptionsText } from "./assumptions.ts";
import { apisOf, chosenInstance, usualInstance } from "./choices.ts";
import { pricesFor, settingsOf } from "./facts.ts";
import type { PlanFlags } from "./flags.ts";
import { costPicture } from "./picture.ts";

export async function showCost(flags: PlanFlags, context: CommandContext): Promise<void> {
  const instance = chosenInstance(flags.instance ?? usualInstance);
  const prices = await pricesFor(context);
  const apis = apisOf(flags.api, prices, Date.now());
  const settings = await settingsOf(flags, context, true);
  const plan = planOf({ settings, apis, instance, localModel: flags.localModel });
  context.output.answer(plan, () => costText(plan));
}

const kinds = Object.freeze({ api: "API", self_hosted: "rented", hybrid: "hybrid", own_box: "own" });

const columns: readonly Column<PlannedOption>[] = [
  { title: "OPTION", of: ({ id }) => id },
  { title: "KIND", of: ({ kind, gpus }) => (gpus === 0 ? kinds[kind] : `${kinds[kind]}, ${gpus} GPU`) },
  { title: "TOKENS", of: ({ tokensNanos }) => amount(tokensNanos), align: "right" },
  {
    title: "FIXED",
    of: (one) => amount(one.machinesNanos + one.operationsNanos + one.surroundingsNanos),
    align: "right",
  },
  { title: "A MONTH", of: ({ monthNanos }) => nanosText(monthNanos), align: "right" },
  { title: "3 YEARS", of: ({ threeYearsNanos: one }) => (one === null ? unknownMark : nanosText(one)), align: "right" },
  {
    title: "A QUERY",
    of: ({ perQueryNanos }) => (perQueryNanos === null ? unknownMark : nanosText(perQueryNanos)),
    align: "right",
  },
  { title: "QUALITY", of: ({ quality }) => (quality === null ? unknownMark : String(quality)), align: "right" },
  {
    title: "POINT A YEAR",
    of: ({ yearPerPointNanos: one }) => (one === null ? unknownMark : nanosText(one)),
    align: "right",
  },
];

function amount(nanos: number): string {
  return nanos === 0 ? unknownMark : nanosText(nanos);
}

export function costText(plan: Plan): string {
  const { demand, options, breakEven, settings } = plan;
  const head =
    `${countText(demand.users)} users, ${countText(demand.queriesPerMonth)} queries a month, ` +
    `${tokensText(demand.promptTokensPerMonth)} tokens in, ${tokensText(demand.completionTokensPerMonth)} out`;
  const best = options.find(({ id }) => id === plan.cheapest);
  const next = [
    "next   lanthorn plan gpus              how many GPUs, of which kind",
    "       lanthorn plan buy-or-rent       when a machine of one's own pays for itself",
    "       lanthorn plan choose            what speaks for which, beside the cost",
    "       lanthorn plan effects           what caches, batches, routing and promises take off",
  ];
  return [
    head,
    tableText(columns, options),
    `Least: ${plan.cheapest}, ${best === undefined ? unknownMark : nanosText(best.monthNanos)} a month. Every sum is an estimate from what stands below.`,
    crossingsText(plan),
    costPicture(plan.series, breakEven[0], demand.users),
    assumptionsText(settings),
    pricesText(plan),
    next.join("\n"),
  ].join("\n\n");
}

/** One line for each API whose line crosses, and one for all others. */
function crossingsText({ breakEven, instance }: Plan): string {
  const never = breakEven.filter(({ crossings, alwaysFrom }) => crossings.length === 0 && alwaysFrom === null);
  const lines = breakEven.filter((one) => !never.includes(one)).map((one) => crossingText(one, instance.id));
  const [first] = never;
  if (first === undefined) return lines.join("\n");
  const names = never.map(({ api }) => api).join(", ");
  return [
    ...lines,
    `No break-even up to ${countText(first.lookedUpTo)} users with ${names}: the API stays cheaper.`,
  ].join("\n");
}

function crossingText({ api, alwaysFrom, crossings, lookedUpTo }: Plan["breakEven"][number], instance: string): string {
  const where = crossings.map(({ users, gpus }) => `${countText(users)} users (${gpus} GPU)`).slice(0, 4);
  const more = crossings.length > where.length ? ` and ${crossings.length - where.length} more` : "";
  const cross = where.length === 0 ? "the lines do not cross" : `the lines cross at ${where.join(", ")}${more}`;
  const after =
    alwaysFrom === null
      ? `the API is cheaper again up to ${countText(lookedUpTo)} users`
      : `from ${countText(alwaysFrom)} users on ${instance} is never dearer`;
  return `Break-even with ${api}: ${cross}; ${after}.`;
}

function pricesText({ options }: Plan): string {
  return tableText(
    [
      { title: "PRICES OF", of: ({ id }: PlannedOption) => id },
      { title: "FROM", of: ({ from }: PlannedOption) => from },
    ],
    options,
  );
}
