/**
 * Markets asked from a command's own process, while no server runs: that is when somebody is afraid of what goes on costing. Loaded by
 * commands only then. The data folder's single-writer lock is held wherever it has to be known which leases there are.
 */
import { loadConfig, type ResolvedConfig } from "../../config/load.ts";
import { chosenZone } from "../../config/zone-setting.ts";
import type { LeaseBook } from "../../ledger/leases.ts";
import { boxId } from "../../platform/box-id.ts";
import { systemClock } from "../../platform/clock.ts";
import { createLog } from "../../platform/log.ts";
import { dataPaths } from "../../platform/paths.ts";
import { caFilePath } from "../../platform/upstream/authorities.ts";
import { createUpstreamFetch } from "../../platform/upstream/upstream-fetch.ts";
import { createLeases } from "../../rental/leases.ts";
import type { LeaseDesk } from "../../rental/lease-desk.ts";
import type { Market } from "../../rental/market.ts";
import { createOfferBoard } from "../../rental/offer-board.ts";
import { openMarkets } from "../../rental/open-markets.ts";
import { createOrphanage, isOf } from "../../rental/orphans.ts";
import { endOrphans } from "../../rental/rental-desk.ts";
import { nanosOfUsd } from "../../domain/decimal.ts";
import type { Nanos } from "../../domain/money.ts";
import { billingOf, perHourNanos } from "../../domain/rental/burn.ts";
import { isAdopted } from "../../domain/rental/lease-record.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { marketFailure } from "./calls.ts";
import type { MarketDesk } from "./market-desk.ts";

export type Around = Pick<CommandContext, "environment" | "workingFolder" | "signal">;

export function withOwnMarkets<Result>(context: Around, work: (desk: MarketDesk) => Promise<Result>): Promise<Result> {
  const { signal } = context;
  return asked(() =>
    withMarketsHere(context, ({ markets }) => {
      const orphanage = (book: LeaseBook) => {
        const leases = book.load(Number.POSITIVE_INFINITY);
        return createOrphanage({
          ...{ box: boxId(dataPaths(context.environment).home), markets, clock: systemClock },
          isOurs: (market, instance) => leases.some((one) => isOf(one, market, instance)),
        });
      };
      return work({
        offers: async (filter, market) => ({
          ...(await createOfferBoard(markets, systemClock).look(filter, market, signal)),
          atMs: systemClock.now(),
        }),
        orphans: () => withBook(context, (book) => orphanage(book).list(signal)),
        endOrphans: (which) =>
          withBook(context, (book) => {
            const { list: orphans, end: endOrphan } = orphanage(book);
            return endOrphans({ orphans, endOrphan }, which, signal);
          }),
      });
    }),
  );
}

/**
 * The leases of the ledger, kept by this very command as long as `work` takes: what was ordered before is carried on with, too. Nobody is
 * asked whether it answers, so nothing becomes ready or is given up meanwhile.
 */
export function withOwnLeases<Result>(context: Around, work: (desk: LeaseDesk) => Promise<Result>): Promise<Result> {
  return asked(() =>
    withMarketsHere(context, ({ markets, values }) =>
      withBook(context, async (book) => {
        const { mostUsdPerDay, mostUsdPerMonth, pollMs } = values.rentalLimits;
        const leases = createLeases({
          ...{ book, markets, clock: systemClock, log: silent(), pollMs },
          box: boxId(dataPaths(context.environment).home),
          zone: chosenZone(values.zone),
          caps: { perDayNanos: nanosOfUsd(mostUsdPerDay), perMonthNanos: nanosOfUsd(mostUsdPerMonth) },
          probe: () => new Promise(() => {}),
        });
        try {
          return await work(leases.desk);
        } finally {
          leases.close();
        }
      }),
    ),
  );
}

/** What the leases of the ledger cost as far as it was known last, while no server looks after them. Contacts nobody. */
export function burningHere(context: Around): Promise<{ readonly costing: number; readonly perHourNanos: Nanos }> {
  return withBook(context, async (book) => {
    // Nobody ends a machine of the settings, and what was never asked for is not there.
    const leases = book
      .load(Number.POSITIVE_INFINITY)
      .filter((lease) => !isAdopted(lease) && (lease.state !== "intended" || lease.order !== null));
    const perHour = leases.map(({ billed, quoted, seen }) =>
      perHourNanos(billed ?? quoted, billingOf(seen.state, false, true)),
    );
    return { costing: leases.length, perHourNanos: perHour.reduce((sum, nanos) => sum + nanos, 0) };
  });
}

/** Those of the settings that are switched on; none where the settings cannot be read. */
export function marketsOfSettings(context: Omit<Around, "signal">): readonly string[] {
  try {
    const { markets } = configOf(context).values;
    return Object.entries(markets).flatMap(([name, { enabled }]) => (enabled ? [name] : []));
  } catch {
    return [];
  }
}

function configOf({ environment, workingFolder }: Omit<Around, "signal">): ResolvedConfig {
  return loadConfig({ file: dataPaths(environment).config, environment, flags: [], workingFolder });
}

interface Here {
  readonly markets: readonly Market[];
  readonly values: ResolvedConfig["values"];
}

async function withMarketsHere<Result>(context: Around, work: (here: Here) => Promise<Result>): Promise<Result> {
  const { environment } = context;
  const { home } = dataPaths(environment);
  const { values } = configOf(context);
  const upstream = createUpstreamFetch({ environment, caFile: caFilePath(values.network.caFile, home) });
  try {
    const markets = openMarkets({
      ...{ settings: values.markets, upstream, environment, home, clock: systemClock },
      localOnly: values.network.localOnly,
      knowSecret: () => {},
    });
    if (markets.length === 0) throw noMarkets(Object.keys(values.markets).length > 0);
    return await work({ markets, values });
  } finally {
    await upstream.close();
  }
}

async function withBook<Result>({ environment }: Around, work: (book: LeaseBook) => Promise<Result>): Promise<Result> {
  const { withLedger } = await import("../data-folder.ts");
  return withLedger(environment, (ledger) => work(ledger.leases));
}

/** Waiting for a market is no reason for Node to stay; this one is. */
async function asked<Result>(work: () => Promise<Result>): Promise<Result> {
  const stay = setInterval(() => {}, 60_000);
  try {
    return await work();
  } catch (thrown) {
    throw marketFailure(thrown);
  } finally {
    clearInterval(stay);
  }
}

function silent() {
  return createLog({ level: "silent" });
}

function noMarkets(areOff: boolean): CommandFailure {
  return new CommandFailure(exitCodes.noSuchThing, "not_found", "No market is set up", {
    why: areOff
      ? "Those below markets: of lanthorn.yaml are switched off, or network.localOnly is set."
      : "Below markets: of lanthorn.yaml is none.",
    next: ["lanthorn config show markets"],
  });
}
