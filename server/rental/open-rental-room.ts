/**
 * The room of rented machines, joined: markets with their keys, leases with what asks them whether they answer, the targets that requests
 * go to, and the desk for people. Runs in the server process, opened by the composition root in one line. Contacts a market only where
 * something is rented already.
 */
import type { Config } from "../config/schema.ts";
import type { Nanos } from "../domain/money.ts";
import type { Clock, Log, Publish } from "../domain/ports.ts";
import type { LeaseView } from "../domain/rental/lease.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { UpstreamFetch } from "../platform/upstream/upstream-fetch.ts";
import { createRentalBills } from "./bills.ts";
import { createLeases } from "./leases.ts";
import type { RentWish } from "./lease-desk.ts";
import { openMarkets } from "./open-markets.ts";
import { watchPrices } from "./price-watch.ts";
import { nanosOfUsd } from "./rent-ask.ts";
import { createRentalDesk, type RentalDesk } from "./rental-desk.ts";
import { createLeaseProbe } from "./wake/lease-probe.ts";
import { readMachineKey } from "./wake/machine-key.ts";
import { openRentals, type Rentals } from "./wake/open-rentals.ts";

export interface RentalRoomParts {
  readonly settings: Pick<Config, "markets" | "rentals" | "rentalLimits" | "network" | "providers">;
  readonly ledger: Pick<Ledger, "leases" | "marketPrices">;
  readonly upstream: UpstreamFetch;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The data folder. */
  readonly home: string;
  /** Name of this box in labels. */
  readonly box: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly publish: Publish;
  /** What runs in an instance; absent: the settings' own words and nothing else. */
  readonly machine?: (
    setting: Config["rentals"][string],
  ) => Pick<RentWish["order"], "image" | "port" | "environment" | "onStart">;
  knowSecret(secret: string): void;
  onStop(step: () => void): void;
}

export interface RentalRoom {
  readonly desk: RentalDesk;
  readonly rented: Rentals;
}

/** Where the Lanthorn of an instance listens. */
const servedPort = 4747;

/** Null: no market is set up, and nothing is left of one that was. Throws Failure `cannot_start` that names the setting at fault. */
export function openRentalRoom(parts: RentalRoomParts): RentalRoom | null {
  const { settings, clock, log, upstream, home, environment, knowSecret } = parts;
  const book = parts.ledger.leases;
  const { rentals, rentalLimits: limits } = settings;
  const { localOnly } = settings.network;
  const markets = openMarkets({
    ...{ settings: settings.markets, upstream, environment, home, clock, localOnly, knowSecret },
  });
  const nothingLeft = book.load(Number.POSITIVE_INFINITY).length === 0;
  if (markets.length === 0 && Object.keys(rentals).length === 0 && nothingLeft) return null;

  const keys = new Map(
    Object.entries(rentals).map(([name, { keyFile }]) => [name, readMachineKey(name, keyFile, home)] as const),
  );
  const reach = ({ address, rental }: LeaseView) =>
    address === null ? null : { url: address, key: rental === null ? null : (keys.get(rental) ?? null) };
  const { desk: leases, close } = createLeases({
    ...{ book, markets, clock, log, box: parts.box, pollMs: limits.pollMs },
    zone: limits.zone === "" ? null : limits.zone,
    caps: { perDayNanos: nanosOfUsd(limits.mostUsdPerDay), perMonthNanos: nanosOfUsd(limits.mostUsdPerMonth) },
    probe: createLeaseProbe({ clock, log, upstream, rentals, reach }),
  });
  parts.onStop(close);
  const machine = parts.machine ?? plainMachine;
  const rented = openRentals({
    ...{ rentals, limits, desk: leases, markets, localOnly, machine, home, upstream, clock, log, knowSecret },
    taken: [...Object.keys(settings.providers), "engine"],
  });
  parts.onStop(() => rented.stop());
  const prices = watchPrices({
    ...{ markets, book: parts.ledger.marketPrices, clock, log, everyMs: limits.pricesEveryMs, random: Math.random },
    ownBid: (market, gpu) => highestBid(leases.list(), market, gpu),
  });
  parts.onStop(() => prices.stop());
  const desk = createRentalDesk({
    ...{ leases, markets, rentals, limits, machine, clock, publish: parts.publish },
    ...{ prices, bills: createRentalBills({ markets, book, clock }) },
  });
  parts.onStop(() => desk.stop());
  return { desk, rented };
}

function highestBid(leases: readonly LeaseView[], market: string, gpu: string): Nanos | null {
  const bids = leases.flatMap((one) => (one.market === market && one.gpu === gpu ? (one.bidPerHourNanos ?? []) : []));
  return bids.length === 0 ? null : Math.max(...bids);
}

function plainMachine({ image, environment }: Config["rentals"][string]) {
  return { image, port: servedPort, environment, onStart: "" };
}
