/** `lanthorn plan buy-or-rent`: when a machine of one's own pays for itself. Runs in the command's process. */
import type { Command } from "commander";
import type { BuyOrRent, RentRow } from "../../domain/planner/advice.ts";
import type { SettingName } from "../../domain/planner/settings.ts";
import type { CommandContext } from "../command.ts";
import { nanosText, plural } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import type { PlanFlags } from "./flags.ts";

const counted: readonly SettingName[] = ["boxUsd", "boxMonths", "busyWatts", "idleWatts", "kwhUsd", "daysPerMonth"];

const columns: readonly Column<RentRow>[] = [
  { title: "HOURS A DAY", of: ({ hoursPerDay }) => String(hoursPerDay), align: "right" },
  { title: "RENT A MONTH", of: ({ rentNanos }) => nanosText(rentNanos), align: "right" },
  { title: "OWN POWER", of: ({ powerNanos }) => nanosText(powerNanos), align: "right" },
  { title: "SAVED", of: ({ savedNanos }) => nanosText(savedNanos), align: "right" },
  {
    title: "PAYS FOR ITSELF",
    of: ({ paybackMonths }) => (paybackMonths === null ? "never" : `after ${paybackMonths} months`),
    align: "right",
  },
];

export function defineBuyOrRent(command: Command, context: CommandContext): void {
  command
    .command("buy-or-rent")
    .description("when a machine of one's own pays for itself, by hours a day")
    .action(async (_own: unknown, self: Command) => {
      const flags = self.optsWithGlobals<PlanFlags>();
      const [{ buyOrRent }, { settingsOf }, { assumptionsText }, { chosenInstance, usualRental }] = await Promise.all([
        import("../../domain/planner/advice.ts"),
        import("./facts.ts"),
        import("./assumptions.ts"),
        import("./choices.ts"),
      ]);
      const instance = chosenInstance(flags.instance ?? usualRental);
      const settings = await settingsOf(flags, context, true);
      const found = buyOrRent(settings, instance);
      const { source, checked } = instance;
      context.output.answer({ ...found, source, checked, settings }, () =>
        [
          `A box for ${nanosText(found.boxNanos)}, or ${instance.id} for ${nanosText(found.hourNanos)} an hour`,
          tableText(columns, found.rows),
          verdictText(found),
          assumptionsText(settings, counted),
          `The price of ${instance.id}: ${source}, ${checked ?? "no day named"}. A disk that is kept while it is stopped is not counted.`,
          "next   lanthorn plan buy-or-rent --instance runpod/rtx-3090 --box-price 1200",
        ].join("\n\n"),
      );
    });
}

function verdictText({ fromHoursPerDay, withinMonths }: BuyOrRent): string {
  return fromHoursPerDay === null
    ? `Rent: within ${plural(withinMonths, "month")} the box does not pay for itself at any number of hours.`
    : `Buy from ${plural(fromHoursPerDay, "hour")} a day on: then it has paid for itself within ${plural(withinMonths, "month")}. Rent below that.`;
}
