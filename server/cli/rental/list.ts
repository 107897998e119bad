/** `lanthorn rental list` and `show`: what is rented, what it does and what it costs. */
import type { Command } from "commander";
import type { CommandContext } from "../command.ts";
import { allLeasesAnswer, leasesAnswer, shownAnswer } from "./answers.ts";
import { withRentals } from "./calls.ts";
import { readLease } from "./flags.ts";
import { historyText, steadinessText } from "./history-text.ts";
import { leasesText, leaseText } from "./lease-text.ts";

export const listExamples = [
  ["lanthorn rental list", "what is rented, what it costs now, and what ends it"],
  [
    "lanthorn rental show lease-3",
    "one of them: rates quoted and billed, cost by part, times, limits, what it has been through",
  ],
] as const;

const leftAlone =
  "Leases are looked after by the server; without it only what is left at the market shows: lanthorn rental orphans.";

export function defineList(command: Command, context: CommandContext): void {
  command
    .command("list")
    .description("what is rented and what it costs")
    .option("--ended", "with those that ended in the last 30 days, and how steady those of a year were")
    .option("--dry-run", "nothing is changed by this command anyway")
    .action((flags: { readonly ended?: true }) => list(flags.ended === true, context));
  command
    .command("show <lease>")
    .description("everything about one of them")
    .option("--dry-run", "nothing is changed by this command anyway")
    .action((lease: string) => show(readLease(lease), context));
}

async function list(ended: boolean, context: CommandContext): Promise<void> {
  if (ended) return listAll(context);
  const found = await withRentals(context, leftAlone, (calls) => calls.get("", leasesAnswer));
  context.output.answer(found, () => leasesText(found.leases, found.summary, found.atMs));
}

async function listAll(context: CommandContext): Promise<void> {
  const found = await withRentals(context, leftAlone, (calls) => calls.get("", allLeasesAnswer, { ended: "true" }));
  context.output.answer(found, () => {
    const listed = leasesText(found.leases, found.summary, found.atMs);
    return found.steadiness.length === 0 ? listed : `${listed}\n\n${steadinessText(found.steadiness)}`;
  });
}

async function show(id: number, context: CommandContext): Promise<void> {
  const found = await withRentals(context, leftAlone, (calls) => calls.get(`/${id}`, shownAnswer));
  const { lease, history, atMs } = found;
  context.output.answer({ ...lease, history }, () =>
    `${leaseText(lease, atMs)}\n\n${historyText(history, lease)}`.trimEnd(),
  );
}
