/** Leases in words and money: what one does, what it costs and when that ends. Pure; `nowMs` is the server's time. */
import { paidNanos } from "../../domain/rental/burn.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import type { RentalRates } from "../../domain/rental/market.ts";
import type { RentalSummary } from "../../rental/rental-desk.ts";
import { countText, durationText, nanosText, timeText, tokensText, unknownMark } from "../format.ts";
import { type Column, factLines, tableText } from "../table.ts";
import { printable } from "../text.ts";
import { clockText, gpuText, oldText, ofCap, perDay, perHour, priceText, spanText } from "./price-text.ts";

/** Not seen for so long, what is shown of it is no fact any more. */
const oldSightMs = 60_000;

export function leaseName({ id }: Pick<LeaseView, "id">): string {
  return `lease-${id}`;
}

/** What the market says while it is brought up. */
const seenWords: Readonly<Partial<Record<LeaseView["seen"]["state"], string>>> = Object.freeze({
  scheduling: "waiting for a machine",
  loading: "loading image",
  running: "running, no token yet",
  stopped: "not started yet",
  exited: "its program has ended",
  offline: "its host does not answer",
  gone: "not listed",
});

/** The state in words that say what it costs and how long it may last: `starting: loading image, 1 m 20 s of 15 m`. */
export function stateText(lease: LeaseView, nowMs: number): string {
  const words = ownWords(lease, nowMs);
  const doubt = doubtText(lease, nowMs);
  return doubt === null ? words : `${words}; ${doubt}`;
}

function ownWords(lease: LeaseView, nowMs: number): string {
  const forMs = nowMs - lease.since;
  switch (lease.state) {
    case "intended":
      return "asked for, not confirmed yet";
    case "starting":
      if (lease.terms === null) return `starting: no token yet, ${spanText(forMs)}`;
      return `starting: ${seenText(lease)}, ${spanText(forMs)} of ${spanText(lease.terms.bootDeadlineMs)}`;
    case "ready":
      return `ready for ${spanText(forMs)}`;
    case "interrupted":
      return `interrupted ${spanText(forMs)} ago: ${lease.reason}`;
    case "stopping":
      return `stopping, counted as running, ${spanText(forMs)}`;
    case "stopped":
      return `stopped, still ${perDay(lease.perHourNanos * 24)}`;
    case "destroying":
      return `destroying, counted until confirmed, ${spanText(forMs)}`;
    case "ended":
      return `ended: ${lease.reason}`;
    default:
      return `${String(lease.state)}: ${lease.reason}`;
  }
}

export function seenText({ seen }: Pick<LeaseView, "seen">): string {
  return seenWords[seen.state] ?? (seen.words === "" ? seen.state : seen.words);
}

/** Null: there is nothing to doubt. What nobody knows costs as if it ran. */
function doubtText({ state, seen }: LeaseView, nowMs: number): string | null {
  if (state === "ended" || state === "intended") return null;
  if (seen.atMs === null) return state === "starting" ? null : "the market has not listed it yet";
  if (nowMs - seen.atMs > oldSightMs) return `not seen for ${spanText(nowMs - seen.atMs)}, counted as running`;
  return seen.state === "unknown" ? "the market's word for it is not known, counted as running" : null;
}

/** `$0.34/h billed`; `quoted` where no bill has said so yet. */
export function rateText({ billed, perHourNanos, state }: LeaseView): string {
  return state === "ended" ? "$0" : `${perHour(perHourNanos)} ${billed === null ? "quoted" : "billed"}`;
}

/** A bill at another rate than the one that was agreed to is an alarm. */
function otherRateLine(lease: LeaseView): readonly string[] {
  const { billed, quoted } = lease;
  if (billed === null || sameRates(billed, quoted)) return [];
  return [
    `${leaseName(lease)} is billed at another rate than quoted. Quoted: ${ratesText(quoted)}. Billed: ${ratesText(billed)}.`,
  ];
}

function sameRates(a: RentalRates, b: RentalRates): boolean {
  return (Object.keys(a) as (keyof RentalRates)[]).every((part) => a[part] === b[part]);
}

/** What happens next by itself. */
export function endText(lease: LeaseView, nowMs: number): string {
  if (lease.state === "ended") return unknownMark;
  // What would come after its end never comes.
  const comes = (atMs: number | null): atMs is number => atMs !== null && atMs < (lease.endsAtMs ?? Infinity);
  const parts = [
    ...(comes(lease.idleStopAtMs) ? [`idle stop in ${spanText(lease.idleStopAtMs - nowMs)}`] : []),
    ...(comes(lease.destroyAtMs) ? [`destroyed in ${spanText(lease.destroyAtMs - nowMs)}`] : []),
    lease.endsAtMs === null ? "stays while it is in the settings" : `ends ${clockText(lease.endsAtMs, nowMs)}`,
  ];
  return parts.join(", ");
}

export function leaseColumns(nowMs: number): readonly Column<LeaseView>[] {
  return [
    { title: "LEASE", of: leaseName },
    { title: "FOR", of: ({ rental, terms }) => rental ?? (terms === null ? "nobody" : "by hand") },
    { title: "GPU", of: gpuText },
    { title: "MARKET", of: ({ market, kind }) => (kind === "bid" ? `${market}, bid` : market) },
    { title: "NOW", of: rateText },
    { title: "SO FAR", of: (lease) => nanosText(paidNanos(lease.burn)), align: "right" },
    { title: "OF IT IDLE", of: ({ burn }) => nanosText(burn.idleNanos), align: "right" },
    { title: "STATE", of: (lease) => stateText(lease, nowMs) },
    { title: "NEXT", of: (lease) => endText(lease, nowMs) },
  ];
}

/** A table, what all of them cost, and a line for each that costs other than it should. */
export function leasesText(leases: readonly LeaseView[], summary: RentalSummary | null, nowMs: number): string {
  const shown =
    leases.length === 0
      ? ["Nothing is rented, and nothing is billing. See what there is: lanthorn rental offers"]
      : [tableText(leaseColumns(nowMs), leases)];
  const told = summary === null ? [] : [summaryText(summary)];
  return [
    ...shown,
    ...told,
    ...leases.flatMap(otherRateLine),
    ...leases.flatMap((lease) => stoppedLine(lease, nowMs)),
    ...(summary === null ? [] : reachedLine(leases, summary)),
  ].join("\n");
}

/** `Together $0.52/h; today $3.18 of $20.00, this month $41.20 of $200.00.` */
export function summaryText({ perHourNanos, todayNanos, monthNanos, caps }: RentalSummary): string {
  const today = ofCap(todayNanos, caps.perDayNanos);
  return `Together ${perHour(perHourNanos)}; today ${today}, this month ${ofCap(monthNanos, caps.perMonthNanos)}.`;
}

/** A cap ends what is rented; what is in the settings it can only be said of. */
function reachedLine(leases: readonly LeaseView[], { todayNanos, monthNanos, caps }: RentalSummary): readonly string[] {
  const isOver = (cap: number | null, nanos: number) => cap !== null && nanos >= cap;
  const standing = leases.filter(({ state, terms }) => terms === null && state !== "ended");
  if (standing.length === 0 || !(isOver(caps.perDayNanos, todayNanos) || isOver(caps.perMonthNanos, monthNanos)))
    return [];
  return standing.map(
    (lease) =>
      `A cap is reached, and ${leaseName(lease)} goes on costing: it is a machine of the settings, and nobody ends it from here.`,
  );
}

function stoppedLine(lease: LeaseView, nowMs: number): readonly string[] {
  if (lease.state !== "stopped") return [];
  const until = clockText(Math.min(...[lease.destroyAtMs, lease.endsAtMs].filter((at) => at !== null)), nowMs);
  return [
    `${leaseName(lease)} is stopped and still costs ${perDay(lease.perHourNanos * 24)} until it is destroyed, at ${until} or by: lanthorn rental destroy ${leaseName(lease)}`,
  ];
}

/** Everything about one. Lines of `word   text`. */
export function leaseText(lease: LeaseView, nowMs: number): string {
  const { burn, terms, seen, quoted, billed } = lease;
  const bid = lease.bidPerHourNanos === null ? "" : `, bid ${perHour(lease.bidPerHourNanos)}`;
  const seenAt = seen.atMs === null ? "not seen yet" : oldText(seen.atMs, nowMs);
  const words = seen.words === "" ? seen.state : `${seen.state} ("${seen.words}")`;
  return factLines([
    [leaseName(lease), `${gpuText(lease)} at ${printable(lease.market)}, ${lease.kind}${bid}`],
    ["For", printable(lease.rental ?? (lease.terms === null ? "no entry of rentals" : "rented by hand"))],
    ["State", printable(stateText(lease, nowMs))],
    ["Why", printable(`${lease.reason}, since ${timeText(lease.since)}`)],
    ["Market says", printable(`${words}, ${seenAt}; instance ${lease.instanceId ?? "not known yet"}, ${lease.label}`)],
    ["Address", lease.address === null ? "not known yet" : printable(lease.address)],
    ["Costs now", rateText(lease)],
    ["Quoted", ratesText(quoted)],
    ["Billed", billed === null ? "not yet, or not readable: the quoted rate counts" : ratesText(billed)],
    [
      "So far",
      `${nanosText(paidNanos(lease.burn))}: GPU ${nanosText(burn.gpuNanos)}, disk ${nanosText(burn.storageNanos)}, traffic ${nanosText(burn.trafficNanos)}${settledText(lease)}`,
    ],
    ["Of it", `used ${nanosText(burn.usedNanos)}, idle ${nanosText(burn.idleNanos)}`],
    ["Ran", timesText(lease)],
    [
      "Tokens",
      lease.perMillionTokensNanos === null
        ? "none served yet"
        : `${tokensText(lease.tokensServed)} served, ${nanosText(lease.perMillionTokensNanos)} per million`,
    ],
    ["Interrupted", interruptionsText(lease)],
    ["Next", endText(lease, nowMs)],
    ["Limits", limitsText(terms)],
  ]);
}

function ratesText(rates: RentalRates): string {
  const traffic =
    rates.uploadPerGbNanos + rates.downloadPerGbNanos === 0
      ? "traffic free"
      : `traffic ${priceText(rates.downloadPerGbNanos)} per GB in, ${priceText(rates.uploadPerGbNanos)} out`;
  return `GPU ${perHour(rates.gpuPerHourNanos)}, disk ${perHour(rates.storagePerHourNanos)} (stopped ${perDay(rates.stoppedStoragePerHourNanos * 24)}), ${traffic}`;
}

/** The market's bill counts where there is one. */
function settledText({ burn: { settledNanos } }: LeaseView): string {
  if (settledNanos === 0) return "";
  return `, ${settledNanos < 0 ? "less" : "and"} ${nanosText(Math.abs(settledNanos))} by the market's bills`;
}

function timesText({ burn }: LeaseView): string {
  const unknown =
    burn.unknownMs === 0 ? "" : `, of it ${durationText(burn.unknownMs)} nobody can vouch for, counted as running`;
  return `${durationText(burn.runningMs)} running, ${durationText(burn.stoppedMs)} stopped${unknown}`;
}

function interruptionsText({ interruptions, meanTimeBetweenInterruptionsMs: mean }: LeaseView): string {
  if (interruptions === 0) return "never";
  const every = mean === null ? "" : `, every ${durationText(mean)} on average`;
  return `${countText(interruptions)} ${interruptions === 1 ? "time" : "times"}${every}`;
}

export function limitsText(terms: LeaseView["terms"]): string {
  if (terms === null) return "none: it is a machine of the settings, and nobody ends it from here";
  const { bootDeadlineMs, idleStopMs, destroyAfterMs, longestMs, caps } = terms;
  const idle = idleStopMs === null ? "no idle stop" : `stops after ${spanText(idleStopMs)} without use`;
  const after = idleStopMs === null ? "stopped" : "of that";
  const then = destroyAfterMs === null ? "" : `, is destroyed after ${spanText(destroyAfterMs)} ${after}`;
  const cap = caps.perInstanceNanos === null ? "" : `, at ${nanosText(caps.perInstanceNanos)}`;
  return `${idle}${then}; given up when not ready within ${spanText(bootDeadlineMs)}; ends after ${spanText(longestMs)}${cap}`;
}
