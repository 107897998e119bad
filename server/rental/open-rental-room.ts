/**
 * The room of rented machines, joined: markets with their keys, leases with what asks them whether they answer, the targets that requests
 * go to, and the desk for people. Runs in the server process, opened by the composition root in one line. Contacts a market only where
 * something is rented already.
 */
import { join } from "node:path";
import type { Config } from "../config/schema.ts";
import { chosenZone } from "../config/zone-setting.ts";
import { nanosOfUsd } from "../domain/decimal.ts";
import type { Clock, Log, Publish } from "../domain/ports.ts";
import { isAdopted } from "../domain/rental/lease-record.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { UpstreamFetch } from "../platform/upstream/upstream-fetch.ts";
import { adoptionsOf } from "./adopted.ts";
import { startBillSettler } from "./bill-settler.ts";
import { createRentalBills } from "./bills.ts";
import { startHeart } from "./home/heart.ts";
import { openHomeKey } from "./home/home-key.ts";
import { createMachineWays } from "./home/machine-ways.ts";
import { createNotices } from "./home/notices.ts";
import type { LeaseProbe } from "./lease-health.ts";
import { createLeases } from "./leases.ts";
import type { RentWish } from "./lease-desk.ts";
import { createLeaseRecords } from "./lease-records.ts";
import { openMarkets } from "./open-markets.ts";
import { watchPrices } from "./price-watch.ts";
import { createRentalDesk, type RentalDesk } from "./rental-desk.ts";
import { createLeaseProbe } from "./wake/lease-probe.ts";
import { readMachineKey } from "./wake/machine-key.ts";
import { openRentals, type Rentals } from "./wake/open-rentals.ts";

export interface RentalRoomParts {
  readonly settings: Pick<Config, "markets" | "rentals" | "rentalLimits" | "zone" | "network" | "providers">;
  readonly ledger: Pick<Ledger, "leases" | "leaseReports" | "marketPrices">;
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
  /** Takes a machine's word that it goes. Throws `invalid_request` and `unknown_key`. */
  notice(body: unknown): object;
}

/** Where the Lanthorn of an instance listens. */
const servedPort = 4747;
/** Of `environmentOf` below, for people who want to know what is asked of a market. */
const ownVariables: readonly string[] = Object.freeze([
  "LANTHORN_HEADLESS",
  "LANTHORN_FIRST_KEY",
  "LANTHORN_HOME_PUBLIC_KEY",
  "LANTHORN_RENTAL_ENDS_AT",
]);
/** Of variables that machines are handed: a market may repeat one in what it refuses with. */
const secretNames = /KEY|TOKEN|SECRET|PASSWORD|PASSPHRASE|CREDENTIAL/;
/** A machine wonders after 45 minutes of silence. */
const heartbeatMs = 300_000;

/** Null: no market is set up, and nothing is left of one that was. Throws Failure `cannot_start` that names the setting at fault. */
export function openRentalRoom(parts: RentalRoomParts): RentalRoom | null {
  const { settings, clock, log, upstream, home, environment, knowSecret } = parts;
  const { leases: book, marketPrices } = parts.ledger;
  const { rentals, rentalLimits: limits } = settings;
  const { localOnly } = settings.network;
  const zone = chosenZone(settings.zone);
  const markets = openMarkets({
    ...{ settings: settings.markets, upstream, environment, home, clock, localOnly, knowSecret },
  });
  const nothingLeft = book.load(Number.POSITIVE_INFINITY).length === 0;
  if (markets.length === 0 && Object.keys(rentals).length === 0 && nothingLeft) return null;

  for (const { environment: handed } of Object.values(rentals)) {
    for (const [name, value] of Object.entries(handed)) if (secretNames.test(name)) knowSecret(value);
  }
  const keys = new Map(
    Object.entries(rentals).map(([name, { keyFile }]) => [name, readMachineKey(name, keyFile, home)] as const),
  );
  const ways = createMachineWays({
    ...{
      secretFile: join(home, "rental.key"),
      markets: settings.markets,
      rentals,
      keys,
      upstream,
      clock,
      log,
      knowSecret,
    },
  });
  parts.onStop(() => ways.close());
  const probe = createLeaseProbe({ clock, log, upstream, rentals, reach: ways.learn });
  const probeHere: LeaseProbe = (lease, depth, signal) => {
    // A question is a prompt, and goes where prompts may go.
    const isBarred = localOnly && isAdopted(lease) && rentals[lease.rental ?? ""]?.dataPolicy !== "local";
    return isBarred ? new Promise(() => {}) : probe(lease, depth, signal);
  };
  const homeKey = openHomeKey(join(home, "home.key"));
  const {
    desk: leases,
    settled,
    close,
  } = createLeases({
    ...{ book, markets, clock, log, box: parts.box, pollMs: limits.pollMs },
    zone,
    caps: { perDayNanos: nanosOfUsd(limits.mostUsdPerDay), perMonthNanos: nanosOfUsd(limits.mostUsdPerMonth) },
    adoptions: adoptionsOf(settings.markets, rentals),
    probe: probeHere,
    environmentOf: (lease) => ({
      LANTHORN_HEADLESS: "true",
      ...(settings.markets[lease.market]?.tls === "off" ? { LANTHORN_TLS_MODE: "off" } : {}),
      LANTHORN_FIRST_KEY: ways.firstKeyOf(lease),
      LANTHORN_HOME_PUBLIC_KEY: homeKey.publicKey,
      LANTHORN_RENTAL_ENDS_AT: new Date(lease.createdAtMs + lease.terms.longestMs).toISOString(),
    }),
  });
  parts.onStop(close);
  parts.onStop(
    leases.watch(({ id, state }) => {
      if (state === "ended") ways.forget(id);
    }),
  );
  /** Those that may run: what is told of a machine that does not hear is only a line in the log. */
  const hearing = () =>
    leases.list().flatMap((lease) => {
      // A machine of the settings was told nothing of a home.
      const isDeaf = lease.instanceId === null || lease.seen.state !== "running" || isAdopted(lease);
      const way = isDeaf ? null : ways.reach(lease);
      return way === null || lease.instanceId === null ? [] : [{ ...way, instanceId: lease.instanceId }];
    });
  parts.onStop(startHeart({ homeKey, clock, log, targets: hearing, everyMs: heartbeatMs }));
  const notice = createNotices({
    clock,
    firstKeyOf: (instance) => {
      const lease = leases.list().find(({ instanceId }) => instanceId === instance);
      return lease === undefined ? null : ways.firstKeyOf(lease);
    },
    notice: (instance, reason) => {
      const lease = leases.list().find(({ instanceId }) => instanceId === instance);
      if (lease !== undefined) leases.notice(lease.market, instance, reason);
    },
  });
  const priceWatch = watchPrices({
    ...{ markets, book: marketPrices, clock, log, everyMs: limits.pricesEveryMs, random: Math.random },
    gpus: (market) => Object.values(rentals).flatMap((one) => (one.market === market ? (one.gpu ?? []) : [])),
    ownBid: (market, gpu) => {
      const bids = leases
        .list()
        .filter((lease) => lease.market === market && lease.gpu === gpu && lease.kind === "bid");
      return bids.reduce<number | null>(
        (most, { bidPerHourNanos: bid }) => (bid === null ? most : Math.max(most ?? 0, bid)),
        null,
      );
    },
  });
  parts.onStop(() => priceWatch.stop());
  const machine = parts.machine ?? plainMachine;
  const rented = openRentals({
    ...{ rentals, limits, zone, desk: leases, markets, localOnly, machine, home, upstream, clock, log, knowSecret },
    reach: ways.reach,
    taken: [...Object.keys(settings.providers), "engine"],
  });
  parts.onStop(() => rented.stop());
  const bills = createRentalBills({ markets, book, clock, settled });
  parts.onStop(startBillSettler({ bills, markets, book, clock, log }));
  const desk = createRentalDesk({
    ...{ leases, markets, rentals, limits, machine, clock, publish: parts.publish },
    bills,
    prices: priceWatch,
    records: createLeaseRecords(parts.ledger.leaseReports, clock, zone),
    ownVariables,
  });
  parts.onStop(() => desk.stop());
  return { desk, rented, notice };
}

function plainMachine({ image, environment }: Config["rentals"][string]) {
  return { image, port: servedPort, environment, onStart: "" };
}
