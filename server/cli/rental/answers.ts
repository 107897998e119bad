/** The shapes of `/admin/rentals` as the commands read them: checked at this edge, unknown fields and words let through. */
import { z } from "zod";
import type { BurnOf, LeaseHistory, LeaseMoment, LeaseStop, Steadiness } from "../../ledger/lease-reports.ts";
import type { BillComparison } from "../../rental/desk-parts.ts";
import type { BurnSummary } from "../../rental/lease-desk.ts";
import type { BurnReport } from "../../rental/lease-records.ts";
import type { MarketLook, OffersView } from "../../rental/offer-board.ts";
import type { OrphanList, QuoteView, RentalDesk, RentalSummary } from "../../rental/rental-desk.ts";
import type { DiskWay } from "../../domain/rental/disk-choice.ts";
import type { Burn, LeaseTerms, LeaseView, Orphan } from "../../domain/rental/lease.ts";
import type { RentalOffer, RentalRates } from "../../domain/rental/market.ts";
import type { RentQuote } from "../../domain/rental/quote.ts";

/** A newer server may know more words; they are shown, not judged. */
const word = <Word extends string>() => z.custom<Word>((value) => typeof value === "string");
const count = z.number();
const maybe = z.number().nullable();
const text = z.string();

const rates = z.object({
  gpuPerHourNanos: count,
  storagePerHourNanos: count,
  stoppedStoragePerHourNanos: count,
  uploadPerGbNanos: count,
  downloadPerGbNanos: count,
}) satisfies z.ZodType<RentalRates, unknown>;

const terms = z.object({
  bootDeadlineMs: count,
  idleStopMs: maybe,
  destroyAfterMs: maybe,
  longestMs: count,
  caps: z.object({ perInstanceNanos: maybe, perDayNanos: maybe, perMonthNanos: maybe }),
}) satisfies z.ZodType<LeaseTerms, unknown>;

const burn = z.object({
  gpuNanos: count,
  storageNanos: count,
  trafficNanos: count,
  settledNanos: count.default(0),
  usedNanos: count,
  idleNanos: count,
  runningMs: count,
  stoppedMs: count,
  unknownMs: count,
}) satisfies z.ZodType<Burn, unknown>;

export const leaseShape = z.object({
  id: count,
  rental: text.nullable(),
  market: text,
  label: text,
  instanceId: text.nullable(),
  state: word<LeaseView["state"]>(),
  since: count,
  reason: text,
  until: maybe,
  kind: word<LeaseView["kind"]>(),
  bidPerHourNanos: maybe,
  gpu: text,
  gpuCount: count,
  seen: z.object({ state: word<LeaseView["seen"]["state"]>(), words: text, atMs: maybe }),
  quoted: rates,
  billed: rates.nullable(),
  perHourNanos: count,
  burn,
  tokensServed: count,
  perMillionTokensNanos: maybe,
  address: text.nullable(),
  terms: terms.nullable(),
  createdAtMs: count,
  endsAtMs: maybe,
  idleStopAtMs: maybe,
  destroyAtMs: maybe,
  interruptions: count,
  meanTimeBetweenInterruptionsMs: maybe,
}) satisfies z.ZodType<LeaseView, unknown>;

const burnSummaryShape = z.object({
  perHourNanos: count,
  todayNanos: count,
  monthNanos: count,
  caps: z.object({ perDayNanos: maybe, perMonthNanos: maybe }),
  costing: count,
}) satisfies z.ZodType<BurnSummary, unknown>;

export const summaryShape = burnSummaryShape.extend({
  stopped: z.object({ leases: count, perDayNanos: count }),
  atMs: count,
}) satisfies z.ZodType<RentalSummary, unknown>;

const offer = z.object({
  market: text,
  offerId: text,
  kind: word<RentalOffer["kind"]>(),
  gpu: text,
  gpuCount: count,
  vramBytes: count,
  rates,
  leastBidPerHourNanos: maybe,
  reliability: maybe,
  region: text.nullable(),
  verified: z.boolean().nullable(),
  longestMs: maybe,
  availability: word<NonNullable<RentalOffer["availability"]>>().nullable(),
}) satisfies z.ZodType<RentalOffer, unknown>;

const marketLook = z.object({
  market: text,
  title: text,
  takenAtMs: maybe,
  trouble: text.nullable(),
  offers: count,
  rejected: z.array(z.object({ offerId: text, reason: text })),
}) satisfies z.ZodType<MarketLook, unknown>;

const quote = z.object({
  offer,
  kind: word<RentQuote["kind"]>(),
  bidPerHourNanos: maybe,
  perHourNanos: count,
  storagePerHourNanos: count,
  stoppedPerDayNanos: count,
  uploadPerGbNanos: count,
  downloadPerGbNanos: count,
  terms,
  endsAtMs: count,
  mostNanos: count,
  endedBy: word<RentQuote["endedBy"]>(),
}) satisfies z.ZodType<RentQuote, unknown>;

const orphan = z.object({
  market: text,
  instanceId: text,
  label: text.nullable(),
  state: word<Orphan["state"]>(),
  perHourNanos: maybe,
  reason: text,
}) satisfies z.ZodType<Orphan, unknown>;

const atMs = count;

/** The server's own time stands beside what it says, so that ages are right on a machine whose clock is not. */
export const leaseAnswer = z.object({ lease: leaseShape, atMs });
const history = z.object({
  events: z.array(z.object({ atMs: count, state: word<LeaseMoment["state"]>(), reason: text, words: text })),
  interruptions: z.array(
    z.object({ atMs: count, cause: word<LeaseStop["cause"]>(), source: word<LeaseStop["source"]>(), words: text }),
  ),
  eventsBefore: count,
  interruptionsBefore: count,
}) satisfies z.ZodType<LeaseHistory, unknown>;
/** One lease with what it has been through; null: that cannot be read at the moment. */
export const shownAnswer = leaseAnswer.extend({ history: history.nullable().default(null) });

const steadiness = z.object({
  rental: text.nullable(),
  market: text,
  kind: word<Steadiness["kind"]>(),
  leases: count,
  readyMs: count,
  interruptions: count,
  meanTimeBetweenInterruptionsMs: maybe,
}) satisfies z.ZodType<Steadiness, unknown>;
export const leasesAnswer = z.object({ leases: z.array(leaseShape), summary: summaryShape.nullable(), atMs });
/** With those that have ended. */
export const allLeasesAnswer = leasesAnswer.extend({ steadiness: z.array(steadiness).default([]) });

const burnOf = burn.extend({
  paidNanos: count,
  completionTokens: count,
  perMillionTokensNanos: maybe,
}) satisfies z.ZodType<BurnOf, unknown>;
export const burnAnswer = z.object({
  zone: text.nullable(),
  periods: z.array(burnOf.extend({ period: text, fromMs: count, untilMs: count })),
  leases: z.array(burnOf.extend({ lease: count, rental: text.nullable(), market: text })),
  total: burnOf,
}) satisfies z.ZodType<BurnReport, unknown>;

export const summaryAnswer = z.object({ summary: summaryShape.nullable() });
export const offersAnswer = z.object({ offers: z.array(offer), markets: z.array(marketLook), atMs });
export const quoteAnswer = z.object({
  rental: text.nullable(),
  quote,
  order: z.object({
    image: text,
    port: count,
    diskBytes: count,
    volumeId: text.nullable(),
    environment: z.array(text),
    onStartLines: count,
  }),
  disk: z
    .object({
      ways: z.array(z.object({ way: word<DiskWay>(), perMonthNanos: count, perWakeMs: count })),
      words: text,
    })
    .nullable()
    .default(null),
  takenAtMs: count,
  burn: burnSummaryShape,
  refusal: text.nullable().default(null),
  atMs,
}) satisfies z.ZodType<QuoteView, unknown>;
export const bidAnswer = z.object({
  lease: leaseShape,
  leastBidPerHourNanos: maybe,
  takenAtMs: maybe,
  trouble: text.nullable(),
  atMs,
});
export const orphansAnswer = z.object({ orphans: z.array(orphan), unread: z.array(text) });
export const endedAnswer = z.object({
  ended: z.array(orphan.extend({ trouble: text.nullable() })),
  unread: z.array(text),
});

export const billsAnswer = z.object({
  from: text,
  to: text,
  agrees: z.boolean(),
  markets: z.array(
    z.object({
      market: text,
      title: text,
      state: z.enum(["compared", "not_compared", "no_bills"]),
      reason: text,
      rows: z.array(
        z.object({
          day: text,
          instanceId: text,
          lease: maybe,
          oursNanos: count,
          theirsNanos: maybe,
          differenceNanos: count,
          verdict: word<BillComparison["markets"][number]["rows"][number]["verdict"]>(),
          reason: text,
          settled: z.object({ billedNanos: count, atMs: count }).nullable().default(null),
        }),
      ),
      oursNanos: count,
      theirsNanos: count,
      differenceNanos: count,
    }),
  ),
}) satisfies z.ZodType<BillComparison, unknown>;

export type LeaseAnswer = z.output<typeof leaseAnswer>;
export type OffersAnswer = OffersView & { readonly atMs: number };
export type QuoteAnswer = z.output<typeof quoteAnswer>;
export type BidAnswer = z.output<typeof bidAnswer>;
export type OrphansAnswer = OrphanList;
export type EndedAnswer = Awaited<ReturnType<RentalDesk["endOrphans"]>>;
