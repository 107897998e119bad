/** `lanthorn models …`: its sub-commands by name, one file each in `server/cli/models/`. */
import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";
import { defineList, listExamples } from "../models/list.ts";
import { defineLoad, loadExamples } from "../models/load.ts";
import { definePin, pinExamples } from "../models/pin.ts";
import { defineUnload, unloadExamples } from "../models/unload.ts";

type Example = readonly [line: string, meaning: string];

/** Examples and definition of each, in the order of the help. A file must not import anything slow before an action runs. */
const subcommands = [
  { examples: listExamples, define: defineList },
  { examples: loadExamples, define: defineLoad },
  { examples: unloadExamples, define: defineUnload },
  { examples: pinExamples, define: definePin },
] as const;

export function define(command: Command, context: CommandContext): void {
  examples(
    command,
    subcommands.flatMap((one): readonly Example[] => one.examples),
  );
  for (const one of subcommands) one.define(command, context);
}
