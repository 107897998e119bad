/**
 * `lanthorn rental start`, `stop` and `destroy`: what a person orders of a lease. Starting spends money and destroying loses a disk, so
 * both ask; stopping does not. Each waits until the market has confirmed it.
 */
import type { Command } from "commander";
import type { LeaseView } from "../../domain/rental/lease.ts";
import { notFromHere } from "../../domain/rental/adopted.ts";
import { paidNanos, runningPerHourNanos } from "../../domain/rental/burn.ts";
import type { CommandContext } from "../command.ts";
import { confirm } from "../confirm.ts";
import { asCommandFailure, CommandFailure } from "../errors.ts";
import { findServer } from "../server-address.ts";
import { exitCodes } from "../exit-codes.ts";
import { nanosText } from "../format.ts";
import { type LeaseAnswer, leaseAnswer, leasesAnswer } from "./answers.ts";
import { type RentalCalls, withRentals } from "./calls.ts";
import { mayChange } from "./consent.ts";
import { readLease } from "./flags.ts";
import { leaseName, stateText } from "./lease-text.ts";
import { clockText, gpuText, perDay, perHour } from "./price-text.ts";
import { followUp, type Goal } from "./progress.ts";

export const orderExamples = [
  ["lanthorn rental start lease-3", "a stopped one again; asks, because it costs money"],
  ["lanthorn rental stop lease-3", "its disk stays, and is billed"],
  ["lanthorn rental destroy lease-3", "ends all cost, and its disk is lost; asks"],
  ["lanthorn rental destroy vast/8123456 --yes", "the same by the market's own number"],
] as const;

type Action = "start" | "stop" | "destroy";

interface OrderFlags {
  readonly wait: boolean;
  readonly yes?: true;
  readonly dryRun?: true;
}

const goals: Readonly<Record<Action, Goal>> = Object.freeze({ start: "ready", stop: "stopped", destroy: "ended" });

export function defineOrders(command: Command, context: CommandContext): void {
  define(command, context, "start", "start a stopped one; it costs money then");
  define(command, context, "stop", "stop one; its disk stays and is billed");
  define(command, context, "destroy", "end one for good; what is on its disk is lost");
}

function define(command: Command, context: CommandContext, action: Action, description: string): void {
  const one = command
    .command(`${action} <lease>`)
    .description(description)
    .option("--no-wait", "return as soon as it is asked for")
    .option("--dry-run", "say what would be done, and do nothing");
  one.option("--yes", action === "stop" ? "taken, though it does not ask" : "do not ask");
  one.action((lease: string, flags: OrderFlags) => order(action, lease, flags, context));
}

const needsServer =
  "Leases are looked after by the server. What is left at a market without one: lanthorn rental orphans.";

async function order(action: Action, which: string, flags: OrderFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const [dryRun, yes] = [flags.dryRun === true, flags.yes === true];
  const consequence = { start: "Starting spends money.", stop: "", destroy: "What is on the disk is lost." }[action];
  if (action !== "stop") mayChange(context, { dryRun, yes, what: consequence, command: `${action} ${which}` });
  await withCalls(action, context, async (calls) => {
    const before = await leaseOf(which, calls);
    const { lease } = before;
    // Before anybody is asked for a yes.
    if (lease.terms === null) throw asCommandFailure(notFromHere(lease, action));
    const question = questionOf(action, before);
    if (dryRun) {
      output.answer({ dryRun: true, action, lease }, () => `${question.would}\nDry run: nothing was done.`);
      return;
    }
    if (action !== "stop") {
      const command = `lanthorn rental ${action} ${leaseName(lease)} --yes`;
      await confirm({ text: question.asks, yes, canAsk: context.canAsk, command });
    }
    const asked = await calls.post(`/${lease.id}/${action}`, leaseAnswer, { reason: `asked by hand: ${action}` });
    const last = await followUp(calls, asked, goals[action], flags.wait, context);
    const arrived = last.lease.state === goals[action];
    output.answer(last.lease, () => doneText(action, asked, last, arrived));
  });
}

/** Ending one works without a server too: nothing is more urgent than that, and nothing has to be looked after then. */
async function withCalls(
  action: Action,
  context: CommandContext,
  work: (calls: RentalCalls) => Promise<void>,
): Promise<void> {
  if (action !== "destroy" || findServer(context.environment) !== null) return withRentals(context, needsServer, work);
  const { withOwnLeases } = await import("./own-markets.ts");
  const { callsOfDesk } = await import("./own-calls.ts");
  return withOwnLeases(context, (desk) => work(callsOfDesk(desk)));
}

/** By the lease's number, or by what its market calls the instance. */
async function leaseOf(which: string, calls: RentalCalls): Promise<LeaseAnswer> {
  const [, market, instanceId] = /^([^/]+)\/(.+)$/.exec(which) ?? [];
  if (market === undefined) return calls.get(`/${readLease(which)}`, leaseAnswer);
  const { leases, atMs } = await calls.get("", leasesAnswer);
  const lease = leases.find((one) => one.market === market && one.instanceId === instanceId);
  if (lease !== undefined) return { lease, atMs };
  throw new CommandFailure(exitCodes.noSuchThing, "not_found", `No lease has the instance ${which}`, {
    why: "It is gone, or nobody rented it through this box.",
    next: [`lanthorn rental orphans --end ${which}`, "lanthorn rental list"],
  });
}

function questionOf(action: Action, { lease, atMs }: LeaseAnswer): { readonly asks: string; readonly would: string } {
  const name = `${leaseName(lease)} (${gpuText(lease)} at ${lease.market})`;
  if (action === "start") {
    const price = perHour(runningPerHourNanos(lease.billed ?? lease.quoted));
    const ends = `it ends ${clockText(lease.endsAtMs ?? atMs, atMs)} at the latest`;
    return { asks: `Start ${name} for ${price}; ${ends}?`, would: `Would start ${name} for ${price}; ${ends}.` };
  }
  if (action === "stop") {
    const disk = perDay((lease.billed ?? lease.quoted).stoppedStoragePerHourNanos * 24);
    return { asks: "", would: `Would stop ${name}: ${stateText(lease, atMs)}. Its disk still costs ${disk}.` };
  }
  const ends = `What is on its disk is lost; that ends ${perHour(lease.perHourNanos)}.`;
  return { asks: `Destroy ${name}? ${ends}`, would: `Would destroy ${name}. ${ends}` };
}

function doneText(action: Action, asked: LeaseAnswer, { lease, atMs }: LeaseAnswer, arrived: boolean): string {
  const name = leaseName(lease);
  if (!arrived) return `${name}: ${stateText(lease, atMs)}`;
  if (action === "start") return `${name} is ready, ${perHour(lease.perHourNanos)}.`;
  if (action === "stop") return stoppedText(lease);
  const took = Math.max(0, Math.round((atMs - asked.atMs) / 1000));
  return `${name} is destroyed, confirmed by the market after ${took} s. Total ${nanosText(paidNanos(lease.burn))}. Nothing of it is billed any more.`;
}

function stoppedText(lease: LeaseView): string {
  const name = leaseName(lease);
  return `${name} is stopped, confirmed. Its disk still costs ${perDay(lease.perHourNanos * 24)}; this ends all cost: lanthorn rental destroy ${name}`;
}
