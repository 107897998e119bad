/** `lanthorn plan gpus`: how many GPUs of each listed kind a model and its users need. Runs in the command's process. */
import type { Command } from "commander";
import type { GpuRow } from "../../domain/planner/advice.ts";
import type { SettingName } from "../../domain/planner/settings.ts";
import type { CommandContext } from "../command.ts";
import { countText, nanosText, plural, tokenRateText, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import type { PlanFlags } from "./flags.ts";

const counted: readonly SettingName[] = [
  "users",
  "queriesPerUserDay",
  "promptTokens",
  "completionTokens",
  "activeHoursPerDay",
  "peakFactor",
  "parametersBillions",
  "bitsPerParameter",
  "decodePerSecond",
  "prefillPerSecond",
  "hoursPerMonth",
  "reservedPercent",
  "operationsUsd",
  "operationsPerGpuUsd",
];

const columns: readonly Column<GpuRow>[] = [
  { title: "MACHINE", of: ({ instance }) => instance },
  { title: "GPU", of: ({ gpu }) => gpu },
  { title: "EACH", of: ({ decodePerSecond }) => tokenRateText(decodePerSecond), align: "right" },
  { title: "TO HOLD IT", of: ({ toHold }) => countText(toHold), align: "right" },
  { title: "GPUS", of: ({ gpus }) => countText(gpus), align: "right" },
  {
    title: "UP TO USERS",
    of: ({ mostUsers }) => (mostUsers === null ? unknownMark : countText(mostUsers)),
    align: "right",
  },
  { title: "A MONTH", of: ({ monthNanos }) => nanosText(monthNanos), align: "right" },
  { title: "PRICE OF", of: ({ checked }) => checked ?? "no day named" },
];

export function defineGpus(command: Command, context: CommandContext): void {
  command
    .command("gpus")
    .description("GPUs of each listed kind, cheapest first")
    .action(async (_own: unknown, self: Command) => {
      const flags = self.optsWithGlobals<PlanFlags>();
      const [{ gpuRows }, { instances }, { settingsOf }, { assumptionsText }, { chosenInstance, usualInstance }] =
        await Promise.all([
          import("../../domain/planner/advice.ts"),
          import("../../domain/planner/instances/index.ts"),
          import("./facts.ts"),
          import("./assumptions.ts"),
          import("./choices.ts"),
        ]);
      const settings = await settingsOf(flags, context);
      const rows = gpuRows(settings, flags.instance === undefined ? instances : [chosenInstance(flags.instance)]);
      const users = settings.users?.value ?? 0;
      context.output.answer({ rows, settings }, () =>
        [
          `GPUs for ${plural(users, "user")} at their busiest moment`,
          tableText(columns, rows),
          assumptionsText(settings, counted),
          "Speeds that nobody gave are carried over from one card by its memory; lanthorn bench measures yours.",
          `next   lanthorn plan --users ${users} --instance ${rows[0]?.instance ?? usualInstance}`,
        ].join("\n\n"),
      );
    });
}
