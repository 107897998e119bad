/** `lanthorn models …`: its sub-commands by name, one file each in `server/cli/models/`. */
import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";
import { defineFit, fitExamples } from "../models/fit.ts";
import { defineList, listExamples } from "../models/list.ts";

/** Examples and definition of each, in the order of the help. A file must not import anything slow before an action runs. */
const subcommands = [
  { examples: listExamples, define: defineList },
  { examples: fitExamples, define: defineFit },
] as const;

export function define(command: Command, context: CommandContext): void {
  examples(
    command,
    subcommands.flatMap<readonly [line: string, meaning: string]>((one) => [...one.examples]),
  );
  for (const one of subcommands) one.define(command, context);
}
