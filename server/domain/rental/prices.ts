/** What markets ask over time, in hours: the least, the median, how many. Pure. */
import type { Nanos } from "../money.ts";
import type { OfferList, RentalOffer, RentKind } from "./market.ts";

/** One look at one GPU type and kind at one market, within one hour. */
export interface SeenPrice {
  readonly market: string;
  readonly gpu: string;
  readonly kind: RentKind;
  /** The hour it was seen in, and when in it; epoch milliseconds. */
  readonly hourMs: number;
  readonly takenAtMs: number;
  readonly leastPerHourNanos: Nanos;
  readonly medianPerHourNanos: Nanos;
  readonly offers: number;
  readonly ownBidPerHourNanos: Nanos | null;
}

const hourMs = 3_600_000;

/** Machines with one GPU of each type. `ownBid`: our highest bid for one now; null: none. */
export function pricesOf(
  market: string,
  kind: RentKind,
  { offers, takenAtMs }: Pick<OfferList, "offers" | "takenAtMs">,
  ownBid: (gpu: string) => Nanos | null,
): readonly SeenPrice[] {
  const byGpu = new Map<string, number[]>();
  for (const offer of offers) {
    if (offer.kind !== kind || offer.gpuCount !== 1) continue;
    byGpu.set(offer.gpu, [...(byGpu.get(offer.gpu) ?? []), priceOf(offer)]);
  }
  return [...byGpu].map(([gpu, prices]) => {
    const sorted = prices.sort((left, right) => left - right);
    return {
      ...{ market, gpu, kind, takenAtMs, hourMs: Math.floor(takenAtMs / hourMs) * hourMs, offers: sorted.length },
      leastPerHourNanos: sorted[0] ?? 0,
      medianPerHourNanos: medianOf(sorted),
      ownBidPerHourNanos: kind === "bid" ? ownBid(gpu) : null,
    };
  });
}

/** Without its disk, which depends on what one asks for. */
function priceOf({ kind, leastBidPerHourNanos, rates }: RentalOffer): Nanos {
  return kind === "bid" ? (leastBidPerHourNanos ?? rates.gpuPerHourNanos) : rates.gpuPerHourNanos;
}

function medianOf(sorted: readonly number[]): number {
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : Math.round(((sorted[middle - 1] ?? upper) + upper) / 2);
}

/** For one hour of one such machine, at one time or over some hours. */
export interface SeenPoint {
  readonly atMs: number;
  readonly leastPerHourNanos: Nanos;
  readonly medianPerHourNanos: Nanos;
  readonly offers: number;
  readonly ownBidPerHourNanos: Nanos | null;
}

/**
 * So many points at most, over the whole time, oldest first: hours are laid together where there are more. Of them it keeps the least that
 * was asked, the median of their medians, the most offers, the highest bid, and the time of the first.
 */
export function thinned(points: readonly SeenPoint[], most: number): readonly SeenPoint[] {
  const first = points[0]?.atMs ?? 0;
  const spanMs = (points.at(-1)?.atMs ?? 0) - first + hourMs;
  const bucketMs = Math.ceil(spanMs / hourMs / most) * hourMs;
  const buckets = new Map<number, SeenPoint[]>();
  for (const point of points) {
    const bucket = Math.floor((point.atMs - first) / bucketMs);
    const there = buckets.get(bucket);
    if (there === undefined) buckets.set(bucket, [point]);
    else there.push(point);
  }
  return [...buckets.values()].map(laidTogether);
}

function laidTogether(points: readonly SeenPoint[]): SeenPoint {
  const bids = points.flatMap(({ ownBidPerHourNanos }) => ownBidPerHourNanos ?? []);
  const medians = points.map(({ medianPerHourNanos }) => medianPerHourNanos).sort((one, other) => one - other);
  return {
    atMs: points[0]?.atMs ?? 0,
    leastPerHourNanos: Math.min(...points.map(({ leastPerHourNanos }) => leastPerHourNanos)),
    medianPerHourNanos: medianOf(medians),
    offers: Math.max(...points.map(({ offers }) => offers)),
    ownBidPerHourNanos: bids.length === 0 ? null : Math.max(...bids),
  };
}
