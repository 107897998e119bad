/** `lanthorn provider …`: its sub-commands by name, one file each in `server/cli/provider/`. */
import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";
import { addExamples, defineAdd } from "../provider/add.ts";
import { defineList, listExamples } from "../provider/list.ts";
import { defineRemove, removeExamples } from "../provider/rm.ts";
import { defineTest, testExamples } from "../provider/test.ts";

interface Subcommand {
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  define(command: Command, context: CommandContext): void;
}

/** In the order of the help. A file must not import anything slow before an action runs. */
const subcommands: readonly Subcommand[] = [
  { examples: addExamples, define: defineAdd },
  { examples: listExamples, define: defineList },
  { examples: testExamples, define: defineTest },
  { examples: removeExamples, define: defineRemove },
];

export function define(command: Command, context: CommandContext): void {
  examples(
    command,
    subcommands.flatMap((one) => [...one.examples]),
  );
  for (const one of subcommands) one.define(command, context);
}
