/** `lanthorn models …`: its sub-commands by name, one file each in `server/cli/models/`. */
import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";
import { defineDownloads, downloadsExamples } from "../models/downloads.ts";
import { defineFit, fitExamples } from "../models/fit.ts";
import { defineImport, importExamples } from "../models/import.ts";
import { defineList, listExamples } from "../models/list.ts";
import { defineLoad, loadExamples } from "../models/load.ts";
import { definePin, pinExamples } from "../models/pin.ts";
import { definePull, pullExamples } from "../models/pull.ts";
import { defineRecommend, recommendExamples } from "../models/recommend.ts";
import { defineRemove, removeExamples } from "../models/rm.ts";
import { defineUnload, unloadExamples } from "../models/unload.ts";

interface Subcommand {
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  define(command: Command, context: CommandContext): void;
}

/** Examples and definition of each, in the order of the help. A file must not import anything slow before an action runs. */
const subcommands: readonly Subcommand[] = [
  { examples: listExamples, define: defineList },
  { examples: recommendExamples, define: defineRecommend },
  { examples: fitExamples, define: defineFit },
  { examples: pullExamples, define: definePull },
  { examples: downloadsExamples, define: defineDownloads },
  { examples: importExamples, define: defineImport },
  { examples: removeExamples, define: defineRemove },
  { examples: loadExamples, define: defineLoad },
  { examples: unloadExamples, define: defineUnload },
  { examples: pinExamples, define: definePin },
];

export function define(command: Command, context: CommandContext): void {
  examples(
    command,
    subcommands.flatMap((one) => [...one.examples]),
  );
  for (const one of subcommands) one.define(command, context);
}
