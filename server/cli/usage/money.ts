/**
 * `lanthorn usage savings`, `power` and `forecast`: through the running server, else from the file itself with the settings that
 * the next start from here would see. Nothing is added up here.
 */
import type { Command } from "commander";
import type { z } from "zod";
import type { MoneyDesk } from "../../ledger/money-desk.ts";
import { withClient } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { usageFailure } from "../errors.ts";
import { findServer } from "../server-address.ts";
import { forecastAnswer, powerAnswer, savingsAnswer } from "./money-answers.ts";
import { forecastText, powerText, savingsText } from "./money-text.ts";

interface MonthFlags {
  readonly month?: string;
}

export const moneyExamples: readonly (readonly [line: string, meaning: string])[] = [
  ["lanthorn usage savings --month 2026-11", "what this box, caches, routes and batches saved"],
  ["lanthorn usage power", "what this box itself cost, by day, and how much of it was idle"],
  ["lanthorn usage forecast", "what the month will have cost at its end"],
];

/** Adds them to `usage`. */
export function defineMoney(command: Command, context: CommandContext): void {
  const month = ["--month <month>", "only this one: 2026-11"] as const;
  command
    .command("savings")
    .description("month by month: what was saved against a baseline, and by what")
    .option(...month)
    .action((flags: MonthFlags) => report(context, "savings", monthOf(flags), savingsAnswer, savingsText));
  command
    .command("power")
    .description("what this box itself cost in a month: requests, loading, idle")
    .option(...month)
    .action((flags: MonthFlags) => report(context, "power", monthOf(flags), powerAnswer, powerText));
  command
    .command("forecast")
    .description("what the month will have cost at its end, and how sure that is")
    .action(() => report(context, "forecast", null, forecastAnswer, forecastText));
}

function monthOf({ month }: MonthFlags): string | null {
  if (month === undefined) return null;
  if (/^\d{4}-(0[1-9]|1[0-2])$/.test(month)) return month;
  throw usageFailure(`--month is no month: "${month}"`, "Four digits, a dash, two digits.", [
    "lanthorn usage savings --month 2026-11",
  ]);
}

async function report<Report extends object>(
  context: CommandContext,
  name: keyof MoneyDesk,
  month: string | null,
  shape: z.ZodType<Report>,
  inWords: (report: Report) => string,
): Promise<void> {
  const address = findServer(context.environment);
  const query = month === null ? {} : { month };
  const found: Report =
    address === null
      ? shape.parse(await offline<object>(context, (desk) => desk[name](month)))
      : await withClient(address, (client) => client.call("GET", `/admin/usage/${name}`, shape, { query }));
  context.output.answer(found, () => inWords(found));
}

async function offline<Found>(context: CommandContext, work: (desk: MoneyDesk) => Promise<Found>): Promise<Found> {
  const [
    { withLedger },
    { loadConfig },
    { chosenZone },
    { dataPaths },
    { overrideRow },
    { createMoneyDesk },
    { systemClock },
  ] = await Promise.all([
    import("../data-folder.ts"),
    import("../../config/load.ts"),
    import("../../config/zone-setting.ts"),
    import("../../platform/paths.ts"),
    import("../../domain/pricing/override.ts"),
    import("../../ledger/money-desk.ts"),
    import("../../platform/clock.ts"),
  ]);
  const { environment, workingFolder } = context;
  const { values } = loadConfig({ file: dataPaths(environment).config, environment, flags: [], workingFolder });
  return withLedger(environment, (ledger) =>
    work(
      createMoneyDesk({
        ...{ reports: ledger.money, setting: values.savings, zone: chosenZone(values.zone), clock: systemClock },
        overrides: values.prices.map(overrideRow),
        localContext: () => null,
      }),
    ),
  );
}
