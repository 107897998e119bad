/**
 * `lanthorn rental rent`: what it comes to, a question, and then the machine as it comes up. Without a terminal and without `--yes` nobody
 * is asked for anything: not even for a price. Renting needs the running server, which is what stops the machine again.
 */
import { type Command, Option } from "commander";
import { rentKinds } from "../../domain/rental/market.ts";
import { needImage } from "../../domain/rental/need-image.ts";
import type { CommandContext } from "../command.ts";
import { confirm } from "../confirm.ts";
import { CommandFailure, usageFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { type LeaseAnswer, leaseAnswer, type QuoteAnswer, quoteAnswer } from "./answers.ts";
import { type Query, withRentals } from "./calls.ts";
import { mayChange } from "./consent.ts";
import { msUntil, readCount, readGb, readShare, readSpan, readUsd } from "./flags.ts";
import { leaseName } from "./lease-text.ts";
import { followUp } from "./progress.ts";
import { dryText, quoteText } from "./quote-text.ts";

export const rentExamples = [
  ["lanthorn rental rent vast/77310 --image <image> --until 22:00 --cap 5", "an offer; asks with all of it before you"],
  [
    "lanthorn rental rent --gpu 'RTX 4090' --most 0.40 --image <image> --yes",
    "the cheapest that satisfies it, without asking",
  ],
  ["lanthorn rental rent coder --dry-run", "an entry of rentals: what it would ask of the market, and nothing else"],
] as const;

interface RentFlags {
  readonly market?: string;
  readonly gpu?: string;
  readonly gpus?: number;
  readonly vram?: number;
  readonly kind?: (typeof rentKinds)[number];
  readonly bid?: string;
  readonly most?: string;
  readonly reliability?: number;
  readonly region?: string;
  readonly disk?: number;
  readonly volume?: string;
  readonly weights?: number;
  readonly image?: string;
  readonly idleStop?: number;
  readonly destroyAfter?: number;
  readonly for?: number;
  readonly until?: string;
  readonly boot?: number;
  readonly cap?: string;
  readonly wait: boolean;
  readonly yes?: true;
  readonly dryRun?: true;
}

export function defineRent(command: Command, context: CommandContext): void {
  command
    .command("rent [offer-or-name]")
    .description(
      "rent a machine: an offer (market/id), an entry of rentals:, or the cheapest that satisfies the options",
    )
    .option("--market <name>", "only at this one, as the settings call it")
    .option("--gpu <name>", "RTX 4090, in any spelling")
    .option("--gpus <n>", "GPUs in the machine", readCount)
    .option("--vram <GB>", "least video memory, all GPUs together", readGb)
    .addOption(new Option("--kind <kind>", "on-demand (the default), or bid: interruptible").choices(rentKinds))
    .option("--bid <usd>", "what to bid an hour, the disk apart", readUsd)
    .option("--most <usd>", "an hour, GPU and disk together", readUsd)
    .option("--reliability <share>", "least, such as 0.98 or 98%", readShare)
    .option("--region <region>", "where it stands")
    .option("--disk <GB>", "size of its disk", readGb)
    .option("--weights <GB>", "size of the weights, to see what keeping them costs", readGb)
    .option("--volume <id>", "a disk that outlives it, where the market has one")
    .option(
      "--image <image>",
      "what runs there, built from build/docker and pushed by you; needed where rentals: names none",
    )
    .option("--idle-stop <time>", "unused for so long it is stopped: 20m", readSpan)
    .option("--destroy-after <time>", "stopped for so long it is destroyed: 1d", readSpan)
    .addOption(new Option("--for <time>", "it ends after so long, whatever it does: 12h").argParser(readSpan))
    .addOption(new Option("--until <time>", "it ends then: 22:00, 2026-11-28T08:00").conflicts("for"))
    .option("--boot <time>", "not ready by then it is given up: 15m", readSpan)
    .option("--cap <usd>", "it ends before it has cost so much", readUsd)
    .option("--no-wait", "return as soon as it is rented")
    .option("--dry-run", "show what would be asked of the market, and rent nothing")
    .option("--yes", "do not ask")
    .action((what: string | undefined, flags: RentFlags) => rent(what, flags, context));
}

async function rent(what: string | undefined, flags: RentFlags, context: CommandContext): Promise<void> {
  const { output } = context;
  const dryRun = flags.dryRun === true;
  const ask = askOf(what, flags);
  mayChange(context, { dryRun, yes: flags.yes === true, what: "Renting spends money.", command: "rent …" });
  // What an entry of rentals: names, the server knows.
  if (ask.rental === undefined) needImage(null, flags.image ?? "");
  await withRentals(
    context,
    "A rented machine is stopped and destroyed by the server, so it must run.",
    async (calls) => {
      const asking = output.progress("Asking for the price …");
      const quote = await calls.get("/quote", quoteAnswer, ask).finally(() => asking.end(null));
      if (dryRun) {
        output.answer({ dryRun: true, ...quote }, () => `${quoteText(quote)}\n${dryText(quote)}`);
        return;
      }
      output.note(quoteText(quote));
      if (quote.refusal !== null) throw overCap(quote.refusal);
      await confirm({ text: "Rent it?", yes: flags.yes === true, canAsk: context.canAsk, command: yesCommand });
      const { market, offerId } = quote.quote.offer;
      const body = { ...ask, market, offerId, agreedPerHourNanos: quote.quote.perHourNanos };
      context.onInterrupt("Whether it was rented is in: lanthorn rental list");
      const renting = output.progress(`Renting ${market}/${offerId} …`);
      const rented = await calls.post("", leaseAnswer, body).finally(() => renting.end(null));
      const last = await followUp(calls, rented, "ready", flags.wait, context);
      answerRented(quote, last, flags.wait, context);
    },
  );
}

function overCap(refusal: string): CommandFailure {
  return new CommandFailure(exitCodes.budget, "budget_exceeded", "Nothing was rented: a cap does not allow it", {
    why: `${refusal.charAt(0).toUpperCase()}${refusal.slice(1)}.`,
    next: ["lanthorn rental list", "lanthorn config show rentalLimits"],
  });
}

const yesCommand = "lanthorn rental rent … --yes";

function answerRented(
  { quote }: QuoteAnswer,
  { lease, atMs }: LeaseAnswer,
  waited: boolean,
  { output }: CommandContext,
): void {
  output.answer({ quote, lease, atMs }, () => leaseName(lease));
  const name = leaseName(lease);
  output.note(
    waited
      ? `It is ready. Watch it: lanthorn rental watch · end it: lanthorn rental destroy ${name}`
      : `It is starting, and costs money from now on: lanthorn rental show ${name}`,
  );
}

/** An offer is `market/id`; anything else is an entry of `rentals:`, or a bare id where a market is named. */
function askOf(what: string | undefined, flags: RentFlags): Query {
  const [, market, offerId] = /^([^/]+)\/(.+)$/.exec(what ?? "") ?? [];
  if (what === undefined && flags.gpu === undefined && flags.vram === undefined) {
    throw usageFailure("What is to be rented?", "An offer, an entry of rentals:, or at least --gpu or --vram.", [
      "lanthorn rental offers",
      "lanthorn rental rent --gpu 'RTX 4090'",
    ]);
  }
  const named = market !== undefined ? { market, offerId } : what === undefined ? {} : nameOrId(what, flags.market);
  return {
    ...(flags.market === undefined ? {} : { market: flags.market }),
    ...named,
    gpu: flags.gpu,
    gpuCount: flags.gpus,
    vramGb: flags.vram,
    kind: flags.kind,
    bidUsdPerHour: flags.bid,
    mostUsdPerHour: flags.most,
    leastReliability: flags.reliability,
    region: flags.region,
    diskGb: flags.disk,
    volumeId: flags.volume,
    weightsGb: flags.weights,
    image: flags.image,
    idleStopMs: flags.idleStop,
    destroyAfterMs: flags.destroyAfter,
    longestMs: flags.until === undefined ? flags.for : msUntil(flags.until, Date.now()),
    bootDeadlineMs: flags.boot,
    mostUsdPerLease: flags.cap,
  };
}

function nameOrId(what: string, market: string | undefined): Query {
  return market === undefined ? { rental: what } : { offerId: what };
}
