/**
 * A lease desk that keeps its leases in memory and does at once what it is told, for what lies above it: a test says when a machine is
 * ready, gone or stopped. It spends nothing.
 */
import { Failure } from "../../server/domain/failure.ts";
import type { LeaseState, LeaseView, SpendCaps } from "../../server/domain/rental/lease.ts";
import type { RentalOffer } from "../../server/domain/rental/market.ts";
import type { BurnSummary, LeaseDesk, RentWish } from "../../server/rental/lease-desk.ts";
import type { Market } from "../../server/rental/market.ts";

export interface LeasesInMemory extends LeaseDesk {
  /** What it was told, in order: `start 1`, `rent`, `stop 2`, `begin 1`, `over 1 (8 tokens)`, `suspect 1`. */
  readonly told: string[];
  readonly wishes: RentWish[];
  add(lease: Partial<LeaseView>): LeaseView;
  /** What changed is told to whoever watches. */
  change(id: number, changed: Partial<LeaseView>): LeaseView;
  become(id: number, state: LeaseState, reason?: string): LeaseView;
  /** What the next start or rental fails with. */
  failWith: Failure | null;
  burnt: BurnSummary;
  /** Called after a start or a rental; what a machine does by itself. */
  onWoken(lease: LeaseView): void;
}

const gb = 1e9;
export const noCaps: SpendCaps = { perInstanceNanos: null, perDayNanos: null, perMonthNanos: null };
const rates = {
  ...{ gpuPerHourNanos: 0.3 * gb, storagePerHourNanos: 0.06 * gb, stoppedStoragePerHourNanos: 0.06 * gb },
  ...{ uploadPerGbNanos: 0, downloadPerGbNanos: 0 },
};

/** `now`: epoch milliseconds. */
export function leasesInMemory(now: () => number, rental: string): LeasesInMemory {
  const leases = new Map<number, LeaseView>();
  const listeners = new Set<(lease: LeaseView) => void>();
  let last = 0;
  const show = (id: number): LeaseView => {
    const lease = leases.get(id);
    if (lease === undefined) throw new Failure("not_found", `There is no lease ${id}.`);
    return lease;
  };
  const orFail = () => {
    const failure = desk.failWith;
    desk.failWith = null;
    if (failure !== null) throw failure;
  };
  const desk: LeasesInMemory = {
    told: [],
    wishes: [],
    failWith: null,
    burnt: { perHourNanos: 0, todayNanos: 0, monthNanos: 0, caps: noCaps, costing: 0 },
    onWoken: () => {},
    add(wish) {
      last += 1;
      const lease = { ...blank(last, rental, now()), ...wish };
      leases.set(lease.id, lease);
      return lease;
    },
    change(id, changed) {
      const lease = { ...show(id), ...changed };
      leases.set(id, lease);
      for (const listener of listeners) listener(lease);
      return lease;
    },
    become: (id, state, reason = "") => desk.change(id, { state, reason, since: now() }),
    list: ({ ended = false } = {}) => [...leases.values()].filter(({ state }) => ended || state !== "ended"),
    show,
    async rent(wish) {
      desk.told.push("rent");
      orFail();
      desk.wishes.push(wish);
      const { kind, bidPerHourNanos } = wish.order;
      const { gpu, gpuCount, rates: quoted, market } = wish.offer;
      const facts = { kind, bidPerHourNanos, gpu, gpuCount, quoted, market, terms: wish.terms, rental: wish.rental };
      const lease = desk.add({ ...facts, state: "starting" });
      desk.become(lease.id, "starting");
      desk.onWoken(lease);
      return show(lease.id);
    },
    async start(id) {
      desk.told.push(`start ${id}`);
      orFail();
      desk.become(id, "starting");
      desk.onWoken(show(id));
      return show(id);
    },
    async stop(id) {
      desk.told.push(`stop ${id}`);
      desk.become(id, "stopping");
      return desk.become(id, "stopped");
    },
    async destroy(id) {
      desk.told.push(`destroy ${id}`);
      return desk.become(id, "destroying");
    },
    changeBid: async (id, bidPerHourNanos) => desk.change(id, { bidPerHourNanos }),
    orphans: async () => ({ orphans: [], unread: [] }),
    endOrphan: async () => {},
    begin(id) {
      desk.told.push(`begin ${id}`);
      return (done) => void desk.told.push(`over ${id} (${done?.completionTokens ?? "?"} tokens)`);
    },
    suspect: (id) => void desk.told.push(`suspect ${id}`),
    notice: () => false,
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    burn: () => desk.burnt,
  };
  return desk;
}

function blank(id: number, rental: string, nowMs: number): LeaseView {
  const burn = { gpuNanos: 0, storageNanos: 0, trafficNanos: 0, usedNanos: 0, idleNanos: 0, settledNanos: 0 };
  return {
    ...{ id, rental, market: "den", label: `lanthorn-test-${id}`, instanceId: String(id), state: "stopped" },
    ...{
      since: nowMs,
      reason: "",
      until: null,
      kind: "on-demand",
      bidPerHourNanos: null,
      gpu: "RTX 4090",
      gpuCount: 1,
    },
    seen: { state: "running", words: "", atMs: null },
    ...{ quoted: rates, billed: null, perHourNanos: 0, tokensServed: 0, perMillionTokensNanos: null, address: null },
    burn: { ...burn, runningMs: 0, stoppedMs: 0, unknownMs: 0 },
    terms: { bootDeadlineMs: 900_000, idleStopMs: 600_000, destroyAfterMs: null, longestMs: 43_200_000, caps: noCaps },
    ...{ createdAtMs: nowMs, endsAtMs: nowMs + 43_200_000, idleStopAtMs: null, destroyAtMs: null },
    ...{ interruptions: 0, meanTimeBetweenInterruptionsMs: null },
  };
}

export function offer(offerId: string, wishes: Partial<RentalOffer> = {}): RentalOffer {
  return {
    ...{ market: "den", offerId, kind: "on-demand", gpu: "RTX 4090", gpuCount: 1, vramBytes: 24 * gb, rates },
    ...{ leastBidPerHourNanos: null, reliability: 0.99, region: null, verified: true, longestMs: null },
    availability: null,
    ...wishes,
  };
}

/** A market that offers what it is given and does nothing else. */
export function offering(id: string, offers: readonly RentalOffer[], now: () => number): Market {
  const nothing = () => Promise.reject(new Failure("unsupported", "Nobody rents here."));
  return {
    ...{ id, type: "static", title: id },
    traits: {
      bids: true,
      stops: true,
      volumes: true,
      billsAllButStopped: false,
      offersEveryMs: 1_000,
      instancesEveryMs: 1_000,
    },
    offers: async () => ({ offers, rejected: [], takenAtMs: now() }),
    ...{ instances: nothing, create: nothing, start: nothing, stop: nothing, destroy: nothing, changeBid: nothing },
    bills: nothing,
  };
}
