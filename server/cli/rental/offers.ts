/** `lanthorn rental offers`: what markets ask, cheapest first, with the age of the prices. Spends nothing. */
import { type Command, Option } from "commander";
import { nanosOfUsd } from "../../domain/decimal.ts";
import { type OfferFilter, rentKinds, type RentalOffer } from "../../domain/rental/market.ts";
import { runningPerHourNanos } from "../../domain/rental/burn.ts";
import type { CommandContext } from "../command.ts";
import { plural, unknownMark } from "../format.ts";
import { type Column, tableText } from "../table.ts";
import { printable } from "../text.ts";
import type { OffersAnswer } from "./answers.ts";
import { readCount, readGb, readShare, readUsd } from "./flags.ts";
import { withMarkets } from "./market-desk.ts";
import { gpuText, oldText, perDay, perHour, priceText, spanText, vramText } from "./price-text.ts";

export const offersExamples = [
  ["lanthorn rental offers --gpu 'RTX 4090' --most 0.50", "what markets ask for it, cheapest first"],
  ["lanthorn rental offers --vram 48 --kind bid", "interruptible machines with 48 GB of video memory or more"],
] as const;

interface OffersFlags {
  readonly market?: string;
  readonly gpu?: string;
  readonly gpus?: number;
  readonly vram?: number;
  readonly kind?: (typeof rentKinds)[number];
  readonly most?: string;
  readonly reliability?: number;
  readonly region?: string;
  readonly disk?: number;
  readonly mostDownload?: string;
  readonly all?: true;
}

/** Rows shown where not all were asked for. */
const shownRows = 20;

export function defineOffers(command: Command, context: CommandContext): void {
  command
    .command("offers")
    .description("what markets ask now, cheapest first; spends nothing")
    .option("--market <name>", "only this one, as the settings call it")
    .option("--gpu <name>", "RTX 4090, in any spelling")
    .option("--gpus <n>", "GPUs in the machine", readCount)
    .option("--vram <GB>", "least video memory, all GPUs together", readGb)
    .addOption(new Option("--kind <kind>", "on-demand, or bid: interruptible").choices(rentKinds))
    .option("--most <usd>", "an hour, GPU and disk together", readUsd)
    .option("--reliability <share>", "least, such as 0.98 or 98%", readShare)
    .option("--region <region>", "where it stands")
    .option("--disk <GB>", "of the disk that is in the price", readGb)
    .option("--most-download <usd>", "for a GB of traffic to it", readUsd)
    .option("--all", `more than the ${shownRows} cheapest`)
    .option("--dry-run", "nothing is changed by this command anyway")
    .action((flags: OffersFlags) => offers(flags, context));
}

async function offers(flags: OffersFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const progress = output.progress("Asking what markets offer …");
  const found = await withMarkets(context, (markets) => markets.offers(filterOf(flags), flags.market ?? null)).finally(
    () => progress.end(null),
  );
  output.answer(found, () => offersText(found, flags.all === true));
  for (const { market, trouble, takenAtMs } of found.markets) {
    if (trouble === null) continue;
    const shown =
      takenAtMs === null ? "nothing of it is shown" : `its last list is shown, ${oldText(takenAtMs, found.atMs)}`;
    output.note(`${printable(market)} did not answer: ${printable(trouble)} So ${shown}.`);
  }
  const [first] = found.offers;
  if (first !== undefined)
    output.note(`Rent one: lanthorn rental rent ${rentWords(first)} (shows what it comes to, and asks)`);
}

function filterOf(flags: OffersFlags): OfferFilter {
  return {
    ...(flags.gpu === undefined ? {} : { gpu: flags.gpu }),
    ...(flags.gpus === undefined ? {} : { gpuCount: flags.gpus }),
    ...(flags.vram === undefined ? {} : { leastVramBytes: Math.round(flags.vram * 1e9) }),
    ...(flags.kind === undefined ? {} : { kind: flags.kind }),
    ...(flags.most === undefined ? {} : { mostPerHourNanos: nanosOfUsd(flags.most) }),
    ...(flags.reliability === undefined ? {} : { leastReliability: flags.reliability }),
    ...(flags.region === undefined ? {} : { region: flags.region }),
    ...(flags.disk === undefined ? {} : { diskBytes: Math.round(flags.disk * 1e9) }),
    ...(flags.mostDownload === undefined ? {} : { mostDownloadPerGbNanos: nanosOfUsd(flags.mostDownload) }),
  };
}

function rentWords({ market, offerId, leastBidPerHourNanos, kind }: RentalOffer): string {
  const bid =
    kind === "bid" && leastBidPerHourNanos !== null ? ` --bid ${(leastBidPerHourNanos / 1e9).toFixed(4)}` : "";
  return `${market}/${offerId}${bid} --image <image>`;
}

const columns: readonly Column<RentalOffer>[] = [
  { title: "OFFER", of: ({ market, offerId }) => `${market}/${offerId}` },
  { title: "GPU", of: gpuText },
  { title: "VRAM", of: ({ vramBytes }) => vramText(vramBytes), align: "right" },
  { title: "KIND", of: ({ kind }) => kind },
  { title: "ALL-IN", of: ({ rates }) => perHour(runningPerHourNanos(rates)), align: "right" },
  { title: "A DAY", of: ({ rates }) => priceText(runningPerHourNanos(rates) * 24), align: "right" },
  { title: "IF STOPPED", of: ({ rates }) => perDay(rates.stoppedStoragePerHourNanos * 24), align: "right" },
  { title: "GB IN / OUT", of: ({ rates }) => trafficText(rates) },
  { title: "RELIABLE", of: ({ reliability }) => shareText(reliability), align: "right" },
  { title: "WHERE", of: ({ region }) => region ?? unknownMark },
  { title: "MAY RUN", of: ({ longestMs }) => (longestMs === null ? "open" : spanText(longestMs)) },
];

function trafficText({ uploadPerGbNanos, downloadPerGbNanos }: RentalOffer["rates"]): string {
  if (uploadPerGbNanos + downloadPerGbNanos === 0) return "free";
  return `${priceText(downloadPerGbNanos)} / ${priceText(uploadPerGbNanos)}`;
}

function shareText(share: number | null): string {
  return share === null ? unknownMark : `${(share * 100).toFixed(1)} %`;
}

/** The table, and below it how old the prices are and what was left out. */
export function offersText({ offers: all, markets, atMs }: OffersAnswer, whole: boolean): string {
  const shown = whole ? all : all.slice(0, shownRows);
  const ages = markets.flatMap(({ market, takenAtMs }) =>
    takenAtMs === null ? [] : [`${printable(market)} ${oldText(takenAtMs, atMs)}`],
  );
  const told = [
    shown.length < all.length ? `${shown.length} of ${all.length} shown (--all)` : plural(all.length, "offer"),
    "cheapest first",
    ...(ages.length === 0 ? [] : [`prices: ${ages.join(", ")}`]),
  ];
  const rejected = markets.reduce((sum, market) => sum + market.rejected.length, 0);
  return [
    ...(shown.length === 0 ? ["Nothing is offered that satisfies all of it."] : [tableText(columns, shown)]),
    `${told.join("; ")}.`,
    ...(rejected === 0 ? [] : [`${plural(rejected, "entry", "entries")} without a price one may decide by left out.`]),
  ].join("\n");
}
