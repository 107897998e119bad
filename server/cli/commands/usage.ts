/**
 * `lanthorn usage …`: reports from the ledger, through the running server, else from the file itself. The figures are the
 * ledger's own: nothing is added up here.
 */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import type { RequestRecord, UsageSummary } from "../../ledger/records.ts";
import { defineReconcile, reconcileExamples } from "../usage/reconcile.ts";
import { requestAnswer, summaryAnswer } from "../answers.ts";
import { withClient } from "../client.ts";
import { type CommandContext, examples } from "../command.ts";
import { asCommandFailure, CommandFailure, usageFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural } from "../format.ts";
import { writeExportFile } from "../export-file.ts";
import { createArrayWriter, createTextWriter } from "../export-writer.ts";
import { findServer } from "../server-address.ts";
import { summaryText } from "../summary-text.ts";
import { readTimeRange, type TimeRange, zoneName } from "../time-range.ts";
import { budgetExamples, defineBudgets } from "../usage-budgets.ts";
import { defineMoney, moneyExamples } from "../usage/money.ts";
import { waterfallText } from "../waterfall.ts";

interface RangeFlags {
  readonly from?: string;
  readonly to?: string;
}
interface ExportFlags extends RangeFlags {
  readonly format: "csv" | "jsonl" | "focus";
  readonly out?: string;
}

export function define(command: Command, context: CommandContext): void {
  examples(command, [
    ["lanthorn usage summary --from 2026-11-01", "requests, tokens and cost by person and model"],
    ["lanthorn usage show req_…", "where one request's time went (its id is the header x-request-id)"],
    ["lanthorn usage export --format csv > usage.csv", "every request, one line each"],
    ["lanthorn usage export --format focus --out focus.csv --from 2026-11-01", "every attempt, for finance people"],
    ...reconcileExamples,
    ["lanthorn usage price --json < answer.json", "what one recorded answer costs, and how that was reached"],
    ...budgetExamples,
    ...moneyExamples,
  ]);
  withRange(command.command("summary").description("requests, tokens and cost by person and model")).action(
    (flags: RangeFlags) => summary(flags, context),
  );
  command
    .command("show <request-id>")
    .description("one request: its times, its tokens, and why it ran there")
    .action((id: string) => show(id, context));
  withRange(command.command("export").description("every request, oldest first, as it is read"))
    .addOption(
      new Option("--format <format>", "csv, jsonl, or focus: attempts in the columns of FOCUS 1.2, as CSV")
        .choices(["csv", "jsonl", "focus"])
        .default("csv"),
    )
    .option("--out <file>", "into a file that is not there yet, instead of standard output")
    .action((flags: ExportFlags) => exportRows(flags, context));
  defineReconcile(command, context);
  command
    .command("price")
    .description('prices {"provider", "model", "date", "body" or "stream"} from standard input')
    .action(async () => (await import("../usage-price.ts")).priceFromInput(context));
  defineBudgets(command, context);
  defineMoney(command, context);
}

function withRange(command: Command): Command {
  return command
    .option("--from <time>", "first day or moment: 2026-11-01, 2026-11-01T14:00")
    .option("--to <time>", "last day (the whole of it), or moment");
}

async function summary(flags: RangeFlags, context: CommandContext): Promise<void> {
  const range = readTimeRange(flags.from, flags.to);
  const address = findServer(context.environment);
  const found: UsageSummary =
    address === null
      ? await offline(context, (ledger) => ledger.reports.summary(range))
      : await withClient(address, (client) =>
          client.call("GET", "/admin/usage/summary", summaryAnswer, { query: queryOf(range) }),
        );
  context.output.answer(found, () => summaryText(found, zoneName()));
}

async function show(id: string, context: CommandContext): Promise<void> {
  const address = findServer(context.environment);
  const found: RequestRecord | null =
    address === null
      ? await offline(context, (ledger) => ledger.reports.show(id))
      : await withClient(address, async (client) => {
          try {
            return await client.call("GET", `/admin/usage/requests/${encodeURIComponent(id)}`, requestAnswer);
          } catch (thrown) {
            if (asCommandFailure(thrown).exitCode === exitCodes.noSuchThing) return null;
            throw thrown;
          }
        });
  if (found === null) {
    throw new CommandFailure(exitCodes.noSuchThing, "no_such_request", "The ledger has no such request", {
      why: "Ids look like req_…, and a request with an unknown key has no row.",
      next: ["lanthorn usage export --format jsonl | tail -n 5"],
    });
  }
  context.output.answer(found, () => waterfallText(found));
}

/** Row by row, as the reader takes them: a ledger of a year does not fit into memory. */
async function exportRows(flags: ExportFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const range = readTimeRange(flags.from, flags.to);
  const { out } = flags;
  const isArray = output.json && out === undefined;
  if (isArray && flags.format === "focus") {
    throw usageFailure("FOCUS is a CSV", "Under --json it goes into a file.", [
      "lanthorn usage export --format focus --out focus.csv --json",
    ]);
  }
  const format = isArray ? "jsonl" : flags.format;
  const address = findServer(context.environment);
  const writer = isArray ? createArrayWriter() : createTextWriter(format);
  const pass = async (chunks: AsyncIterable<string>) => {
    if (out !== undefined) return writeExportFile(resolve(context.workingFolder, out), chunks, writer);
    for await (const chunk of chunks) await output.chunk(writer.piece(chunk));
    await output.chunk(writer.end());
  };
  if (address === null) await offline(context, (ledger) => pass(ledger.reports.export(format, range)));
  else {
    const query = { format, ...queryOf(range) };
    await withClient(address, (client) => pass(client.stream("GET", "/admin/usage/export", { query })));
  }
  if (out === undefined) output.note(plural(writer.rows(), "row"));
  else output.answer({ file: out, format, rows: writer.rows() }, () => `${plural(writer.rows(), "row")} in ${out}.`);
}

function queryOf(range: TimeRange): Readonly<Record<string, number | undefined>> {
  return { from: range.fromMs, to: range.toMs };
}

async function offline<Result>(
  context: CommandContext,
  work: (ledger: import("../../ledger/ledger.ts").Ledger) => Promise<Result>,
): Promise<Result> {
  const { withLedger } = await import("../data-folder.ts");
  return withLedger(context.environment, work);
}
