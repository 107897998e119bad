/** What a lease has been through, and how steady those of each entry of `rentals:` were, in words. Pure. */
import type { LeaseView } from "../../domain/rental/lease.ts";
import type { LeaseHistory, LeaseMoment, LeaseStop, Steadiness } from "../../ledger/lease-reports.ts";
import { countText, durationText, plural, timeText } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { printable } from "../text.ts";

/** On a screen; `--json` has all that the server tells. */
const mostShown = 20;

const causeWords: Readonly<Partial<Record<LeaseStop["cause"], string>>> = Object.freeze({
  outbid: "outbid",
  host_gone: "its host is gone",
  preempted: "the market stopped it",
  no_answer: "it did not answer",
});

const sourceWords: Readonly<Partial<Record<LeaseStop["source"], string>>> = Object.freeze({
  notice: "it said so itself",
  poll: "the market's list",
  health: "two questions without an answer",
});

const momentColumns: readonly Column<LeaseMoment>[] = [
  { title: "WHEN", of: ({ atMs }) => timeText(atMs) },
  { title: "STATE", of: ({ state }) => state },
  { title: "WHY", of: ({ reason }) => reason },
  { title: "MARKET SAID", of: ({ words }) => words },
];

const stopColumns: readonly Column<LeaseStop>[] = [
  { title: "INTERRUPTED", of: ({ atMs }) => timeText(atMs) },
  { title: "CAUSE", of: ({ cause }) => causeWords[cause] ?? cause },
  { title: "NOTICED BY", of: ({ source }) => sourceWords[source] ?? source },
  { title: "IN ITS WORDS", of: ({ words }) => words },
];

/** Tables one below the other; empty: there is nothing to tell. */
export function historyText(history: LeaseHistory | null, lease: LeaseView): string {
  if (history === null) return "Its history cannot be read at the moment.";
  const { events, interruptions, eventsBefore, interruptionsBefore } = history;
  const mean = lease.meanTimeBetweenInterruptionsMs;
  return [
    ...lastOf(momentColumns, events, eventsBefore, "state"),
    ...lastOf(stopColumns, interruptions, interruptionsBefore, "interruption"),
    ...(mean === null ? [] : [`One interruption in ${durationText(mean)} of being ready, on average.`]),
  ].join("\n");
}

function lastOf<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  before: number,
  one: string,
): readonly string[] {
  if (rows.length === 0) return [];
  const left = before + Math.max(0, rows.length - mostShown);
  const older = left === 0 ? [] : [`${plural(left, `earlier ${one}`)} left out; --json has more.`];
  return [tableText(columns, rows.slice(-mostShown)), ...older];
}

/** A line for each name, market and kind: `coder at vast, bid: 5 leases ended, 41 h 10 m ready, 3 interruptions, one in 13 h 43 m`. */
export function steadinessText(rows: readonly Steadiness[]): string {
  return rows
    .map(({ rental, market, kind, leases, readyMs, interruptions, meanTimeBetweenInterruptionsMs: mean }) => {
      const name = printable(`${rental ?? "by hand"} at ${market}, ${kind}`);
      const often =
        mean === null ? "never interrupted" : `${interruptionsText(interruptions)}, one in ${durationText(mean)}`;
      return `${name}: ${plural(leases, "lease")} ended, ${durationText(readyMs)} ready, ${often}`;
    })
    .join("\n");
}

function interruptionsText(count: number): string {
  return `${countText(count)} ${count === 1 ? "interruption" : "interruptions"}`;
}
