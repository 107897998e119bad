/**
 * Which offer is rented where nobody looks at the list, and why not the others. Pure. A price that is none, a list that is old or an
 * offer that is only nearly what was asked for is never taken: a request may wake a machine, and not a dear surprise.
 */
import type { Nanos } from "../money.ts";
import type { OfferFilter, OfferList, RentalOffer, RentKind } from "./market.ts";
import { atBid, runningPerHourNanos } from "./burn.ts";
import { gpuKey } from "./gpu-name.ts";
import { byPrice } from "./quote.ts";
import { roughUsd } from "./usd-text.ts";
import { roughly } from "./power.ts";

export interface ChoiceWishes {
  readonly filter: OfferFilter;
  readonly kind: RentKind;
  /** Stated for a bid; null for on-demand. */
  readonly bidPerHourNanos: Nanos | null;
  /** It is not worth loading the weights for less; milliseconds. */
  readonly leastMs: number;
  /** A list older than this is history; milliseconds. */
  readonly oldestListMs: number;
}

export interface ChosenOffer {
  readonly offer: RentalOffer;
  /** GPU (the bid, where there is one) and disk. */
  readonly perHourNanos: Nanos;
}

export interface OfferChoice {
  /** The one to take, then those that would do as well, in this order. */
  readonly offers: readonly ChosenOffer[];
  readonly refused: readonly { readonly offerId: string; readonly reason: string }[];
  readonly words: string;
}

/** More than this an hour no machine costs: eight of the dearest GPUs are at a twentieth of it. */
const absurdPerHourNanos = 1_000e9;

export function chooseOffers(list: OfferList, wishes: ChoiceWishes, nowMs: number): OfferChoice {
  const ageMs = nowMs - list.takenAtMs;
  if (ageMs > wishes.oldestListMs || ageMs < -wishes.oldestListMs) {
    const words = `The list of offers is ${roughly(Math.abs(ageMs))} ${ageMs < 0 ? "ahead" : "old"}: nothing is rented on it.`;
    return { offers: [], refused: [], words };
  }
  const refused = [...list.rejected.map(({ offerId, reason }) => ({ offerId, reason }))];
  const good: ChosenOffer[] = [];
  for (const offer of list.offers) {
    const reason = whyNot(offer, wishes);
    if (reason === null) good.push({ offer, perHourNanos: perHour(offer, wishes) });
    else refused.push({ offerId: offer.offerId, reason });
  }
  const offers = good.sort((one, other) => one.perHourNanos - other.perHourNanos || safest(one.offer, other.offer));
  return { offers, refused, words: words(offers, refused) };
}

/** Null: it is what was asked for. */
function whyNot(offer: RentalOffer, { filter, kind, bidPerHourNanos, leastMs }: ChoiceWishes): string | null {
  const { rates, reliability, leastBidPerHourNanos: leastBid } = offer;
  if (offer.kind !== kind) return `it is ${offer.kind}, and ${kind} is asked`;
  const prices = [rates.gpuPerHourNanos, rates.storagePerHourNanos, rates.stoppedStoragePerHourNanos];
  if (prices.some((price) => !Number.isSafeInteger(price) || price < 0)) return "its price is none";
  if (kind === "on-demand" && rates.gpuPerHourNanos === 0) return "it has no price";
  if (runningPerHourNanos(rates) > absurdPerHourNanos) return "its price is absurd";
  if (filter.gpu !== undefined && !isGpu(offer.gpu, filter.gpu)) return `it has ${offer.gpu}`;
  if (offer.gpuCount < (filter.gpuCount ?? 1)) return `it has ${offer.gpuCount} GPUs`;
  if (offer.vramBytes < (filter.leastVramBytes ?? 0))
    return `it has ${Math.round(offer.vramBytes / 1e9)} GB of video memory`;
  if (reliability !== null && reliability < (filter.leastReliability ?? 0)) return `its reliability is ${reliability}`;
  if (offer.longestMs !== null && offer.longestMs < leastMs)
    return `it can be had for ${roughly(offer.longestMs)} only`;
  if (kind === "bid") {
    if (bidPerHourNanos === null) return "no bid is stated";
    if (leastBid !== null && leastBid > bidPerHourNanos) {
      return `the least bid is ${roughUsd(leastBid)}, and ${roughUsd(bidPerHourNanos)} is bid`;
    }
  }
  const asks = perHour(offer, { bidPerHourNanos });
  const most = filter.mostPerHourNanos;
  return most !== undefined && asks > most ? `${roughUsd(asks)} an hour is more than ${roughUsd(most)}` : null;
}

function perHour({ rates }: RentalOffer, { bidPerHourNanos }: Pick<ChoiceWishes, "bidPerHourNanos">): Nanos {
  return runningPerHourNanos(atBid(rates, bidPerHourNanos));
}

/** At the same cost: who is not outbid easily, then as everybody else compares them. */
function safest(one: RentalOffer, other: RentalOffer): number {
  return (one.leastBidPerHourNanos ?? 0) - (other.leastBidPerHourNanos ?? 0) || byPrice(one, other);
}

function words(offers: OfferChoice["offers"], refused: OfferChoice["refused"]): string {
  const [best, next] = offers;
  if (best !== undefined) {
    const { offer } = best;
    const kind = offer.kind === "bid" ? "bid" : "on-demand";
    const sure = offer.reliability === null ? "reliability not stated" : `reliability ${offer.reliability}`;
    const then = next === undefined ? "the only one" : `the next is ${roughUsd(next.perHourNanos)}`;
    return `${offer.gpuCount} × ${offer.gpu} at ${roughUsd(best.perHourNanos)} an hour with its disk (${kind}, ${sure}); ${then} of ${offers.length + refused.length} offers.`;
  }
  if (refused.length === 0) return "Nothing is offered.";
  const counts = new Map<string, number>();
  for (const { reason } of refused) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  const most = [...counts].sort(([, one], [, other]) => other - one).slice(0, 3);
  return `None of ${refused.length} offers will do: ${most.map(([reason, count]) => `${reason} (${count})`).join("; ")}.`;
}

/** Markets have sorted by name already, each in its own spelling: here is only seen that it is not another GPU altogether. */
function isGpu(offered: string, wished: string): boolean {
  const [one, other] = [gpuKey(offered), gpuKey(wished)];
  return one.includes(other) || other.includes(one);
}
