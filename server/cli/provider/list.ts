/** `lanthorn provider list`: who else is asked, in which state, with which keys. */
import type { Command } from "commander";
import type { ProviderView } from "../../backends/cloud/desk.ts";
import type { CommandContext } from "../command.ts";
import { durationText, plural } from "../format.ts";
import { withProviderDesk } from "../provider-desk.ts";
import { type Column, tableText } from "../table.ts";

export const listExamples = [
  ["lanthorn provider list", "providers, their state, and their keys by the last characters"],
] as const;

export function defineList(command: Command, context: CommandContext): void {
  command
    .command("list")
    .description("providers and their keys")
    .action(() => list(context));
}

async function list(context: CommandContext): Promise<void> {
  const providers = await withProviderDesk(context, (desk) => desk.list());
  context.output.answer(providers, () =>
    providers.length === 0
      ? "No providers yet. Add one: lanthorn provider add openai --key-stdin < key.txt"
      : [tableText(columns, providers), ...providers.flatMap(keyLines)].join("\n"),
  );
}

const columns: readonly Column<ProviderView>[] = [
  { title: "NAME", of: ({ id }) => id },
  { title: "TYPE", of: ({ type }) => type },
  { title: "ADDRESS", of: ({ baseUrl }) => baseUrl },
  { title: "MODELS", of: ({ models }) => (models === "*" ? "any" : String(models.length)), align: "right" },
  { title: "DATA", of: ({ dataPolicy }) => dataPolicy },
  { title: "KEYS", of: ({ keys }) => String(keys.length), align: "right" },
  { title: "STATE", of: stateText },
];

function stateText({ state, reason, until }: ProviderView): string {
  const words = state === "no-key" ? "no key" : state;
  const rest = until === null ? "" : ` for ${durationText(Math.max(0, until - Date.now()))}`;
  return `${words}${rest}${state === "ready" ? "" : `: ${reason}`}`;
}

/** Only where one of them rests: otherwise there is nothing to say of them. */
function keyLines({ id, keys }: ProviderView): readonly string[] {
  const resting = keys.filter(({ state }) => state === "cooling");
  if (resting.length === 0) return [];
  return [
    "",
    `${id}: ${plural(resting.length, "key")} of ${keys.length} at rest`,
    ...resting.map(({ tail, source, reason }) => `  ${tail} (${source}): ${reason}`),
  ];
}
