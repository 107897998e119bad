/** `lanthorn route list`: aliases, where they lead, and how each target is. */
import type { Command } from "commander";
import type { TargetView } from "../../router/views.ts";
import { withServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { durationText, plural, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { routesAnswer } from "./answers.ts";

export const listExamples = [
  ["lanthorn route list", "aliases, their targets, and who is left alone for how long"],
] as const;

export function defineList(command: Command, context: CommandContext): void {
  command
    .command("list")
    .description("where aliases lead")
    .action(() => list(context));
}

interface Line {
  readonly alias: string;
  readonly group: string;
  readonly strategy: string;
  readonly target: TargetView;
}

async function list(context: CommandContext): Promise<void> {
  const answer = await withServer(context.environment, (client) => client.call("GET", "/admin/routes", routesAnswer));
  context.output.answer(answer.routes, () => {
    if (answer.routes.length === 0) return 'No routes. Write some below "routes:" in lanthorn.yaml.';
    const lines = answer.routes.flatMap(({ alias, groups }) =>
      groups.flatMap(({ name, strategy, targets }) =>
        targets.map((target): Line => ({ alias, group: name, strategy, target })),
      ),
    );
    const rules = answer.routes.filter((route) => route.rules.length > 0);
    return [
      tableText(columns, lines),
      ...rules.map(
        ({ alias, rules: own }) =>
          `${alias}: ${plural(own.length, "rule")} (${own.map(({ name }) => name).join(", ")})`,
      ),
    ].join("\n");
  });
}

const columns: readonly Column<Line>[] = [
  { title: "ALIAS", of: ({ alias }) => alias },
  { title: "GROUP", of: ({ group }) => group },
  { title: "STRATEGY", of: ({ strategy }) => strategy },
  { title: "TARGET", of: ({ target }) => target.target },
  { title: "STATE", of: ({ target }) => stateText(target) },
  { title: "BUSY", of: ({ target }) => String(target.inFlight), align: "right" },
  {
    title: "FIRST TOKEN",
    of: ({ target }) => (target.ttftMs === null ? unknownMark : durationText(target.ttftMs)),
    align: "right",
  },
];

function stateText({ health, cooldown, power }: TargetView): string {
  if (cooldown.state === "open") {
    const left = cooldown.until === null ? "" : ` for ${durationText(Math.max(0, cooldown.until - Date.now()))}`;
    return `left alone${left}: ${cooldown.reason ?? "it failed"}`;
  }
  if (cooldown.state === "half-open") return `to be tried again: ${cooldown.reason ?? "it failed"}`;
  if (!health.able) return `not able: ${health.reason}`;
  // An older server says nothing of it.
  if (power != null) return power.words;
  return health.depth ?? "ready";
}
