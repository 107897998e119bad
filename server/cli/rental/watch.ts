/**
 * `lanthorn rental watch`: leases as they change. On a terminal a table whose burn ticks by the second, elsewhere a line for each change,
 * under `--json` a JSON line each. Lives on `/admin/events`, until Ctrl-C (130). Changes nothing.
 */
import type { Command } from "commander";
import { createParser } from "eventsource-parser";
import { z } from "zod";
import type { LeaseView } from "../../domain/rental/lease.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { nanosText } from "../format.ts";
import { withUsd } from "../money-json.ts";
import { type Column, tableText } from "../table.ts";
import { printable } from "../text.ts";
import { leaseShape, leasesAnswer } from "./answers.ts";
import { type RentalCalls, withRentals } from "./calls.ts";
import { endText, leaseName, leasesText, rateText, stateText } from "./lease-text.ts";
import { createLiveLeases, type LiveLeases, type LivePicture } from "./live-leases.ts";
import { gpuText, ofCap, perHour } from "./price-text.ts";

export const watchExamples = [
  ["lanthorn rental watch", "what is rented, as it changes, and the money as it goes"],
] as const;

/** Between two paintings of the table. */
const tickMs = 1_000;
/** What changes without being news (what a bill says, when it was last seen) is asked for again this often. */
const wholeMs = 15_000;

export function defineWatch(command: Command, context: CommandContext): void {
  command
    .command("watch")
    .description("what is rented, as it changes, until Ctrl-C")
    .option("--dry-run", "nothing is changed by this command anyway")
    .action(() => watch(context));
}

interface Screen {
  /** `nowMs`: the server's time. */
  whole(nowMs: number): Promise<void>;
  changed(lease: LeaseView, nowMs: number): Promise<void>;
  tick(nowMs: number): Promise<void>;
}

const leaseEvent = z.object({ type: z.literal("lease"), lease: leaseShape });

async function watch(context: CommandContext): Promise<void> {
  await withRentals(context, "There is nothing to watch without one.", async (calls) => {
    const live = createLiveLeases();
    let aheadMs = 0;
    const now = () => Date.now() + aheadMs;
    const look = async () => {
      const { leases, summary, atMs } = await calls.get("", leasesAnswer);
      aheadMs = atMs - Date.now();
      live.whole(leases, summary, atMs);
    };
    // The stream first: what changes while the whole is read is in one of the two.
    const events = changesOf(calls)[Symbol.asyncIterator]();
    const first = events.next();
    await look();
    const screen = screenFor(context, live);
    await screen.whole(now());
    const timers = [
      setInterval(() => void screen.tick(now()), tickMs),
      setInterval(() => void look().catch(() => {}), wholeMs),
    ];
    try {
      for (let next = await first; !next.done; next = await events.next()) {
        live.one(next.value, now());
        await screen.changed(next.value, now());
      }
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
    throw new CommandFailure(exitCodes.failed, "cut_off", "The server has ended", {
      why: "What is rented goes on costing money, and nobody stops it until a server runs again.",
      next: ["lanthorn serve", "lanthorn rental orphans"],
    });
  });
}

async function* changesOf(calls: RentalCalls): AsyncGenerator<LeaseView, void, undefined> {
  const seen: LeaseView[] = [];
  const parser = createParser({
    onEvent: ({ event, data }) => {
      if (event !== "lease") return;
      const read = leaseEvent.safeParse(jsonOf(data));
      if (read.success) seen.push(read.data.lease);
    },
  });
  for await (const text of calls.events()) {
    parser.feed(text);
    yield* seen.splice(0);
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function screenFor({ output, environment }: CommandContext, live: LiveLeases): Screen {
  const leases = (nowMs: number) => live.at(nowMs).leases.map(({ lease }) => lease);
  if (output.json) {
    const line = (value: object) => output.chunk(`${JSON.stringify(withUsd(value))}\n`);
    return {
      whole: (atMs) => line({ type: "leases", leases: leases(atMs), atMs }),
      changed: (lease, atMs) => line({ type: "lease", lease, atMs }),
      tick: async () => {},
    };
  }
  if (process.stdout.isTTY === true && environment.TERM !== "dumb") {
    let height = 0;
    const paint = async (nowMs: number) => {
      const columns = (process.stdout.columns || 80) - 1;
      const lines = pictureText(live.at(nowMs), nowMs).split("\n");
      const up = height === 0 ? "" : `\u001b[${height}A\r\u001b[J`;
      height = lines.length;
      await output.chunk(`${up}${lines.map((text) => text.slice(0, columns)).join("\n")}\n`);
    };
    return { whole: paint, changed: (_lease, nowMs) => paint(nowMs), tick: paint };
  }
  const told = new Map<number, string>();
  return {
    whole: (nowMs) => {
      for (const lease of leases(nowMs)) told.set(lease.id, toldOf(lease));
      return output.chunk(`${leasesText(leases(nowMs), null, nowMs)}\n`);
    },
    async changed(lease, nowMs) {
      // It is also told when nothing but its money or its age has changed.
      if (told.get(lease.id) === toldOf(lease)) return;
      told.set(lease.id, toldOf(lease));
      await output.chunk(`${changeLine(lease, live.at(nowMs), nowMs)}\n`);
    },
    tick: async () => {},
  };
}

function toldOf(lease: LeaseView): string {
  return [lease.state, lease.reason, lease.seen.state, rateText(lease)].join(" ");
}

/** `14:02:11  lease-3  ready for 0 s  $0.34/h billed  $0.0123 so far` */
function changeLine(lease: LeaseView, picture: LivePicture, nowMs: number): string {
  const time = new Date(nowMs).toTimeString().slice(0, 8);
  const soFar = picture.leases.find((one) => one.lease.id === lease.id)?.soFarNanos ?? 0;
  return `${time}  ${leaseName(lease)}  ${printable(stateText(lease, nowMs))}  ${rateText(lease)}  ${nanosText(soFar)} so far`;
}

type Row = LivePicture["leases"][number];

/** The table with its sums. Money has six decimals here, so that a person sees it go. */
export function pictureText(picture: LivePicture, nowMs: number): string {
  const { leases, perHourNanos, todayNanos, monthNanos, caps } = picture;
  if (leases.length === 0) return "Nothing is rented, and nothing is billing.";
  const columns: readonly Column<Row>[] = [
    { title: "LEASE", of: ({ lease }) => leaseName(lease) },
    { title: "GPU", of: ({ lease }) => gpuText(lease) },
    { title: "NOW", of: ({ lease }) => rateText(lease) },
    { title: "SO FAR", of: ({ soFarNanos }) => `$${(soFarNanos / 1e9).toFixed(6)}`, align: "right" },
    { title: "STATE", of: ({ lease }) => stateText(lease, nowMs) },
    { title: "NEXT", of: ({ lease }) => endText(lease, nowMs) },
  ];
  const second = `$${(perHourNanos / 3600e9).toFixed(6)} a second`;
  const sums =
    todayNanos === null || monthNanos === null
      ? ""
      : `; today ${ofCap(todayNanos, caps?.perDayNanos ?? null)}, this month ${ofCap(monthNanos, caps?.perMonthNanos ?? null)}`;
  return [tableText(columns, leases), `Together ${perHour(perHourNanos)}, ${second}${sums}`].join("\n");
}
