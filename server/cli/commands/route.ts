/** `lanthorn route …`: its sub-commands by name, one file each in `server/cli/route/`. */
import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";
import { applyExamples, defineApply } from "../route/apply.ts";
import { calibrateExamples, defineCalibrate } from "../route/calibrate.ts";
import { defineEval, evalExamples } from "../route/eval.ts";
import { defineExplain, explainExamples } from "../route/explain.ts";
import { defineHealth, healthExamples } from "../route/health.ts";
import { defineList, listExamples } from "../route/list.ts";
import { defineTest, testExamples } from "../route/test.ts";

interface Subcommand {
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  define(command: Command, context: CommandContext): void;
}

/** In the order of the help. A file must not import anything slow before an action runs. */
const subcommands: readonly Subcommand[] = [
  { examples: listExamples, define: defineList },
  { examples: explainExamples, define: defineExplain },
  { examples: testExamples, define: defineTest },
  { examples: healthExamples, define: defineHealth },
  { examples: calibrateExamples, define: defineCalibrate },
  { examples: evalExamples, define: defineEval },
  { examples: applyExamples, define: defineApply },
];

export function define(command: Command, context: CommandContext): void {
  examples(
    command,
    subcommands.flatMap((one) => [...one.examples]),
  );
  for (const one of subcommands) one.define(command, context);
}
