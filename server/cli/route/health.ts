/** `lanthorn route health <alias>`: looks at every target of an alias, as deep as is wished. Exit code 8 where one is not able. */
import { type Command, Option } from "commander";
import { withServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { exitCodes } from "../exit-codes.ts";
import { durationText } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { printable } from "../text.ts";
import { type HealthAnswer, healthAnswer } from "./answers.ts";

export const healthExamples = [
  ["lanthorn route health coder", "which targets list the model; asks no model anything"],
  ["lanthorn route health coder --depth answers", "a few tokens of each; who answers is left alone no longer"],
] as const;

export function defineHealth(command: Command, context: CommandContext): void {
  command
    .command("health <alias>")
    .description("look at every target")
    .addOption(
      new Option("--depth <depth>", "somebody is there, has the model, answers with it")
        .choices(["reachable", "listed", "answers"])
        .default("listed"),
    )
    .action((alias: string, { depth }: { readonly depth: string }) => health(alias, depth, context));
}

async function health(alias: string, depth: string, context: CommandContext): Promise<void> {
  const answer = await withServer(context.environment, (client) =>
    client.call("POST", "/admin/routes/health", healthAnswer, {
      body: { model: alias, depth },
      signal: context.signal,
    }),
  );
  context.output.answer(answer, () => tableText(columns, answer.targets));
  if (!answer.ok) context.setExitCode(exitCodes.upstream);
}

const columns: readonly Column<HealthAnswer["targets"][number]>[] = [
  { title: "TARGET", of: ({ target }) => target },
  { title: "LOOKED", of: ({ depth }) => depth ?? "here" },
  { title: "ABLE", of: ({ able }) => (able ? "yes" : "no") },
  { title: "TOOK", of: ({ tookMs }) => durationText(tookMs), align: "right" },
  { title: "WHY", of: ({ reason }) => printable(reason) },
];
