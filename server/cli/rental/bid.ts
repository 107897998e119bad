/** `lanthorn rental bid`: what is bid for a lease beside the least that is taken now, and another amount. Asks: more is spent, or it is lost. */
import type { Command } from "commander";
import { nanosOfUsd } from "../../domain/decimal.ts";
import type { Nanos } from "../../domain/money.ts";
import { notFromHere } from "../../domain/rental/adopted.ts";
import type { CommandContext } from "../command.ts";
import { confirm } from "../confirm.ts";
import { asCommandFailure, CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { printable } from "../text.ts";
import { type BidAnswer, bidAnswer, leaseAnswer } from "./answers.ts";
import { withRentals } from "./calls.ts";
import { mayChange } from "./consent.ts";
import { readLease, readUsd } from "./flags.ts";
import { leaseName } from "./lease-text.ts";
import { gpuText, oldText, perHour } from "./price-text.ts";

export const bidExamples = [
  ["lanthorn rental bid lease-3", "the bid, and the least that is taken now"],
  ["lanthorn rental bid lease-3 0.24", "another one; asks"],
] as const;

interface BidFlags {
  readonly yes?: true;
  readonly dryRun?: true;
}

export function defineBid(command: Command, context: CommandContext): void {
  command
    .command("bid <lease> [usd]")
    .description("what is bid an hour for one, beside the least that is taken now; or bid another amount")
    .option("--dry-run", "say what would be bid, and change nothing")
    .option("--yes", "do not ask")
    .action((lease: string, usd: string | undefined, flags: BidFlags) =>
      bid(readLease(lease), usd === undefined ? null : nanosOfUsd(readUsd(usd)), flags, context),
    );
}

async function bid(id: number, nanos: Nanos | null, flags: BidFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const [dryRun, yes] = [flags.dryRun === true, flags.yes === true];
  const words = `bid lease-${id} ${nanos === null ? "" : nanos / 1e9}`.trim();
  if (nanos !== null) mayChange(context, { dryRun, yes, what: "A bid spends money.", command: words });
  await withRentals(context, "Leases are looked after by the server.", async (calls) => {
    const now = await calls.get(`/${id}/bid`, bidAnswer);
    if (nanos === null) {
      output.answer(now, () => bidText(now));
      return;
    }
    if (now.lease.terms === null) throw asCommandFailure(notFromHere(now.lease, "bid for"));
    if (now.lease.bidPerHourNanos === null) throw noBid(now);
    const least = now.leastBidPerHourNanos;
    const loses = least !== null && nanos < least;
    const change = `${perHour(nanos)} instead of ${perHour(now.lease.bidPerHourNanos)}`;
    if (dryRun) {
      const would = { dryRun: true, bidPerHourNanos: nanos, ...now };
      output.answer(
        would,
        () => `${bidText(now)}\nWould bid ${change}${losesText(loses)}. Dry run: nothing was changed.`,
      );
      return;
    }
    output.note(bidText(now));
    await confirm({
      text: `Bid ${change} for ${leaseName(now.lease)}${losesText(loses)}?`,
      yes,
      canAsk: context.canAsk,
      command: `lanthorn rental ${words} --yes`,
    });
    const { lease } = await calls.post(`/${id}/bid`, leaseAnswer, { perHourNanos: nanos });
    output.answer(lease, () => `${leaseName(lease)} bids ${perHour(lease.bidPerHourNanos ?? nanos)} now.`);
  });
}

function losesText(loses: boolean): string {
  return loses ? ", which is less than what is taken now: it is stopped" : "";
}

function bidText({ lease, leastBidPerHourNanos: least, takenAtMs, trouble, atMs }: BidAnswer): string {
  const own = lease.bidPerHourNanos;
  const mine =
    own === null ? `${leaseName(lease)} is on-demand: nothing is bid.` : `${leaseName(lease)} bids ${perHour(own)}.`;
  if (least === null) return `${mine} What is taken now is not known: ${printable(trouble ?? "nobody said")}.`;
  const age = takenAtMs === null ? "" : `, ${oldText(takenAtMs, atMs)}`;
  return `${mine} The least taken now for ${printable(gpuText(lease))} at ${printable(lease.market)}: ${perHour(least)}${age}.`;
}

function noBid({ lease }: BidAnswer): CommandFailure {
  return new CommandFailure(exitCodes.usage, "no_bid", `${leaseName(lease)} was not rented by a bid`, {
    why: "It is on-demand: nobody outbids it, and its price is fixed.",
    next: [`lanthorn rental show ${leaseName(lease)}`],
  });
}
