/**
 * The leases of this box: takes up those of the last run, keeps each, looks at every market where something is rented, and does what
 * people and targets ask. Runs in the server. Stopping it leaves every machine as it is, and says what goes on costing.
 */
import { asFailure, Failure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { atBid, paidNanos, runningPerHourNanos } from "../domain/rental/burn.ts";
import { type Adoption, notFromHere } from "../domain/rental/adopted.ts";
import type { LeaseTerms, LeaseView, SpendCaps } from "../domain/rental/lease.ts";
import type { InstanceList } from "../domain/rental/market.ts";
import { needImage } from "../domain/rental/need-image.ts";
import { hasEnded, intendedLease, isAdopted, type LeaseRecord, moved } from "../domain/rental/lease-record.ts";
import { sending } from "../domain/rental/lease-step.ts";
import { withSettled } from "../domain/rental/lease-view.ts";
import { roughUsd } from "../domain/rental/usd-text.ts";
import type { LeaseBook } from "../ledger/leases.ts";
import { adopt, capTeller } from "./adopted.ts";
import { type LeaseHealth, type LeaseProbe, usualHealthMs, watchHealth } from "./lease-health.ts";
import type { BurnSummary, LeaseDesk, RentWish } from "./lease-desk.ts";
import { Keeper } from "./lease-keeper.ts";
import { createLeaseSpend } from "./lease-spend.ts";
import type { Market } from "./market.ts";
import { lookAtMarket, type MarketLook } from "./market-look.ts";
import { createOrphanage, labelOf, leaseOfLabel } from "./orphans.ts";
import { createTwins } from "./twins.ts";

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
  environmentOf?(
    lease: Pick<LeaseRecord, "rental" | "label" | "market" | "createdAtMs"> & { readonly terms: LeaseTerms },
  ): Readonly<Record<string, string>>;
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
const orderMs = 30_000;
const lookMs = 20_000;
/** Between two looks where something is on its way, if the market allows it: its GPU is billed from a moment that only a list shows. */
const movingMs = 3_000;
const still: ReadonlySet<LeaseRecord["state"]> = new Set<LeaseRecord["state"]>(["ready", "stopped", "interrupted"]);
/** A refusal that says for sure that nothing was made. */
const refusals: ReadonlySet<string> = new Set([
  "not_found",
  "invalid_request",
  "unsupported",
  "upstream_invalid_request",
  "upstream_key_refused",
  "upstream_quota",
  "upstream_rate_limited",
]);

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
  /** The highest lease that any label of ours has named: a ledger that was restored must not give its number again. */
  let highest = 0;
  const toldOrphans = new Set<string>();
  /** Asked for and not answered: lists say nothing about them yet. */
  const creating = new Set<number>();

  const ownOfNew = () => {
    const id = Math.max(book.nextId(), highest + 1);
    return { id, label: labelOf(box, id) };
  };
  const keeperOf = (record: LeaseRecord) => keep(record).keeper;
  const twins = createTwins({ book, log, now, own: ownOfNew, keep: keeperOf });

  function tell(view: LeaseView): void {
    for (const listener of [...listeners]) {
      try {
        listener(view);
      } catch (err) {
        log.error({ lease: view.id, err }, "somebody who watches leases failed");
      }
    }
  }

  const looks = new Map<string, MarketLook>();
  function lookOf(market: Market): MarketLook {
    const found = looks.get(market.id);
    if (found !== undefined) return found;
    const ofMarket = () => [...kept.values()].filter(({ keeper }) => keeper.record.market === market.id);
    const made = lookAtMarket({
      ...{ market, clock, log, limitMs: lookMs },
      everyMs: () =>
        ofMarket().every(({ keeper }) => still.has(keeper.record.state)) ? pollMs : Math.min(pollMs, movingMs),
      isWanted: () => ofMarket().length > 0,
      seen: (list, askedAtMs) => {
        const records = ofMarket().map(({ keeper }) => keeper.record);
        twins.seen(market.id, list, records);
        tellOrphans(market, list);
        tellCaps(
          ofMarket().map(({ keeper }) => keeper.record),
          () => ({ caps, spent: spend.ofAll() }),
        );
        for (const { keeper } of ofMarket()) {
          if (!creating.has(keeper.record.id)) keeper.observe(list, askedAtMs);
          void keeper.settle();
        }
      },
      missed: () => {
        for (const { keeper } of ofMarket()) void keeper.settle();
      },
    });
    looks.set(market.id, made);
    return made;
  }

  /** In the log, once for each: somebody has to end them. */
  function tellOrphans(market: Market, list: InstanceList): void {
    for (const { label } of list.instances) highest = Math.max(highest, leaseOfLabel(label, box) ?? 0);
    for (const { instanceId, label } of orphanage.in(market.id, list)) {
      if (toldOrphans.has(`${market.id} ${instanceId}`)) continue;
      toldOrphans.add(`${market.id} ${instanceId}`);
      log.warn(
        { market: market.id, instance: instanceId, label },
        "a machine with our label costs money and no lease knows it: lanthorn rental orphans",
      );
    }
  }

  function keep(record: LeaseRecord): Kept {
    const market = marketOf(record.market);
    const lookSoon = () => {
      if (market !== null) lookOf(market).soon();
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
      if (market !== null) lookOf(market).soon();
      else void one.keeper.settle();
    }
    if (parts.adoptions === undefined) return;
    const there = [...kept.values()].map(({ keeper }) => keeper);
    for (const { record } of adopt(parts.adoptions, there, { book, now, own: ownOfNew, keep: keeperOf })) {
      const market = marketOf(record.market);
      if (market !== null) lookOf(market).soon();
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
    if (wish === "stop" && market?.traits.stops === false) {
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

  async function rent({ rental, offer, order, terms }: RentWish, signal: AbortSignal): Promise<LeaseView> {
    if (isStopped) throw new Failure("shutting_down", "The box is stopping; nothing is rented any more.");
    const market = marketOf(offer.market);
    if (market === null) throw new Failure("not_found", `There is no market "${offer.market}" here.`);
    needImage(rental, order.image);
    const bid = order.bidPerHourNanos;
    if ((order.kind === "bid") !== (bid !== null)) {
      throw new Failure("invalid_request", "A bid states its price, and what is no bid has none.", {
        param: "bidUsdPerHour",
      });
    }
    const quoted = atBid(offer.rates, bid);
    const ofAll = { ...caps, perInstanceNanos: terms.caps.perInstanceNanos };
    const hourNanos = runningPerHourNanos(quoted);
    spend.mayCost({ hourNanos, besideNanos: perHourOfAll(), leaseNanos: 0, caps: ofAll });
    const own = ownOfNew();
    const { gpu, gpuCount, offerId } = offer;
    const lease = { ...own, rental, market: market.id, kind: order.kind, bidPerHourNanos: bid };
    const agreed = { ...terms, caps: ofAll };
    const meant = intendedLease({ ...lease, gpu, gpuCount, offerId, quoted, terms: agreed }, now());
    // In the file before the market hears of it: a crash from here on leaves a lease that is looked for.
    const sent = sending(meant, "create", now());
    book.write(sent, { from: null });
    const { keeper } = keep(sent);
    tell(keeper.view());
    let instanceId: string;
    const environment = { ...parts.environmentOf?.({ ...sent, terms: agreed }), ...order.environment };
    creating.add(own.id);
    try {
      const whole = { ...order, environment, offerId, gpu, gpuCount, label: own.label };
      ({ instanceId } = await market.create(whole, signal));
    } catch (thrown) {
      const failure = asFailure(thrown);
      const { record } = keeper;
      if (refusals.has(failure.code)) {
        keeper.change(moved(record, "ended", `refused: ${failure.message}`.slice(0, 300), now()));
      } else {
        // It may have been heard until now: from here on a list may say that nothing was made.
        keeper.change({ ...record, order: { kind: "create", atMs: now(), tries: 1, heardAtMs: null } });
      }
      lookOf(market).soon();
      throw failure;
    } finally {
      creating.delete(own.id);
    }
    const made = { ...keeper.record, instanceId, order: null };
    keeper.change(moved(made, "starting", "the market has made it", now()));
    lookOf(market).soon();
    await keeper.settle();
    return keeper.view();
  }

  const orphanage = createOrphanage({
    ...{ box, markets, clock },
    isOurs: (market, { instanceId, label }) =>
      [...kept.values()].some(
        ({ keeper: { record } }) =>
          // A second one of its label is nobody's, once it is known which one is its own.
          record.market === market &&
          (record.instanceId === null ? record.label === label : record.instanceId === instanceId),
      ),
  });

  const views = () => [...kept.values()].map(({ keeper }) => keeper.view());
  const perHourOfAll = () => views().reduce((sum, { perHourNanos }) => sum + perHourNanos, 0);
  takeUp();

  const desk: LeaseDesk = {
    list: ({ ended: withEnded = false } = {}) =>
      [...(withEnded ? ended.values() : []), ...views()].sort((left, right) => left.id - right.id),
    show: (id) => ended.get(id) ?? found(id).keeper.view(),
    rent,
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
      await market.changeBid(instanceId, bidNanos, AbortSignal.timeout(orderMs));
      keeper.change({ ...keeper.record, bidPerHourNanos: bidNanos });
      lookOf(market).soon();
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
      if (market !== null) lookOf(market).soon();
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
    for (const look of looks.values()) look.stop();
    for (const { keeper, health } of kept.values()) {
      health.stop();
      keeper.stop();
    }
  }
}
