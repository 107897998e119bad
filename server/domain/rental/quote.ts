/** What renting an offer comes to, told before it is rented: by the hour, at most, and while it is stopped. Pure. */
import type { Nanos } from "../money.ts";
import { atBid, runningPerHourNanos } from "./burn.ts";
import type { LeaseTerms } from "./lease.ts";
import type { RentalOffer, RentKind } from "./market.ts";

const hourMs = 3_600_000;

export interface RentQuote {
  readonly offer: RentalOffer;
  readonly kind: RentKind;
  readonly bidPerHourNanos: Nanos | null;
  /** GPU (the bid, where there is one) and disk, while it runs. Traffic comes on top. */
  readonly perHourNanos: Nanos;
  readonly storagePerHourNanos: Nanos;
  /** Its disk, while it is stopped. */
  readonly stoppedPerDayNanos: Nanos;
  readonly uploadPerGbNanos: Nanos;
  readonly downloadPerGbNanos: Nanos;
  readonly terms: LeaseTerms;
  /** Epoch milliseconds: it is destroyed then, whatever it does. */
  readonly endsAtMs: number;
  /** More it cannot come to by then, traffic apart: running all the time, or its cap where that is less. */
  readonly mostNanos: Nanos;
  /** What ends it first when it runs all the time. */
  readonly endedBy: "time" | "cap";
}

export function quoteOf(
  offer: RentalOffer,
  bidPerHourNanos: Nanos | null,
  terms: LeaseTerms,
  nowMs: number,
): RentQuote {
  const { rates } = offer;
  const perHourNanos = runningPerHourNanos(atBid(rates, bidPerHourNanos));
  const allTheTime = nanosOfTime(perHourNanos, terms.longestMs);
  const cap = terms.caps.perInstanceNanos;
  const endedBy = cap !== null && cap < allTheTime ? "cap" : "time";
  return {
    offer,
    kind: offer.kind,
    bidPerHourNanos,
    perHourNanos,
    storagePerHourNanos: rates.storagePerHourNanos,
    stoppedPerDayNanos: rates.stoppedStoragePerHourNanos * 24,
    uploadPerGbNanos: rates.uploadPerGbNanos,
    downloadPerGbNanos: rates.downloadPerGbNanos,
    terms,
    endsAtMs: nowMs + terms.longestMs,
    mostNanos: cap !== null && cap < allTheTime ? cap : allTheTime,
    endedBy,
  };
}

/** What so much an hour is in that time, rounded up: a sum that is a limit must not be too low. */
export function nanosOfTime(perHourNanos: Nanos, ms: number): Nanos {
  const product = BigInt(perHourNanos) * BigInt(Math.ceil(ms));
  return Number((product + BigInt(hourMs) - 1n) / BigInt(hourMs));
}

/** Cheapest first; of equal prices the more reliable one, then by id, so that the same list has one order. */
export function byPrice(a: RentalOffer, b: RentalOffer): number {
  const difference = runningPerHourNanos(a.rates) - runningPerHourNanos(b.rates);
  if (difference !== 0) return difference;
  const reliability = (b.reliability ?? 0) - (a.reliability ?? 0);
  if (reliability !== 0) return reliability;
  return `${a.market}/${a.offerId}` < `${b.market}/${b.offerId}` ? -1 : 1;
}
