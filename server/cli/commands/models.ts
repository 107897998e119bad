/** `lanthorn models …`: its sub-commands by name, one file each in `server/cli/models/`. */
import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";
import { defineDownloads, downloadsExamples } from "../models/downloads.ts";
import { defineImport, importExamples } from "../models/import.ts";
import { defineList, listExamples } from "../models/list.ts";
import { definePull, pullExamples } from "../models/pull.ts";
import { defineRecommend, recommendExamples } from "../models/recommend.ts";
import { defineRemove, removeExamples } from "../models/rm.ts";

/** Examples and definition of each, in the order of the help. A file must not import anything slow before an action runs. */
const subcommands = [
  { examples: listExamples, define: defineList },
  { examples: recommendExamples, define: defineRecommend },
  { examples: pullExamples, define: definePull },
  { examples: downloadsExamples, define: defineDownloads },
  { examples: importExamples, define: defineImport },
  { examples: removeExamples, define: defineRemove },
] as const;

export function define(command: Command, context: CommandContext): void {
  examples(
    command,
    subcommands.flatMap((one): readonly (readonly [string, string])[] => one.examples),
  );
  for (const one of subcommands) one.define(command, context);
}
