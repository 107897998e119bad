/**
 * Renting as people do it: look at offers, see what one comes to, rent it, look after what is rented. `/admin/rentals` and the
 * commands go through here. Runs in the server. Leases are looked after by the lease desk; nothing here starts by itself.
 */
import type { RentalLimits, RentalSetting } from "../config/rental-setting.ts";
import { Failure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";
import type { Clock, Publish } from "../domain/ports.ts";
import type { DiskChoice } from "../domain/rental/disk-choice.ts";
import type { LeaseView, Orphan } from "../domain/rental/lease.ts";
import type { OfferFilter, RentalOffer } from "../domain/rental/market.ts";
import { needImage } from "../domain/rental/need-image.ts";
import { chooseOffers } from "../domain/rental/offer-choice.ts";
import { byPrice, type RentQuote, quoteOf } from "../domain/rental/quote.ts";
import { atBid } from "../domain/rental/burn.ts";
import { roughUsd } from "../domain/rental/usd-text.ts";
import { refusalBeside } from "../domain/rental/spend-room.ts";
import { disksOf } from "./disk-ways.ts";
import type { RentalBills, RentalPrices } from "./desk-parts.ts";
import type { LeaseRecords } from "./lease-records.ts";
import type { BurnSummary, LeaseDesk, RentWish } from "./lease-desk.ts";
import type { Market } from "./market.ts";
import { createOfferBoard, marketOf, type OfferBoard } from "./offer-board.ts";
import { type Asked, bidOf, filterOf, gbBytes, type RentAsk, readAsk, termsOf } from "./rent-ask.ts";

/** What is rented as a whole, as it stands. */
export interface RentalSummary extends BurnSummary {
  /** Stopped and still billed for their disks. */
  readonly stopped: { readonly leases: number; readonly perDayNanos: Nanos };
  readonly atMs: number;
}

/** What runs in the instance, as far as it may be shown: of the environment the names only. */
export interface OrderFacts {
  readonly image: string;
  readonly port: number;
  readonly diskBytes: number;
  readonly volumeId: string | null;
  readonly environment: readonly string[];
  readonly onStartLines: number;
}

export interface QuoteView {
  readonly rental: string | null;
  readonly quote: RentQuote;
  readonly order: OrderFacts;
  /** What keeping its weights while it is asleep costs, cheapest first; null: nobody has said how large they are. */
  readonly disk: DiskChoice | null;
  /** When the market said that price. */
  readonly takenAtMs: number;
  readonly burn: BurnSummary;
  /** Null: the caps leave room for an hour of it; else the sentence. */
  readonly refusal: string | null;
}

export interface BidView {
  readonly lease: LeaseView;
  /** The least that is taken now for such a GPU there; null: nobody knows, and `trouble` says why. */
  readonly leastBidPerHourNanos: Nanos | null;
  readonly takenAtMs: number | null;
  readonly trouble: string | null;
}

export interface OrphanList {
  readonly orphans: readonly Orphan[];
  /** Markets that could not be looked at: there may be more. */
  readonly unread: readonly string[];
}

export interface EndedOrphan extends Orphan {
  /** Null: the market confirmed that it is gone; else what it said instead. */
  readonly trouble: string | null;
}

export interface RentalDesk {
  readonly leases: Pick<LeaseDesk, "list" | "show" | "start" | "stop" | "destroy" | "changeBid">;
  /** Nothing is told any more. */
  stop(): void;
  readonly offers: OfferBoard["look"];
  summary(): RentalSummary;
  /** Contacts the market for its price and rents nothing. */
  quote(ask: RentAsk, signal: AbortSignal): Promise<QuoteView>;
  /** `agreedPerHourNanos`: more than this it may not ask by now, GPU and disk together. */
  rent(ask: RentAsk, agreedPerHourNanos: Nanos, signal: AbortSignal): Promise<LeaseView>;
  bid(id: number, signal: AbortSignal): Promise<BidView>;
  readonly bills: RentalBills["compare"];
  readonly settleBills: RentalBills["settle"];
  readonly prices: RentalPrices["history"];
  readonly records: LeaseRecords;
  orphans(signal: AbortSignal): Promise<OrphanList>;
  /** Those that are asked for, or all. Each is tried, whatever becomes of the others. */
  endOrphans(
    which: readonly Pick<Orphan, "market" | "instanceId">[] | null,
    signal: AbortSignal,
  ): Promise<{ readonly ended: readonly EndedOrphan[]; readonly unread: readonly string[] }>;
}

export interface RentalDeskParts {
  readonly leases: LeaseDesk;
  readonly markets: readonly Market[];
  readonly rentals: Readonly<Record<string, RentalSetting>>;
  readonly limits: RentalLimits;
  /** What runs in an instance of that setting. */
  readonly machine: (setting: RentalSetting) => Pick<RentWish["order"], "image" | "port" | "environment" | "onStart">;
  readonly bills: RentalBills;
  readonly prices: RentalPrices;
  readonly records: LeaseRecords;
  /** Names of what the lease desk adds to the environment of each machine. */
  readonly ownVariables?: readonly string[];
  readonly clock: Clock;
  /** Told of every change of a lease. */
  readonly publish: Publish;
}

export function createRentalDesk(parts: RentalDeskParts): RentalDesk {
  const { leases, markets, limits, clock } = parts;
  const board = createOfferBoard(markets, clock);
  const unwatch = leases.watch((lease) => parts.publish({ type: "lease", lease }));

  const wishOf = async (ask: RentAsk, signal: AbortSignal) => {
    const asked = readAsk(ask, parts.rentals);
    const { setting } = asked;
    if (markets.some(({ id, traits }) => id === asked.market && traits.fixed === true)) throw notRented(asked.market);
    const bid = bidOf(setting);
    const machine = parts.machine(setting);
    needImage(asked.rental, machine.image);
    const { offer, takenAtMs } = await offerFor(asked, bid, board, parts, signal);
    const { traits } = marketOf(markets, offer.market);
    const wish: RentWish = {
      rental: asked.rental,
      offer,
      order: {
        kind: offer.kind,
        bidPerHourNanos: bid,
        diskBytes: gbBytes(setting.diskGb),
        volumeId: setting.volumeId !== "" && traits.volumes ? setting.volumeId : null,
        ...machine,
      },
      terms: termsOf(setting, limits),
    };
    const disk = disksOf(setting, atBid(offer.rates, bid), traits);
    return { wish, quote: quoteOf(offer, bid, wish.terms, clock.now()), disk, takenAtMs };
  };

  return {
    leases,
    stop: unwatch,
    offers: board.look,
    summary() {
      const stopped = leases.list().filter(({ state }) => state === "stopped");
      const perDayNanos = stopped.reduce((sum, { perHourNanos }) => sum + perHourNanos * 24, 0);
      return { ...leases.burn(), stopped: { leases: stopped.length, perDayNanos }, atMs: clock.now() };
    },
    async quote(ask, signal) {
      const { wish, quote, disk, takenAtMs } = await wishOf(ask, signal);
      const { image, port, diskBytes, volumeId, environment, onStart } = wish.order;
      const onStartLines = onStart.trim() === "" ? 0 : onStart.trim().split("\n").length;
      const names = [...Object.keys(environment), ...(parts.ownVariables ?? [])];
      const order = { image, port, diskBytes, volumeId, environment: names, onStartLines };
      const burn = leases.burn();
      const { todayNanos, monthNanos, perHourNanos: besideNanos } = burn;
      const room = { caps: wish.terms.caps, todayNanos, monthNanos, leaseNanos: 0 };
      return {
        rental: wish.rental,
        quote,
        order,
        disk,
        takenAtMs,
        burn,
        refusal: refusalBeside(room, quote.perHourNanos, besideNanos),
      };
    },
    async rent(ask, agreedPerHourNanos, signal) {
      const { wish, quote } = await wishOf(ask, signal);
      if (quote.perHourNanos > agreedPerHourNanos) {
        throw new Failure("not_found", "The offer is not there any more at the price that was agreed to.", {
          why: `Agreed to ${roughUsd(agreedPerHourNanos)} an hour; it asks ${roughUsd(quote.perHourNanos)} now. Nothing was rented.`,
          next: ["lanthorn rental offers"],
        });
      }
      return leases.rent(wish, signal);
    },
    async bid(id, signal) {
      const lease = leases.show(id);
      if (!marketOf(markets, lease.market).traits.bids) return { lease, ...noBids };
      try {
        const filter = { gpu: lease.gpu, gpuCount: lease.gpuCount, kind: "bid" as const };
        const { offers, takenAtMs } = await board.fresh(lease.market, filter, signal);
        const bids = offers.flatMap(({ leastBidPerHourNanos: least }) => (least === null ? [] : [least]));
        const trouble = bids.length === 0 ? "nobody offers such a machine for bids now" : null;
        return { lease, leastBidPerHourNanos: bids.length === 0 ? null : Math.min(...bids), takenAtMs, trouble };
      } catch (thrown) {
        if (!(thrown instanceof Failure)) throw thrown;
        return { lease, leastBidPerHourNanos: null, takenAtMs: null, trouble: thrown.message };
      }
    },
    bills: parts.bills.compare,
    settleBills: parts.bills.settle,
    prices: parts.prices.history,
    records: parts.records,
    orphans: (signal) => leases.orphans(signal),
    endOrphans: (which, signal) => endOrphans(leases, which, signal),
  };
}

/** Also without a server: in an emergency a command ends them by itself. */
export async function endOrphans(
  leases: Pick<LeaseDesk, "orphans" | "endOrphan">,
  which: readonly Pick<Orphan, "market" | "instanceId">[] | null,
  signal: AbortSignal,
): ReturnType<RentalDesk["endOrphans"]> {
  const { orphans, unread } = await leases.orphans(signal);
  const chosen = which === null ? orphans : which.map((one) => found(one, orphans));
  const ended: EndedOrphan[] = [];
  for (const orphan of chosen) {
    const trouble = await leases.endOrphan(orphan.market, orphan.instanceId, signal).then(
      () => null,
      (thrown: unknown) => (thrown instanceof Failure ? thrown.message : String(thrown)),
    );
    ended.push({ ...orphan, trouble });
  }
  return { ended, unread };
}

function notRented(market: string | null): Failure {
  return new Failure("unsupported", `"${market}" is a machine of the settings: it is there without being rented.`, {
    next: ["lanthorn rental list"],
  });
}

const noBids = Object.freeze({
  leastBidPerHourNanos: null,
  takenAtMs: null,
  trouble: "there is no bidding at this market",
});

interface Found {
  readonly offer: RentalOffer;
  readonly takenAtMs: number;
}

/** For less it is not worth fetching the weights. */
const leastMs = 3_600_000;
const oldestListMs = 300_000;

/** The offer that was named, or the cheapest that satisfies the wishes; as the market says now. */
async function offerFor(
  asked: Asked,
  bidPerHourNanos: Nanos | null,
  board: OfferBoard,
  { markets, clock }: Pick<RentalDeskParts, "markets" | "clock">,
  signal: AbortSignal,
): Promise<Found> {
  const { offerId, setting } = asked;
  const wished = filterOf(setting);
  // Whoever names an offer has seen it: of the defaults only its price and its disk are held to.
  const filter = offerId === null ? wished : named(wished);
  const where = asked.market === null ? markets.map(({ id }) => id) : [asked.market];
  const lists = await Promise.allSettled(
    where.map((id) => {
      // Markets cut their lists: the question that brought an offer up finds it again.
      const before = offerId === null ? null : board.filterOf(id, offerId);
      return board.fresh(id, before === null ? filter : { ...before, ...filter }, signal);
    }),
  );
  const wishes = {
    ...{ filter, kind: setting.kind, bidPerHourNanos, oldestListMs },
    leastMs: Math.min(leastMs, setting.longestMs),
  };
  const found: Found[] = [];
  const reasons: string[] = [];
  for (const [index, list] of lists.entries()) {
    if (list.status === "rejected") continue;
    const { takenAtMs, rejected } = list.value;
    const isMeant = (one: { readonly offerId: string }) => offerId === null || one.offerId === offerId;
    const offers = list.value.offers.filter(isMeant);
    const choice = chooseOffers(
      { takenAtMs, offers, rejected: rejected.filter(isMeant) },
      { ...wishes, bidPerHourNanos },
      clock.now(),
    );
    found.push(...choice.offers.map(({ offer }) => ({ offer, takenAtMs })));
    const isAbsent = offerId !== null && offers.length + choice.refused.length === 0 && list.value.offers.length > 0;
    if (isAbsent)
      reasons.push(`${where[index]} does not list it ${setting.kind === "bid" ? "for bids" : "on demand"}.`);
    else reasons.push(choice.refused.length === 1 ? `It cannot be had: ${choice.refused[0]?.reason}.` : choice.words);
  }
  const [first] = found.sort((a, b) => byPrice(a.offer, b.offer));
  if (first !== undefined) return first;
  const silent = lists.find((list) => list.status === "rejected");
  if (silent !== undefined) throw silent.reason;
  const what = offerId === null ? "No offer satisfies that." : `The offer "${offerId}" cannot be had now.`;
  throw new Failure("not_found", what, {
    why: [...new Set(reasons)].join(" "),
    next: [`lanthorn rental offers --kind ${setting.kind}`],
  });
}

function named({ gpu, kind, diskBytes, mostPerHourNanos }: OfferFilter): OfferFilter {
  return {
    ...(gpu === undefined ? {} : { gpu }),
    ...(kind === undefined ? {} : { kind }),
    ...(diskBytes === undefined ? {} : { diskBytes }),
    ...(mostPerHourNanos === undefined ? {} : { mostPerHourNanos }),
  };
}

function found(wanted: Pick<Orphan, "market" | "instanceId">, orphans: readonly Orphan[]): Orphan {
  const orphan = orphans.find((one) => one.market === wanted.market && one.instanceId === wanted.instanceId);
  if (orphan !== undefined) return orphan;
  throw new Failure("not_found", `${wanted.market}/${wanted.instanceId} is no orphan.`, {
    why: "It is gone, it has a lease, or it is not this box's.",
    next: ["lanthorn rental orphans", "lanthorn rental list"],
  });
}
