/** Leases, offers and prices as the server would tell them, at one moment. */
import type { LeaseTerms, LeaseView } from "../../../../server/domain/rental/lease.ts";
import type { RentalOffer, RentalRates } from "../../../../server/domain/rental/market.ts";
import { quoteOf } from "../../../../server/domain/rental/quote.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;

/** 14:00 in Berlin. */
export const nowMs = Date.parse("2026-11-27T14:00:00+01:00");

export const usd = (amount: number) => Math.round(amount * 1e9);

export const rates: RentalRates = {
  gpuPerHourNanos: usd(0.333),
  storagePerHourNanos: usd(0.007),
  stoppedStoragePerHourNanos: usd(0.008),
  uploadPerGbNanos: usd(0.01),
  downloadPerGbNanos: usd(0.02),
};

export const offer: RentalOffer = {
  market: "vast",
  offerId: "77310",
  kind: "on-demand",
  gpu: "RTX 4090",
  gpuCount: 1,
  vramBytes: 25_757_220_864,
  rates,
  leastBidPerHourNanos: null,
  reliability: 0.996,
  region: "DE",
  verified: true,
  longestMs: 21 * 24 * hourMs,
  availability: null,
};

export const bidOffer: RentalOffer = {
  ...offer,
  offerId: "81422",
  kind: "bid",
  rates: { ...rates, gpuPerHourNanos: usd(0.183) },
  leastBidPerHourNanos: usd(0.183),
  reliability: null,
  region: null,
  longestMs: null,
};

export const terms: LeaseTerms = {
  bootDeadlineMs: 15 * minuteMs,
  idleStopMs: 20 * minuteMs,
  destroyAfterMs: 24 * hourMs,
  longestMs: 8 * hourMs,
  caps: { perInstanceNanos: usd(5), perDayNanos: usd(20), perMonthNanos: usd(200) },
};

export const ready: LeaseView = {
  id: 3,
  rental: "coder",
  market: "vast",
  label: "lanthorn-0123456789ab-3",
  instanceId: "8123456",
  state: "ready",
  since: nowMs - 130 * minuteMs,
  reason: "its first token came",
  until: nowMs + 11 * minuteMs + 40_000,
  kind: "on-demand",
  bidPerHourNanos: null,
  gpu: "RTX 4090",
  gpuCount: 1,
  seen: { state: "running", words: "running", atMs: nowMs - 4_000 },
  quoted: rates,
  billed: rates,
  perHourNanos: usd(0.34),
  burn: {
    gpuNanos: usd(3),
    storageNanos: usd(0.08),
    trafficNanos: usd(0.1),
    usedNanos: usd(2.41),
    idleNanos: usd(0.67),
    settledNanos: 0,
    runningMs: 140 * minuteMs,
    stoppedMs: 0,
    unknownMs: 0,
  },
  tokensServed: 5_400_000,
  perMillionTokensNanos: usd(0.589),
  address: "http://203.0.113.7:40123",
  terms,
  createdAtMs: nowMs - 2.5 * hourMs,
  endsAtMs: nowMs + 8 * hourMs,
  idleStopAtMs: nowMs + 11 * minuteMs + 40_000,
  destroyAtMs: null,
  interruptions: 0,
  meanTimeBetweenInterruptionsMs: null,
};

export const starting: LeaseView = {
  ...ready,
  id: 4,
  rental: null,
  label: "lanthorn-0123456789ab-4",
  instanceId: "8123457",
  state: "starting",
  since: nowMs - 80_000,
  reason: "rented",
  until: nowMs + 15 * minuteMs - 80_000,
  seen: { state: "loading", words: "loading", atMs: nowMs - 2_000 },
  billed: null,
  address: null,
  tokensServed: 0,
  perMillionTokensNanos: null,
  idleStopAtMs: null,
};

export const stopped: LeaseView = {
  ...ready,
  id: 2,
  kind: "bid",
  bidPerHourNanos: usd(0.2),
  state: "stopped",
  since: nowMs - hourMs,
  reason: "idle",
  seen: { state: "stopped", words: "exited", atMs: nowMs - 9_000 },
  billed: { ...rates, gpuPerHourNanos: usd(0.4) },
  perHourNanos: usd(0.008),
  idleStopAtMs: null,
  destroyAtMs: nowMs + 23 * hourMs,
  interruptions: 2,
  meanTimeBetweenInterruptionsMs: 5 * hourMs,
};

export const summary = {
  perHourNanos: usd(0.348),
  todayNanos: usd(3.18),
  monthNanos: usd(41.2),
  caps: { perDayNanos: usd(20), perMonthNanos: usd(200) },
  costing: 2,
  stopped: { leases: 1, perDayNanos: usd(0.192) },
  atMs: nowMs,
};

export const { stopped: _, atMs: __, ...burn } = summary;

export const quoteBody = {
  rental: null,
  quote: quoteOf(offer, null, terms, nowMs),
  order: {
    image: "registry.example/lanthorn:1",
    port: 4747,
    diskBytes: 40e9,
    volumeId: null,
    environment: ["LANTHORN_HOME_URL"],
    onStartLines: 3,
  },
  takenAtMs: nowMs - 40_000,
  burn,
  refusal: null as string | null,
  atMs: nowMs,
};

export const offersBody = {
  offers: [bidOffer, offer],
  markets: [
    { market: "vast", title: "Vast.ai", takenAtMs: nowMs - 40_000, trouble: null, offers: 2, rejected: [] },
    {
      market: "runpod",
      title: "RunPod",
      takenAtMs: null,
      trouble: "RunPod did not answer in time.",
      offers: 0,
      rejected: [{ offerId: "x", reason: "no price" }],
    },
  ],
  atMs: nowMs,
};

/** A machine of the settings: nobody rented it, and nothing ends it. */
export const adopted: LeaseView = {
  ...ready,
  id: 7,
  rental: "desk",
  market: "desk",
  label: "lanthorn-0123456789ab-7",
  instanceId: "desk",
  terms: null,
  until: null,
  endsAtMs: null,
  idleStopAtMs: null,
};
