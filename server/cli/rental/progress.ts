/**
 * Waits while a lease changes, and tells how it goes: a line that moves on a terminal, a line for each change elsewhere. Runs in the
 * command's process. The lease goes on whatever becomes of this command, and says so when it is left.
 */
import { setTimeout as pause } from "node:timers/promises";
import type { LeaseView } from "../../domain/rental/lease.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { type LeaseAnswer, leaseAnswer } from "./answers.ts";
import type { RentalCalls } from "./calls.ts";
import { leaseName, stateText } from "./lease-text.ts";
import { perHour } from "./price-text.ts";

/** Between two looks at the server, which polls the market less often than that; the first is sooner. */
const lookGapMs = 1_000;
const firstGapMs = 250;

export type Goal = "ready" | "stopped" | "ended";

/** What may still lead there; anything else is another end. */
const ways: Readonly<Record<Goal, readonly LeaseView["state"][]>> = Object.freeze({
  ready: ["intended", "starting", "stopped", "stopping"],
  stopped: ["stopping", "ready", "starting", "interrupted"],
  ended: ["destroying", "stopping", "stopped", "ready", "starting", "intended", "interrupted"],
});

/**
 * The lease when it has arrived; at once when nobody waits. Throws exit 8 when it ends elsewhere: the boot deadline passed, the machine was taken.
 */
export async function followUp(
  calls: RentalCalls,
  begun: LeaseAnswer,
  goal: Goal,
  waits: boolean,
  context: CommandContext,
): Promise<LeaseAnswer> {
  const name = leaseName(begun.lease);
  if (!waits || begun.lease.state === goal) return begun;
  context.onInterrupt(leftText(begun.lease, goal));
  const progress = context.output.progress(`${name} ${lineOf(begun)}`);
  // On a terminal the line itself moves; where it cannot, a change is told when it happens.
  const tellsChanges = process.stderr.isTTY !== true || context.environment.TERM === "dumb";
  let told = toldOf(begun.lease);
  let last = begun;
  try {
    while (last.lease.state !== goal) {
      if (!ways[goal].includes(last.lease.state)) throw wentElsewhere(last.lease, goal);
      await pause(last === begun ? firstGapMs : lookGapMs, undefined, { signal: context.signal });
      last = await calls.get(`/${begun.lease.id}`, leaseAnswer);
      progress.update(`${name} ${lineOf(last)}`);
      if (tellsChanges && toldOf(last.lease) !== told) context.output.note(`${name} ${lineOf(last)}`);
      told = toldOf(last.lease);
    }
  } finally {
    progress.end(null);
  }
  return last;
}

function lineOf({ lease, atMs }: LeaseAnswer): string {
  return `${stateText(lease, atMs)} (${perHour(lease.perHourNanos)})`;
}

/** What of it is news where lines stay: not each second. */
function toldOf({ state, seen }: LeaseView): string {
  return `${state} ${seen.state}`;
}

function leftText(lease: LeaseView, goal: Goal): string {
  const name = leaseName(lease);
  return goal === "ready"
    ? `${name} goes on and costs money: lanthorn rental show ${name} · lanthorn rental destroy ${name}`
    : `The server goes on with ${name}: lanthorn rental show ${name}`;
}

function wentElsewhere(lease: LeaseView, goal: Goal): CommandFailure {
  const name = leaseName(lease);
  return new CommandFailure(
    exitCodes.upstream,
    `lease_${lease.state}`,
    `${name} did not become ${goal}: it is ${lease.state}`,
    {
      why: lease.reason,
      next: [`lanthorn rental show ${name}`, "lanthorn rental offers"],
    },
  );
}
