/**
 * `lanthorn rental orphans`: instances of this box that no lease knows, as the markets list them now, and one command that ends them. Works
 * while no server runs: that is when one is afraid of them. Exit 8 while a market could not be looked at, or would not let one go.
 */
import type { Command } from "commander";
import type { Orphan } from "../../domain/rental/lease.ts";
import type { CommandContext } from "../command.ts";
import { confirm } from "../confirm.ts";
import { CommandFailure, usageFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { plural, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { printable } from "../text.ts";
import type { EndedAnswer, OrphansAnswer } from "./answers.ts";
import { mayChange } from "./consent.ts";
import { withMarkets } from "./market-desk.ts";
import { perHour } from "./price-text.ts";

export const orphanExamples = [
  ["lanthorn rental orphans", "what is rented at the markets and nobody looks after"],
  ["lanthorn rental orphans --end", "destroys all of them; asks"],
  ["lanthorn rental orphans --end vast/8123456 --yes", "destroys one"],
] as const;

interface OrphanFlags {
  readonly end?: true;
  readonly yes?: true;
  readonly dryRun?: true;
}

export function defineOrphans(command: Command, context: CommandContext): void {
  command
    .command("orphans [instances...]")
    .description("instances of this box that no lease knows; --end destroys them")
    .option("--end", "destroy them, or only those that are named: market/instance")
    .option("--dry-run", "list only, also with --end")
    .option("--yes", "do not ask")
    .action((which: readonly string[], flags: OrphanFlags) => orphans(which, flags, context));
}

async function orphans(which: readonly string[], flags: OrphanFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const [end, dryRun, yes] = [flags.end === true, flags.dryRun === true, flags.yes === true];
  if (which.length > 0 && !end) {
    throw usageFailure("Named instances are for --end", "", [`lanthorn rental orphans --end ${which.join(" ")}`]);
  }
  const named = which.map(readInstance);
  const what = "What is on their disks is lost.";
  if (end) mayChange(context, { dryRun, yes, what, command: ["orphans --end", ...which].join(" ") });
  await withMarkets(context, async (markets) => {
    const looking = output.progress("Asking the markets what is rented …");
    const found = await markets.orphans().finally(() => looking.end(null));
    const chosen = named.length === 0 ? found.orphans : named.map((one) => chosenOf(one, found));
    if (!end || dryRun || chosen.length === 0) {
      output.answer({ ...(end ? { dryRun } : {}), ...found }, () => orphansText(found));
      if (end && dryRun) output.note(`Would destroy ${plural(chosen.length, "instance")}. Dry run: nothing was done.`);
    } else {
      output.note(orphansText(found));
      const text = `Destroy ${plural(chosen.length, "instance")}? ${what}`;
      await confirm({
        text,
        yes,
        canAsk: context.canAsk,
        command: `${["lanthorn rental orphans --end", ...which].join(" ")} --yes`,
      });
      const ending = output.progress("Destroying …");
      const ended = await markets.endOrphans(named.length === 0 ? null : named).finally(() => ending.end(null));
      output.answer(ended, () => endedText(ended));
      const stubborn = ended.ended.filter(({ trouble }) => trouble !== null);
      if (stubborn.length > 0) throw notEnded(stubborn);
    }
    if (found.unread.length > 0) throw notLookedAt(found.unread);
  });
}

type Instance = Pick<Orphan, "market" | "instanceId">;

function readInstance(text: string): Instance {
  const [, market, instanceId] = /^([^/]+)\/(.+)$/.exec(text) ?? [];
  if (market !== undefined && instanceId !== undefined) return { market, instanceId };
  throw usageFailure(`"${text}" is no instance`, "They are named as rental orphans lists them: vast/8123456.", [
    "lanthorn rental orphans",
  ]);
}

function chosenOf(wanted: Instance, { orphans: there, unread }: OrphansAnswer): Orphan {
  const found = there.find((one) => one.market === wanted.market && one.instanceId === wanted.instanceId);
  if (found !== undefined) return found;
  const silent = unread.length === 0 ? "" : ` ${unread.join(", ")} could not be looked at.`;
  throw new CommandFailure(exitCodes.noSuchThing, "not_found", `${wanted.market}/${wanted.instanceId} is no orphan`, {
    why: `It is gone, it has a lease, or it is not this box's.${silent}`,
    next: ["lanthorn rental orphans"],
  });
}

const columns: readonly Column<Orphan>[] = [
  { title: "INSTANCE", of: ({ market, instanceId }) => `${market}/${instanceId}` },
  { title: "LABEL", of: ({ label }) => label ?? unknownMark },
  { title: "STATE", of: ({ state }) => state },
  { title: "COSTS", of: ({ perHourNanos }) => (perHourNanos === null ? unknownMark : perHour(perHourNanos)) },
  { title: "WHY", of: ({ reason }) => reason },
];

export function orphansText({ orphans: found, unread }: OrphansAnswer): string {
  if (found.length === 0) {
    return unread.length === 0
      ? "No orphans: every instance of this box has its lease."
      : "No orphans seen, but not every market could be looked at.";
  }
  return [tableText(columns, found), "Nobody looks after them. End them: lanthorn rental orphans --end"].join("\n");
}

function endedText({ ended }: EndedAnswer): string {
  return ended
    .map(({ market, instanceId, trouble }) => {
      const name = printable(`${market}/${instanceId}`);
      return trouble === null ? `${name} is destroyed, confirmed.` : `${name} is still there: ${printable(trouble)}`;
    })
    .join("\n");
}

function notEnded(stubborn: EndedAnswer["ended"]): CommandFailure {
  return new CommandFailure(
    exitCodes.upstream,
    "not_ended",
    `${plural(stubborn.length, "instance")} may still cost money`,
    {
      why: stubborn.map(({ market, instanceId, trouble }) => `${market}/${instanceId}: ${trouble}`).join("; "),
      next: ["lanthorn rental orphans", "lanthorn rental orphans --end"],
    },
  );
}

function notLookedAt(unread: readonly string[]): CommandFailure {
  return new CommandFailure(exitCodes.upstream, "market_unread", `Not every market could be looked at`, {
    why: `There may be more at ${unread.join(", ")}.`,
    next: ["lanthorn rental orphans"],
  });
}
