/**
 * `lanthorn usage reconcile`: the ledger beside what providers bill, by day and model. Exit 1 where something does not agree, or where a
 * bill that should have been read could not be.
 */
import type { Command } from "commander";
import { usdOfNanos } from "../../domain/decimal.ts";
import type { AccountReconciliation, ReconciledRow, Reconciliation, Verdict } from "../../domain/reconcile/records.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { countText, plural, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { readDay } from "../time-range.ts";

export const reconcileExamples = [
  [
    "lanthorn usage reconcile --from 2026-11-01 --to 2026-11-25",
    "the ledger beside what providers bill; exit 1 where they differ",
  ],
] as const;

interface ReconcileFlags {
  readonly provider?: string;
  readonly from?: string;
  readonly to?: string;
  readonly all?: true;
}

export function defineReconcile(command: Command, context: CommandContext): void {
  command
    .command("reconcile")
    .description("compares the ledger with what providers bill, by day (UTC) and model")
    .option("--provider <name>", "only this provider, as the settings call it")
    .option("--from <day>", "first day, in UTC; a week ago where it is left out", readDay)
    .option("--to <day>", "last day, in UTC; today where it is left out", readDay)
    .option("--all", "rows that agree are listed too")
    .action((flags: ReconcileFlags) => reconcile(flags, context));
}

async function reconcile(flags: ReconcileFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const { reconcileWith } = await import("../reconcile-desk.ts");
  const wish = { provider: flags.provider ?? null, from: flags.from ?? null, to: flags.to ?? null };
  const progress = output.progress("Reading what providers bill …");
  let found: Reconciliation;
  try {
    found = await reconcileWith(context, wish);
  } finally {
    progress.end(null);
  }
  output.answer(found, () => reconciliationText(found, flags.all === true));
  if (found.reconciled) return;
  throw new CommandFailure(exitCodes.failed, "not_reconciled", "The ledger and the bills do not agree", {
    why: whyNot(found),
    next: ["lanthorn usage reconcile --all", "lanthorn usage export --format csv --from <day> --to <day>"],
  });
}

/** A paragraph for each account. */
export function reconciliationText(found: Reconciliation, all: boolean): string {
  if (found.accounts.length === 0) return "No provider is set up whose bill could be read.";
  const head = `${found.from} to ${found.to}, days in UTC`;
  return [head, ...found.accounts.map((account) => accountText(account, all))].join("\n\n");
}

function accountText(account: AccountReconciliation, all: boolean): string {
  const others = account.with.length === 0 ? "" : ` (with ${account.with.join(", ")})`;
  const name = `${account.provider}${others}`;
  if (account.total === null) {
    return [`${name}: not compared: ${account.reason}`, ...account.next.map((line) => `  ${line}`)].join("\n");
  }
  const { total, rows } = account;
  const shown = all ? rows : rows.filter(({ verdict }) => verdict !== "agrees");
  const agreeing = total.rows.agrees;
  const lines = [
    `${name}: ours ${usd(total.oursNanos)}, theirs ${usd(total.theirsNanos)}, difference ${usd(total.differenceNanos)}; ${account.reason}`,
    ...(shown.length === 0 ? [] : [tableText(columns, shown)]),
    ...(agreeing > 0 && !all ? [`${plural(agreeing, "row")} agree${agreeing === 1 ? "s" : ""} within rounding.`] : []),
    ...(rows.length === 0 ? ["Nothing was used and nothing is billed."] : []),
    ...(total.driftNanos === 0
      ? []
      : [`Drift: what they said with their answers is ${usd(total.driftNanos)} beside the price book.`]),
  ];
  return lines.join("\n");
}

const columns: readonly Column<ReconciledRow>[] = [
  { title: "DAY", of: ({ day }) => day },
  { title: "MODEL", of: ({ model }) => model ?? "no model" },
  { title: "ATTEMPTS", of: ({ attempts }) => countText(attempts), align: "right" },
  { title: "OURS", of: ({ oursNanos }) => usd(oursNanos), align: "right" },
  { title: "THEIRS", of: ({ theirsNanos }) => (theirsNanos === null ? unknownMark : usd(theirsNanos)), align: "right" },
  { title: "DIFFERENCE", of: ({ differenceNanos }) => usd(differenceNanos), align: "right" },
  { title: "ROUNDING", of: ({ toleranceNanos }) => `±${usd(toleranceNanos)}`, align: "right" },
  { title: "VERDICT", of: ({ verdict, reason }) => `${words[verdict] ?? verdict}: ${reason}` },
];

const words: Readonly<Record<Verdict, string>> = Object.freeze({
  agrees: "agrees",
  differs: "differs",
  missing_here: "missing here",
  missing_there: "missing there",
  unpriced: "no price here",
  unreadable: "unreadable",
  not_yet_reported: "not yet reported",
  out_of_reach: "too long ago",
});

/** All digits: what is looked for may be the last one. */
function usd(nanos: number): string {
  return nanos < 0 ? `-$${usdOfNanos(-nanos)}` : `$${usdOfNanos(nanos)}`;
}

function whyNot(found: Reconciliation): string {
  const off = found.accounts.flatMap(({ provider, rows }) =>
    rows
      .filter(({ verdict }) => !["agrees", "not_yet_reported", "out_of_reach"].includes(verdict))
      .map((row) => `${provider}, ${row.day}, ${row.model ?? "no model"}: ${usd(row.differenceNanos)}`),
  );
  const unread = found.accounts
    .filter(({ state, expected }) => state === "not_compared" && expected)
    .map(({ provider, reason }) => `${provider}: ${reason}`);
  const all = [...unread, ...off];
  const more = all.length > 3 ? `; and ${all.length - 3} more` : "";
  return `${all.slice(0, 3).join("; ")}${more}.`.replace(/\.\.$/u, ".");
}
