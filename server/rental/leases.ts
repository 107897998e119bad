/**
 * The leases of this box: takes up those of the last run, keeps each, looks at every market where something is rented, and does what
 * people and targets ask. Runs in the server. Stopping it leaves every machine as it is, and says what goes on costing.
 */
import { Failure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { atBid, paidNanos, runningPerHourNanos } from "../domain/rental/burn.ts";
import { type Adoption, nobodyThere, notFromHere } from "../domain/rental/adopted.ts";
import type { LeaseView, SpendCaps } from "../domain/rental/lease.ts";
import { hasEnded, isAdopted, type LeaseRecord, moved } from "../domain/rental/lease-record.ts";
import { withSettled } from "../domain/rental/lease-view.ts";
import { roughUsd } from "../domain/rental/usd-text.ts";
import type { LeaseBook } from "../ledger/leases.ts";
import { adopt, capTeller } from "./adopted.ts";
import { type LeaseHealth, type LeaseProbe, usualHealthMs, watchHealth } from "./lease-health.ts";
import type { BurnSummary, LeaseDesk } from "./lease-desk.ts";
import { Keeper } from "./lease-keeper.ts";
import { createLeaseLooks, lookMs } from "./lease-looks.ts";
import { createRenting, type LeaseEnvironment, orderMs } from "./lease-renting.ts";
import { createLeaseSpend } from "./lease-spend.ts";
import type { Market } from "./market.ts";
import { createOrphanage, isOf, labelOf } from "./orphans.ts";
import { createTwins, type NewLeases } from "./twins.ts";

export interface LeasesParts {
  readonly book: LeaseBook;
  readonly markets: readonly Market[];
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this box in labels. */
  readonly box: string;
  /** For days and months of caps; null: the machine's own. */
  readonly zone: string | null;
  readonly caps: Omit<SpendCaps, "perInstanceNanos">;
  readonly pollMs: number;
  readonly probe: LeaseProbe;
  /** Between two looks at whether a ready one answers; absent: so short that a hang is noticed within 30 s. */
  readonly healthMs?: number;
  /** Machines of the settings; absent: leases of such are left as they are. */
  readonly adoptions?: readonly Adoption[];
  /** What a machine is told of its lease, besides its order: its key, when it ends. Absent: nothing. */
  readonly environmentOf?: LeaseEnvironment;
}

export interface Leases {
  readonly desk: LeaseDesk;
  /** Days of these were settled by bills: what they cost is another. */
  settled(leases: readonly number[]): void;
  close(): void;
}

interface Kept {
  readonly keeper: Keeper;
  readonly health: LeaseHealth;
}

const hourMs = 3_600_000;
/** Ended leases are shown for so long. */
const shownMs = 30 * 24 * hourMs;

/** Contacts a market only where something is rented. Throws nothing. */
export function createLeases(parts: LeasesParts): Leases {
  const { book, markets, clock, log, box, zone, caps, pollMs } = parts;
  const kept = new Map<number, Kept>();
  const ended = new Map<number, LeaseView>();
  const listeners = new Set<(lease: LeaseView) => void>();
  const marketOf = (id: string) => markets.find((one) => one.id === id) ?? null;
  let latestMs = 0;
  let isStopped = false;
  const now = () => {
    latestMs = Math.max(latestMs, clock.now());
    return latestMs;
  };

  const spend = createLeaseSpend(book, zone, now);
  const tellCaps = capTeller(clock, log);
  const views = () => [...kept.values()].map(({ keeper }) => keeper.view());
  const perHourOfAll = () => views().reduce((sum, { perHourNanos }) => sum + perHourNanos, 0);
  const newLeases: NewLeases = {
    ...{ book, now, keep: (record) => keep(record).keeper },
    own() {
      const id = Math.max(book.nextId(), looks.highestLease() + 1);
      return { id, label: labelOf(box, id) };
    },
  };
  const orphanage = createOrphanage({
    ...{ box, markets, clock },
    isOurs: (market, instance) => [...kept.values()].some(({ keeper: { record } }) => isOf(record, market, instance)),
  });
  const twins = createTwins({ ...newLeases, log });
  const looks = createLeaseLooks({
    ...{ clock, log, box, pollMs, orphanage },
    keepersAt: (market) =>
      [...kept.values()].flatMap(({ keeper }) => (keeper.record.market === market ? [keeper] : [])),
    isCreating: (id) => renting.isCreating(id),
    seen(market, list, records) {
      twins.seen(market, list, records);
      tellCaps(records, () => ({ caps, spent: spend.ofAll() }));
    },
  });
  const renting = createRenting({
    ...{ newLeases, marketOf, caps, spend, perHourOfAll, tell, lookSoon: looks.soon },
    environmentOf: (lease) => parts.environmentOf?.(lease) ?? {},
  });

  function tell(view: LeaseView): void {
    for (const listener of [...listeners]) {
      try {
        listener(view);
      } catch (err) {
        log.error({ lease: view.id, err }, "somebody who watches leases failed");
      }
    }
  }

  function keep(record: LeaseRecord): Kept {
    const market = marketOf(record.market);
    const lookSoon = () => {
      if (market !== null) looks.soon(market);
    };
    const keeper = new Keeper(record, {
      ...{ book, market, clock, log, now, lookSoon, orderMs },
      spentOfAll: spend.ofAll,
      staleMs: 3 * pollMs + lookMs,
      changed: (view) => {
        if (view.state === "ended") retire(view);
        kept.get(view.id)?.health.changed();
        tell(view);
      },
    });
    const health = watchHealth(keeper, parts.probe, clock, parts.healthMs ?? usualHealthMs, (answers) => {
      // The market may know why.
      if (!answers && keeper.record.state !== "starting") lookSoon();
      void keeper.settle();
    });
    const one = { keeper, health };
    kept.set(record.id, one);
    return one;
  }

  function retire(view: LeaseView): void {
    const one = kept.get(view.id);
    one?.health.stop();
    one?.keeper.stop();
    kept.delete(view.id);
    ended.set(view.id, view);
  }

  function takeUp(): void {
    for (const record of book.load(now() - shownMs)) {
      const one = keep(record);
      if (hasEnded(record)) {
        retire(one.keeper.view());
        continue;
      }
      if (record.state === "intended" && record.order === null) {
        one.keeper.change(moved(record, "ended", "it was never asked for", now()));
        continue;
      }
      if (marketOf(record.market) === null && !isAdopted(record)) {
        log.error(
          { lease: record.id, market: record.market },
          "a lease is at a market that is not in the settings any more; it goes on costing",
        );
      }
      const market = marketOf(record.market);
      // A look comes first, or that there is none: once it is destroyed nobody sees any more whether it ran meanwhile.
      if (market !== null) looks.soon(market);
      else void one.keeper.settle();
    }
    if (parts.adoptions === undefined) return;
    const there = [...kept.values()].map(({ keeper }) => keeper);
    for (const { record } of adopt(parts.adoptions, there, newLeases)) {
      const market = marketOf(record.market);
      if (market !== null) looks.soon(market);
    }
  }

  const found = (id: number): Kept => {
    const one = kept.get(id);
    if (one !== undefined) return one;
    const words = ended.has(id) ? `The lease ${id} has ended.` : `There is no lease ${id}.`;
    throw new Failure("not_found", words, { next: ["lanthorn rental list --ended"] });
  };

  async function ordered(id: number, wish: LeaseRecord["wish"], reason: string): Promise<LeaseView> {
    const { keeper } = found(id);
    if (isAdopted(keeper.record))
      throw notFromHere(keeper.record, { run: "start", stop: "stop", end: "destroy" }[wish]);
    const market = marketOf(keeper.record.market);
    if (market === null) throw nobodyThere(keeper.record);
    if (wish === "stop" && !market.traits.stops) {
      throw new Failure("unsupported", `${market.title} cannot stop a machine; it can be destroyed.`, {
        next: [`lanthorn rental destroy ${id}`],
      });
    }
    if (wish === "run") {
      if (keeper.record.wish === "end") throw new Failure("invalid_request", `The lease ${id} is being ended.`);
      const { billed, quoted, terms } = keeper.record;
      const hourNanos = runningPerHourNanos(billed ?? quoted);
      const leaseNanos = paidNanos(keeper.burn());
      const ofAll = { ...caps, perInstanceNanos: terms?.caps.perInstanceNanos ?? null };
      spend.mayCost({ hourNanos, besideNanos: perHourOfAll(), leaseNanos, caps: ofAll });
    }
    keeper.wish(wish, reason);
    await keeper.settle();
    return keeper.view();
  }

  /** More than before must fit below the caps as a start does. */
  function mayBid(keeper: Keeper, bidNanos: Nanos): void {
    const { billed, quoted, terms, bidPerHourNanos } = keeper.record;
    if (bidPerHourNanos !== null && bidNanos <= bidPerHourNanos) return;
    spend.mayCost({
      hourNanos: runningPerHourNanos(atBid(billed ?? quoted, bidNanos)),
      besideNanos: perHourOfAll() - keeper.view().perHourNanos,
      leaseNanos: paidNanos(keeper.burn()),
      caps: { ...caps, perInstanceNanos: terms?.caps.perInstanceNanos ?? null },
    });
  }

  takeUp();

  const desk: LeaseDesk = {
    list: ({ ended: withEnded = false } = {}) =>
      [...(withEnded ? ended.values() : []), ...views()].sort((left, right) => left.id - right.id),
    show: (id) => ended.get(id) ?? found(id).keeper.view(),
    async rent(wish, signal) {
      if (isStopped) throw new Failure("shutting_down", "The box is stopping; nothing is rented any more.");
      return renting.rent(wish, signal);
    },
    start: (id, reason) => ordered(id, "run", reason),
    stop: (id, reason) => ordered(id, "stop", reason),
    destroy: (id, reason) => ordered(id, "end", reason),
    async changeBid(id, bidNanos) {
      const { keeper } = found(id);
      const { market: name, instanceId, kind } = keeper.record;
      if (isAdopted(keeper.record)) throw notFromHere(keeper.record, "bid for");
      const market = marketOf(name);
      if (market === null || instanceId === null || kind !== "bid") {
        throw new Failure("invalid_request", `The lease ${id} is not a bid.`);
      }
      mayBid(keeper, bidNanos);
      await market.changeBid(instanceId, bidNanos, AbortSignal.timeout(orderMs));
      // It is what was agreed to from now on: what is billed is compared with it, and counts by it while no bill is seen.
      const { record } = keeper;
      keeper.change({ ...record, bidPerHourNanos: bidNanos, quoted: atBid(record.quoted, bidNanos) });
      looks.soon(market);
      return keeper.view();
    },
    orphans: orphanage.list,
    endOrphan: orphanage.end,
    begin: (id) => kept.get(id)?.keeper.begin() ?? (() => {}),
    suspect(id, reason) {
      const one = kept.get(id);
      if (one === undefined) return;
      log.info({ lease: id, reason }, "a rented machine is looked at");
      one.health.now();
      const market = marketOf(one.keeper.record.market);
      if (market !== null) looks.soon(market);
    },
    notice(market, instanceId, reason) {
      const one = [...kept.values()].find(
        ({ keeper: { record } }) => record.market === market && record.instanceId === instanceId,
      );
      if (one === undefined || one.keeper.record.wish !== "run") return false;
      one.keeper.interrupt("preempted", "notice", reason);
      void one.keeper.settle();
      return true;
    },
    watch(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    burn(): BurnSummary {
      const all = views();
      const { dayNanos, monthNanos } = spend.ofAll();
      return {
        ...{ todayNanos: dayNanos, monthNanos },
        perHourNanos: perHourOfAll(),
        caps,
        costing: all.filter((lease) => lease.perHourNanos > 0 || lease.state === "intended").length,
      };
    },
  };
  return { desk, settled, close };

  function settled(which: readonly number[]): void {
    for (const id of which) {
      kept.get(id)?.keeper.settled();
      const over = ended.get(id);
      if (over !== undefined) ended.set(id, withSettled(over, book.settledOf(id)));
    }
  }

  function close(): void {
    isStopped = true;
    const left = views().filter(({ perHourNanos }) => perHourNanos > 0);
    if (left.length > 0) {
      const perHour = roughUsd(perHourOfAll());
      log.warn(
        { leases: left.map(({ id }) => id), perHour },
        "rented machines go on costing while this box is stopped",
      );
    }
    looks.stop();
    for (const { keeper, health } of kept.values()) {
      health.stop();
      keeper.stop();
    }
  }
}
