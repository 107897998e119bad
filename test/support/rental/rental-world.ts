/** A box with leases, a real ledger file and a fake market, on a clock that a test moves. */
import { join } from "node:path";
import type { LeaseTerms } from "../../../server/domain/rental/lease.ts";
import { openLedger } from "../../../server/ledger/ledger.ts";
import type { Adoption } from "../../../server/domain/rental/adopted.ts";
import type { LeaseBook } from "../../../server/ledger/leases.ts";
import type { LeaseProbe } from "../../../server/rental/lease-health.ts";
import type { RentWish } from "../../../server/rental/lease-desk.ts";
import type { Market } from "../../../server/rental/market.ts";
import { createLeases, type Leases } from "../../../server/rental/leases.ts";
import { type ManualClock, manualClock } from "../manual-clock.ts";
import { createLog } from "../../../server/platform/log.ts";
import { FakeMarket, quietRates, usd } from "./fake-market.ts";

export const box = "0123456789ab";
export const minuteMs = 60_000;
export const hourMs = 3_600_000;

export const terms: LeaseTerms = {
  ...{ bootDeadlineMs: 15 * minuteMs, idleStopMs: 10 * minuteMs, destroyAfterMs: 24 * hourMs, longestMs: 12 * hourMs },
  caps: { perInstanceNanos: usd(10), perDayNanos: usd(20), perMonthNanos: usd(200) },
};

export interface WorldOptions {
  readonly folder: string;
  readonly clock?: ManualClock;
  readonly market?: FakeMarket;
  readonly caps?: { readonly perDayNanos: number | null; readonly perMonthNanos: number | null };
  readonly pollMs?: number;
  readonly zone?: string;
  /** Whether a machine answers; the market knows when absent. */
  readonly healthMs?: number;
  readonly probe?: LeaseProbe;
  /** Machines of the settings, and the markets that list them. */
  readonly adoptions?: readonly Adoption[];
  readonly others?: readonly Market[];
  /** In place of the ledger's own. */
  readonly book?: (book: LeaseBook) => LeaseBook;
}

export function rentalWorld(options: WorldOptions) {
  const { folder, clock = manualClock(Date.parse("2026-11-02T09:00:00Z")), market = new FakeMarket(clock) } = options;
  const lines: string[] = [];
  const log = createLog({ level: "info", write: (line) => void lines.push(line) });
  const ledger = openLedger(join(folder, "ledger.sqlite"), { clock, log });
  const leases: Leases = createLeases({
    ...{
      book: options.book?.(ledger.leases) ?? ledger.leases,
      markets: [market, ...(options.others ?? [])],
      box,
      zone: options.zone ?? "UTC",
      clock,
      log,
    },
    caps: options.caps ?? { perDayNanos: usd(20), perMonthNanos: usd(200) },
    pollMs: options.pollMs ?? 10_000,
    ...(options.adoptions === undefined ? {} : { adoptions: options.adoptions }),
    ...(options.healthMs === undefined ? {} : { healthMs: options.healthMs }),
    probe: options.probe ?? (async ({ instanceId }) => instanceId !== null && market.isAnswering(instanceId)),
  });
  /** Time passes, from one timer to the next, and what each began goes on in between. */
  const passes = async (ms: number) => {
    for (let left = ms; left > 0; ) {
      const step = Math.min(left, clock.nextMs() ?? left);
      clock.advance(step);
      left -= step;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  return {
    ...{ clock, market, ledger, leases, desk: leases.desk, passes, lines },
    async ends() {
      leases.close();
      await ledger.close();
    },
  };
}

export type RentalWorld = ReturnType<typeof rentalWorld>;

export function wishFor(market: FakeMarket, more: Partial<RentWish> = {}, bid: number | null = null): RentWish {
  return { ...wishIn(market.id, bid), ...more };
}

export function wishIn(market: string, bid: number | null): RentWish {
  return {
    rental: "coder",
    offer: {
      ...{ market, offerId: "77", kind: bid === null ? "on-demand" : "bid", gpu: "RTX 3090", gpuCount: 1 },
      ...{ vramBytes: 24e9, rates: quietRates, leastBidPerHourNanos: bid, reliability: 0.99, region: null },
      ...{ verified: true, longestMs: null, availability: null },
    },
    order: {
      ...{
        kind: bid === null ? "on-demand" : "bid",
        bidPerHourNanos: bid,
        diskBytes: 40e9,
        image: "lanthorn",
        port: 4747,
      },
      ...{ environment: {}, onStart: "", volumeId: null },
    },
    terms,
  };
}

export const forever = new AbortController().signal;
