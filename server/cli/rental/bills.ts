/** `lanthorn rental bills`: what leases cost by this box's ledger beside what the markets bill. Exit 1 where they differ, 8 where no bill came. */
import type { Command } from "commander";
import { addDays, type Day, utcDayOf } from "../../domain/day.ts";
import { usdOfNanos } from "../../domain/decimal.ts";
import type { Nanos } from "../../domain/money.ts";
import type { Verdict } from "../../domain/reconcile/records.ts";
import type { BillComparison, BillRow, MarketBill } from "../../rental/desk-parts.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { readDay } from "../time-range.ts";
import { printable } from "../text.ts";
import { billsAnswer } from "./answers.ts";
import { withRentals } from "./calls.ts";

export const billsExamples = [
  [
    "lanthorn rental bills --from 2026-11-01 --to 2026-11-26",
    "the ledger beside the markets' bills; exit 1 where they differ",
  ],
  ["lanthorn rental bills --settle", "the ledger takes over what was billed for days that are over, now"],
] as const;

interface BillsFlags {
  readonly market?: string;
  readonly from?: Day;
  readonly to?: Day;
  readonly all?: true;
  readonly settle?: true;
  readonly dryRun?: true;
}

export function defineBills(command: Command, context: CommandContext): void {
  command
    .command("bills")
    .description("compares the ledger with what markets bill, by day (UTC) and instance")
    .option("--market <name>", "only this one, as the settings call it")
    .option("--from <day>", "first day, in UTC; a week ago where it is left out, a month with --settle", readDay)
    .option("--to <day>", "last day, in UTC; today where it is left out", readDay)
    .option("--all", "rows that agree are listed too")
    .option("--settle", "the ledger takes over what was billed for days that are over; it does so by itself once a day")
    .option("--dry-run", "compares and settles nothing")
    .action((flags: BillsFlags) => bills(flags, context));
}

async function bills(flags: BillsFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const to = flags.to ?? utcDayOf(Date.now());
  const settles = flags.settle === true && flags.dryRun !== true;
  const from = flags.from ?? addDays(to, flags.settle === true ? -32 : -6);
  const found = await withRentals(context, "The ledger of leases is the server's.", async (calls) => {
    const reading = output.progress("Reading what markets bill …");
    const asked = settles
      ? calls.post("/bills/settle", billsAnswer, { market: flags.market ?? null, from, to })
      : calls.get("/bills", billsAnswer, { market: flags.market, from, to });
    return asked.finally(() => reading.end(null));
  });
  output.answer(found, () => billsText(found, flags.all === true));
  const unread = found.markets.filter(({ state }) => state === "not_compared");
  if (!found.agrees && found.markets.some(({ rows }) => rows.some(isFault))) throw notAgreed(found);
  if (unread.length > 0) throw unreadBills(unread);
}

/** No fault: the market has not billed that day, or does not keep it any more. */
const noFault: readonly Verdict[] = ["agrees", "not_yet_reported", "out_of_reach"];

/** What was taken over as it is billed is settled, however it was counted. */
function isFault({ verdict, settled, theirsNanos }: BillRow): boolean {
  if (noFault.includes(verdict)) return false;
  return settled === null || (theirsNanos !== null && settled.billedNanos !== theirsNanos);
}

export function billsText(found: BillComparison, all: boolean): string {
  if (found.markets.length === 0) return "No market is set up whose bill could be read.";
  const head = `${found.from} to ${found.to}, days in UTC`;
  return [head, ...found.markets.map((market) => marketText(market, all))].join("\n\n");
}

function marketText(bill: MarketBill, all: boolean): string {
  const name = printable(bill.market);
  if (bill.state === "not_compared") return `${name}: not compared: ${printable(bill.reason)}`;
  if (bill.state === "no_bills")
    return `${name}: there is no bill: ${printable(bill.reason)}. What was counted counts.`;
  const shown = all ? bill.rows : bill.rows.filter(({ verdict }) => verdict !== "agrees");
  const agreeing = bill.rows.length - bill.rows.filter(({ verdict }) => verdict !== "agrees").length;
  return [
    `${name}: ours ${usd(bill.oursNanos)}, theirs ${usd(bill.theirsNanos)}, difference ${usd(bill.differenceNanos)}${bill.reason === "" ? "" : `; ${printable(bill.reason)}`}`,
    ...(shown.length === 0 ? [] : [tableText(columnsOf(shown), shown)]),
    ...(agreeing > 0 && !all ? [`${plural(agreeing, "row")} agree${agreeing === 1 ? "s" : ""}.`] : []),
    ...(bill.rows.length === 0 ? ["Nothing was rented and nothing is billed."] : []),
  ].join("\n");
}

const columns: readonly Column<BillRow>[] = [
  { title: "DAY", of: ({ day }) => day },
  { title: "INSTANCE", of: ({ instanceId }) => instanceId },
  { title: "LEASE", of: ({ lease }) => (lease === null ? unknownMark : `lease-${lease}`) },
  { title: "OURS", of: ({ oursNanos }) => usd(oursNanos), align: "right" },
  { title: "THEIRS", of: ({ theirsNanos }) => (theirsNanos === null ? unknownMark : usd(theirsNanos)), align: "right" },
  { title: "DIFFERENCE", of: ({ differenceNanos }) => usd(differenceNanos), align: "right" },
  { title: "VERDICT", of: ({ verdict, reason }) => `${verdict.replaceAll("_", " ")}: ${reason}` },
];

const settledColumn: Column<BillRow> = { title: "SETTLED", of: settledText };

function columnsOf(rows: readonly BillRow[]): readonly Column<BillRow>[] {
  return rows.some(({ settled }) => settled !== null) ? [...columns, settledColumn] : columns;
}

/** When the ledger took it over; the amount too, where the bill says another one by now. */
function settledText({ settled, theirsNanos }: BillRow): string {
  if (settled === null) return unknownMark;
  const day = utcDayOf(settled.atMs);
  return settled.billedNanos === theirsNanos ? day : `${day}, at ${usd(settled.billedNanos)}`;
}

/** All digits: what is looked for may be the last one. */
function usd(nanos: Nanos): string {
  return nanos < 0 ? `-$${usdOfNanos(-nanos)}` : `$${usdOfNanos(nanos)}`;
}

function notAgreed(found: BillComparison): CommandFailure {
  const off = found.markets.flatMap(({ market, rows }) =>
    rows
      .filter(isFault)
      .map(({ day, instanceId, differenceNanos }) => `${market}/${instanceId}, ${day}: ${usd(differenceNanos)}`),
  );
  const more = off.length > 3 ? `; and ${off.length - 3} more` : "";
  return new CommandFailure(exitCodes.failed, "not_reconciled", "The ledger and the markets' bills do not agree", {
    why: `${off.slice(0, 3).join("; ")}${more}.`,
    next: ["lanthorn rental bills --all", "lanthorn rental orphans"],
  });
}

function unreadBills(unread: readonly MarketBill[]): CommandFailure {
  return new CommandFailure(exitCodes.upstream, "bill_unread", "Not every bill could be read", {
    why: unread.map(({ market, reason }) => `${market}: ${reason}`).join("; "),
    next: ["lanthorn rental bills"],
  });
}
