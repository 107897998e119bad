/** `lanthorn plan effects`: what each measure takes off a month's tokens or machines. Runs in the command's process. */
import type { Command } from "commander";
import type { EffectRow } from "../../domain/planner/advice.ts";
import type { SettingName } from "../../domain/planner/settings.ts";
import type { CommandContext } from "../command.ts";
import { nanosText } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import type { PlanFlags } from "./flags.ts";

const counted: readonly SettingName[] = [
  "users",
  "queriesPerUserDay",
  "daysPerMonth",
  "promptTokens",
  "completionTokens",
];

const columns: readonly Column<EffectRow>[] = [
  { title: "MEASURE", of: ({ measure }) => measure },
  { title: "A MONTH", of: ({ monthNanos }) => nanosText(monthNanos), align: "right" },
  { title: "SAVED", of: ({ savedNanos }) => nanosText(savedNanos), align: "right" },
  { title: "", of: ({ savedPercent }) => `${savedPercent} %`, align: "right" },
  { title: "HOW", of: ({ how }) => how },
];

export function defineEffects(command: Command, context: CommandContext): void {
  command
    .command("effects")
    .description("what caches, batches, routing, contexts and promises take off")
    .action(async (_own: unknown, self: Command) => {
      const flags = self.optsWithGlobals<PlanFlags>();
      const [{ effectRows }, { pricesFor, settingsOf }, { assumptionsText }, choices] = await Promise.all([
        import("../../domain/planner/advice.ts"),
        import("./facts.ts"),
        import("./assumptions.ts"),
        import("./choices.ts"),
      ]);
      const { apisOf, chosenInstance, usualApis, usualInstance, usualSmallApi } = choices;
      const prices = await pricesFor(context);
      const [api, small] = apisOf([...(flags.api ?? usualApis).slice(0, 1), usualSmallApi], prices, Date.now());
      if (api === undefined || small === undefined) return;
      const instance = chosenInstance(flags.instance ?? usualInstance);
      const settings = await settingsOf(flags, context);
      const rows = effectRows({ settings, api, small, instance });
      context.output.answer({ api: `${api.provider}/${api.model}`, rows, settings }, () =>
        [
          `Each measure alone, with ${api.provider}/${api.model}`,
          tableText(columns, rows),
          "The shares are examples, not promises: this box's ledger shows yours (lanthorn usage summary).",
          assumptionsText(settings, counted),
          "next   lanthorn plan --cache-hits 40 --cached-prompt 50",
        ].join("\n\n"),
      );
    });
}
