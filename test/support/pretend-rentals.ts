/**
 * A market and a lease desk that do what a test says, and remember what they were asked. For what lies above them: the stand-in markets
 * of `test/support/markets` speak the real wires.
 */
import { Failure } from "../../server/domain/failure.ts";
import type { LeaseView, Orphan } from "../../server/domain/rental/lease.ts";
import type { OfferFilter, RentalOffer } from "../../server/domain/rental/market.ts";
import type { BurnSummary, LeaseDesk, RentWish } from "../../server/rental/lease-desk.ts";
import type { RentalDeskParts } from "../../server/rental/rental-desk.ts";
import { burnOf } from "../../server/ledger/lease-reports.ts";
import type { Market } from "../../server/rental/market.ts";

export interface PretendMarket extends Market {
  readonly asked: OfferFilter[];
  /** What it offers from now on, or what it fails with. */
  offered: readonly RentalOffer[] | Failure;
}

const noMarket = () => {
  throw new Failure("unsupported", "Nobody rents here.");
};

export function pretendMarket(
  id: string,
  now: () => number,
  offered: readonly RentalOffer[] | Failure = [],
): PretendMarket {
  const market: PretendMarket = {
    id,
    type: id,
    title: id,
    traits: {
      bids: true,
      stops: true,
      volumes: false,
      billsAllButStopped: false,
      offersEveryMs: 10_000,
      instancesEveryMs: 1_000,
    },
    asked: [],
    offered,
    async offers(filter) {
      market.asked.push(filter);
      if (market.offered instanceof Failure) throw market.offered;
      const offers = market.offered.filter(({ kind }) => filter.kind === undefined || filter.kind === kind);
      return { offers, rejected: [], takenAtMs: now() };
    },
    instances: noMarket,
    create: noMarket,
    start: noMarket,
    stop: noMarket,
    destroy: noMarket,
    changeBid: noMarket,
    bills: noMarket,
  };
  return market;
}

/** Bills that agree, and no history: for tests that are about something else. */
const noBills = async ({ from, to }: { from: string; to: string }) => ({ from, to, agrees: true, markets: [] });

export const noRecords: Pick<RentalDeskParts, "bills" | "prices" | "records"> = {
  bills: { compare: noBills, settle: noBills },
  prices: { history: () => [] },
  records: {
    history: async () => ({ events: [], interruptions: [], eventsBefore: 0, interruptionsBefore: 0 }),
    steadiness: async () => [],
    burn: async () => ({ zone: null, periods: [], leases: [], total: burnOf([]) }),
  },
};

export interface PretendLeases extends LeaseDesk {
  readonly rented: RentWish[];
  readonly orders: string[];
  leases: LeaseView[];
  found: Orphan[];
  /** Told to whoever watches. */
  change(lease: LeaseView): void;
}

export function pretendLeases(first: readonly LeaseView[], burn: BurnSummary): PretendLeases {
  const listeners = new Set<(lease: LeaseView) => void>();
  const show = (id: number) => {
    const lease = desk.leases.find((one) => one.id === id);
    if (lease === undefined) throw new Failure("not_found", `There is no lease ${id}.`);
    return lease;
  };
  const become = (id: number, changed: Partial<LeaseView>, words: string) => {
    desk.orders.push(`${words} ${id}`);
    const lease = { ...show(id), ...changed };
    desk.change(lease);
    return Promise.resolve(lease);
  };
  const desk: PretendLeases = {
    rented: [],
    orders: [],
    leases: [...first],
    found: [],
    change(lease) {
      desk.leases = [...desk.leases.filter(({ id }) => id !== lease.id), lease];
      for (const listener of listeners) listener(lease);
    },
    list: ({ ended = false } = {}) => desk.leases.filter(({ state }) => ended || state !== "ended"),
    show,
    async rent(wish) {
      desk.rented.push(wish);
      const [template] = first;
      if (template === undefined) throw new Failure("upstream_unreachable", "The market is silent.");
      const lease = { ...template, id: 100 + desk.rented.length, state: "starting" as const, rental: wish.rental };
      desk.change(lease);
      return lease;
    },
    start: (id, reason) => become(id, { state: "starting" }, `start (${reason})`),
    stop: (id, reason) => become(id, { state: "stopping" }, `stop (${reason})`),
    destroy: (id, reason) => become(id, { state: "destroying" }, `destroy (${reason})`),
    changeBid: (id, bidPerHourNanos) => become(id, { bidPerHourNanos }, `bid ${bidPerHourNanos}`),
    orphans: async () => ({ orphans: desk.found, unread: [] }),
    async endOrphan(market, instanceId) {
      if (instanceId === "stubborn") throw new Failure("upstream_failed", "It is still listed.");
      desk.found = desk.found.filter((one) => one.market !== market || one.instanceId !== instanceId);
    },
    begin: () => () => {},
    notice: () => false,
    suspect: () => {},
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    burn: () => burn,
  };
  return desk;
}
