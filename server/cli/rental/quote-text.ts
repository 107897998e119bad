/** What renting comes to, in the lines a person reads before saying yes. Pure. */
import { nanosText, plural } from "../format.ts";
import { factLines } from "../table.ts";
import { printable } from "../text.ts";
import type { QuoteAnswer } from "./answers.ts";
import { limitsText } from "./lease-text.ts";
import { clockText, gpuText, oldText, ofCap, perDay, perHour, priceText, vramText } from "./price-text.ts";

export function quoteText({ rental, quote, disk, takenAtMs, burn, refusal, atMs }: QuoteAnswer): string {
  const { offer, bidPerHourNanos, perHourNanos, storagePerHourNanos } = quote;
  const kind = bidPerHourNanos === null ? "on-demand" : `bid ${perHour(bidPerHourNanos)}${leastText(quote)}`;
  const where = `${printable(offer.market)}/${printable(offer.offerId)}`;
  const traffic =
    quote.uploadPerGbNanos + quote.downloadPerGbNanos === 0
      ? "traffic free"
      : `traffic on top: ${priceText(quote.downloadPerGbNanos)} per GB in, ${priceText(quote.uploadPerGbNanos)} out`;
  return factLines([
    ["Rent", `${printable(gpuText(offer))} (${vramText(offer.vramBytes)}), ${where}, ${kind}${forText(rental)}`],
    [
      "Costs",
      `${perHour(perHourNanos)} all-in, of it ${perHour(storagePerHourNanos)} disk; ${traffic}; price ${oldText(takenAtMs, atMs)}`,
    ],
    ["At most", mostText(quote, atMs)],
    ["Limits", limitsText(quote.terms)],
    ["Stopped", `still ${perDay(quote.stoppedPerDayNanos)} for its disk, until it is destroyed`],
    ["Weights", disk === null ? unsizedText(rental) : `${printable(disk.words)} (at two wakes and four hours a day)`],
    ["Burning", burningText(burn)],
    ...(refusal === null ? [] : [["Refused", printable(refusal)] as const]),
  ]);
}

function unsizedText(rental: string | null): string {
  const setting = rental === null ? "" : `, or rentals.${printable(rental)}.weightsGb`;
  return `what keeping them costs is told when their size is: --weights <GB>${setting}`;
}

function forText(rental: string | null): string {
  return rental === null ? "" : `, for ${printable(rental)}`;
}

function leastText({ offer, bidPerHourNanos }: QuoteAnswer["quote"]): string {
  const least = offer.leastBidPerHourNanos;
  if (least === null || bidPerHourNanos === null) return ", interruptible";
  return `, interruptible (least taken now: ${perHour(least)})`;
}

/** The one figure people ask for: what is the worst that can happen? */
function mostText({ mostNanos, endsAtMs, endedBy }: QuoteAnswer["quote"], nowMs: number): string {
  const end = clockText(endsAtMs, nowMs);
  return endedBy === "cap"
    ? `${nanosText(mostNanos)}: its cap ends it, and ${end} at the latest; traffic apart`
    : `${nanosText(mostNanos)} until it ends, ${end}, when it runs all the time; traffic apart`;
}

function burningText({ costing, perHourNanos, todayNanos, monthNanos, caps }: QuoteAnswer["burn"]): string {
  const others =
    costing === 0 ? "nothing else is rented" : `${plural(costing, "other")} at ${perHour(perHourNanos)} together`;
  return `${others}; today ${ofCap(todayNanos, caps.perDayNanos)}, this month ${ofCap(monthNanos, caps.perMonthNanos)}`;
}

/** What the market would be asked; of the environment the names only. */
export function dryText({ quote, order }: QuoteAnswer): string {
  const { offer, bidPerHourNanos } = quote;
  const names = order.environment.length === 0 ? "none" : order.environment.join(", ");
  const script = order.onStartLines === 0 ? "the image's own" : plural(order.onStartLines, "line");
  return factLines([
    [
      "Would ask",
      `${printable(offer.market)} to create ${printable(offer.offerId)}, ${offer.kind}${bidText(bidPerHourNanos)}`,
    ],
    ["Image", printable(order.image)],
    ["Disk", `${vramText(order.diskBytes)}${order.volumeId === null ? "" : `, volume ${printable(order.volumeId)}`}`],
    ["Port", String(order.port)],
    ["Variables", printable(names)],
    ["At start", script],
    ["Dry run", "nothing was rented"],
  ]);
}

function bidText(bidPerHourNanos: number | null): string {
  return bidPerHourNanos === null ? "" : ` at ${perHour(bidPerHourNanos)}`;
}
