/** `lanthorn plan roles`: where the work of each role of a crew belongs. Runs in the command's process. */
import { type Command, InvalidArgumentError } from "commander";
import { placeOf, type Role, type RolePlan, usualRoles } from "../../domain/planner/roles.ts";
import type { CommandContext } from "../command.ts";
import { countText } from "../format.ts";
import { type Column, tableText } from "../table.ts";

const levels = Object.freeze({
  complexity: ["simple", "medium", "complex"],
  latency: ["interactive", "responsive", "batch"],
  errors: ["none", "few", "some"],
  privacy: ["public", "internal", "personal"],
} as const);

const shape = `name:calls a day,${Object.values(levels)
  .map((words) => words.join("|"))
  .join(",")}`;

const columns: readonly Column<RolePlan>[] = [
  { title: "ROLE", of: ({ role }) => role.name },
  { title: "CALLS A DAY", of: ({ role }) => countText(role.callsPerDay), align: "right" },
  { title: "TASK", of: ({ role }) => taskText(role) },
  { title: "PLACE", of: ({ place, required }) => (required ? `${place} (must)` : place) },
  { title: "WHY", of: ({ reasons, against }) => [...reasons, ...against.map((one) => `but ${one}`)].join("; ") },
];

function taskText({ complexity, latency, errors, privacy }: Role): string {
  return `${complexity}, ${latency}, ${errors === "none" ? "no" : errors} errors, ${privacy}`;
}

export function defineRoles(command: Command, context: CommandContext): void {
  command
    .command("roles")
    .description("where each role of an agents' crew belongs")
    .option("--role <role>", `repeatable: ${shape}`, readRole)
    .action(({ role }: { readonly role?: readonly Role[] }) => {
      const plans = (role ?? usualRoles).map(placeOf);
      context.output.answer(plans, () =>
        [
          tableText(columns, plans),
          "The bounds (100 and 1,000 calls a day, 100 ms, a second) are the lecture's on infrastructure for agents, part 5.",
          "next   lanthorn plan roles --role judge:2000,medium,batch,few,public",
        ].join("\n\n"),
      );
    });
}

function readRole(text: string, before: readonly Role[] = []): readonly Role[] {
  const [, name, calls, rest] = /^([^:,]{1,40}):(\d{1,9}),(.+)$/u.exec(text) ?? [];
  const [complexity, latency, errors, privacy, ...more] = (rest ?? "").split(",");
  const found = {
    complexity: levels.complexity.find((one) => one === complexity),
    latency: levels.latency.find((one) => one === latency),
    errors: levels.errors.find((one) => one === errors),
    privacy: levels.privacy.find((one) => one === privacy),
  };
  if (
    name === undefined ||
    more.length > 0 ||
    found.complexity === undefined ||
    found.latency === undefined ||
    found.errors === undefined ||
    found.privacy === undefined
  ) {
    throw new InvalidArgumentError(`As ${shape}.`);
  }
  const { complexity: task, latency: wait, errors: tolerance, privacy: data } = found;
  return [
    ...before,
    { name, callsPerDay: Number(calls), complexity: task, latency: wait, errors: tolerance, privacy: data },
  ];
}
