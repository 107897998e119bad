/**
 * `lanthorn rental burn`: what rented machines cost by day, by month or by lease, and how much of it was used. From the running server's ledger;
 * contacts no market and changes nothing.
 */
import { type Command, InvalidArgumentError, Option } from "commander";
import { burnGroups, type BurnGroup } from "../../domain/rental/burn-periods.ts";
import type { Nanos } from "../../domain/money.ts";
import type { BurnOf } from "../../ledger/lease-reports.ts";
import type { BurnReport } from "../../rental/lease-records.ts";
import type { CommandContext } from "../command.ts";
import { usageFailure } from "../errors.ts";
import { durationText, nanosText, tokensText, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { bar } from "../usage/money-text.ts";
import { burnAnswer } from "./answers.ts";
import { withRentals } from "./calls.ts";
import { readLease } from "./flags.ts";

export const burnExamples = [
  ["lanthorn rental burn", "what rented machines cost each day: GPU, disk, traffic, used and idle, per million tokens"],
  ["lanthorn rental burn --by month --from 2026-01", "the same by month"],
  ["lanthorn rental burn --lease --from 2026-11", "by lease, dearest first; --lease lease-3: only that one, by day"],
] as const;

interface BurnFlags {
  readonly by?: Exclude<BurnGroup, "lease">;
  readonly from?: string;
  readonly to?: string;
  readonly lease?: true | string;
}

export function defineBurn(command: Command, context: CommandContext): void {
  command
    .command("burn")
    .description("what rented machines cost by day, month or lease, in the zone of the settings")
    .addOption(new Option("--by <period>", "day (the default, 92 at most) or month (36 at most)").choices(timeGroups))
    .option("--from <day>", "first day or month: 2026-11-01, 2026-11", readDayOrMonth)
    .option("--to <day>", "last day or month, included; today where it is left out", readDayOrMonth)
    .option("--lease [lease]", "by lease in place of time; with a lease: that one alone")
    .option("--dry-run", "nothing is changed by this command anyway")
    .action((flags: BurnFlags) => burn(flags, context));
}

const timeGroups = burnGroups.filter((one) => one !== "lease");

function readDayOrMonth(text: string): string {
  if (!/^\d{4}-\d{2}(-\d{2})?$/.test(text))
    throw new InvalidArgumentError("A day such as 2026-11-20, or a month: 2026-11.");
  return text;
}

async function burn({ by, from, to, lease }: BurnFlags, context: CommandContext): Promise<void> {
  if (lease === true && by !== undefined) {
    throw usageFailure("--lease alone and --by do not go together", "It is told by lease or by time.", [
      "lanthorn rental burn --lease",
      "lanthorn rental burn --lease lease-3 --by month",
    ]);
  }
  const one = typeof lease === "string" ? readLease(lease) : undefined;
  const query = { by: lease === true ? "lease" : (by ?? "day"), from, to, lease: one };
  const report = await withRentals(context, "The ledger of leases is the server's.", (calls) =>
    calls.get("/burn", burnAnswer, query),
  );
  context.output.answer(report, () => burnText(report));
}

/** A row for each day, month or lease, and what all of it comes to. */
export function burnText({ zone, periods, leases, total }: BurnReport): string {
  if (total.paidNanos === 0) return "Nothing was billed for rented machines in that time.";
  const where = `Days and months begin in ${zone ?? "this server's time zone"}.`;
  const table =
    leases.length > 0
      ? tableText(
          [
            { title: "LEASE", of: ({ lease }) => `lease-${lease}` },
            { title: "FOR", of: ({ rental, market }) => `${rental ?? "by hand"} at ${market}` },
            ...moneyColumns(leases),
          ],
          leases,
        )
      : tableText([{ title: "PERIOD", of: ({ period }) => period }, ...moneyColumns(periods)], periods);
  return [table, totalText(total), where].join("\n");
}

function moneyColumns<Row extends BurnOf>(rows: readonly Row[]): readonly Column<Row>[] {
  const largest = Math.max(0, ...rows.map((row) => row.paidNanos));
  // What bills made of the count, where there are any: the parts come to ALL.
  const byBills: Column<Row> = { title: "BY BILL", of: (row) => signedText(row.settledNanos), align: "right" };
  return [
    { title: "GPU", of: (row) => nanosText(row.gpuNanos), align: "right" },
    { title: "DISK", of: (row) => nanosText(row.storageNanos), align: "right" },
    { title: "TRAFFIC", of: (row) => nanosText(row.trafficNanos), align: "right" },
    ...(rows.some((row) => row.settledNanos !== 0) ? [byBills] : []),
    { title: "ALL", of: (row) => nanosText(row.paidNanos), align: "right" },
    { title: "USED", of: (row) => nanosText(row.usedNanos), align: "right" },
    { title: "IDLE", of: (row) => nanosText(row.idleNanos), align: "right" },
    { title: "TOKENS", of: (row) => tokensText(row.completionTokens), align: "right" },
    { title: "A MILLION", of: millionText, align: "right" },
    { title: "", of: (row) => bar(row.paidNanos, largest) },
  ];
}

function signedText(nanos: Nanos): string {
  if (nanos === 0) return "";
  return nanos < 0 ? `-${nanosText(-nanos)}` : `+${nanosText(nanos)}`;
}

function millionText({ perMillionTokensNanos: nanos }: BurnOf): string {
  return nanos === null ? unknownMark : nanosText(nanos);
}

function totalText(total: BurnOf): string {
  const { paidNanos, usedNanos, idleNanos, runningMs, stoppedMs, unknownMs, completionTokens } = total;
  const unknown = unknownMs === 0 ? "" : `, of it ${durationText(unknownMs)} nobody can vouch for, counted as running`;
  const served = completionTokens === 0 ? "no token served" : `${millionText(total)} per million tokens served`;
  return [
    `Together ${nanosText(paidNanos)}: used ${nanosText(usedNanos)}, idle ${nanosText(idleNanos)}; ${served}.`,
    `${durationText(runningMs)} running${unknown}; ${durationText(stoppedMs)} stopped or starting, where the disk is billed.`,
  ].join("\n");
}
