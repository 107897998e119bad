/** What the rental desk asks of its neighbours in this room: what markets bill beside the ledger, and what they asked over time. Types only. */
import type { Day } from "../domain/day.ts";
import type { Nanos } from "../domain/money.ts";
import type { RentKind } from "../domain/rental/market.ts";
import type { Verdict } from "../domain/reconcile/records.ts";

export interface RentalBills {
  /** Days in UTC, both included. Contacts the markets. Throws for a range that is none. */
  compare(wish: BillWish, signal: AbortSignal): Promise<BillComparison>;
  /**
   * The same, and the ledger takes over what was billed for days that are over, where a lease of ours had the machine. Throws
   * `ledger_unavailable` too.
   */
  settle(wish: BillWish, signal: AbortSignal): Promise<BillComparison>;
}

export interface BillWish {
  /** Null: all that are set up. */
  readonly market: string | null;
  readonly from: Day;
  readonly to: Day;
}

export interface BillComparison {
  readonly from: Day;
  readonly to: Day;
  /** Every row agrees, is settled as it is billed, or is of a day that is not billed yet. */
  readonly agrees: boolean;
  readonly markets: readonly MarketBill[];
}

export interface MarketBill {
  readonly market: string;
  readonly title: string;
  /** `not_compared`: no bill came; `reason` says why. `no_bills`: this market has none. */
  readonly state: "compared" | "not_compared" | "no_bills";
  readonly reason: string;
  readonly rows: readonly BillRow[];
  /** Theirs minus ours. */
  readonly oursNanos: Nanos;
  readonly theirsNanos: Nanos;
  readonly differenceNanos: Nanos;
}

/** One instance on one day. */
export interface BillRow {
  readonly day: Day;
  readonly instanceId: string;
  /** Null: no lease of ours had it. */
  readonly lease: number | null;
  readonly oursNanos: Nanos;
  /** Null: the bill has no line of it, or none that can be read. */
  readonly theirsNanos: Nanos | null;
  readonly differenceNanos: Nanos;
  readonly verdict: Verdict;
  readonly reason: string;
  /** What the ledger has taken over, and when; null: our own count counts. */
  readonly settled: { readonly billedNanos: Nanos; readonly atMs: number } | null;
}

export interface RentalPrices {
  /** What was asked since then, oldest first, per market, GPU and kind. */
  history(wish: PriceWish): readonly PriceSeries[];
}

export interface PriceWish {
  readonly market: string | null;
  readonly gpu: string | null;
  /** Epoch milliseconds. */
  readonly sinceMs: number;
}

export interface PriceSeries {
  readonly market: string;
  readonly gpu: string;
  readonly kind: RentKind;
  /** When the market was last heard; epoch milliseconds. */
  readonly takenAtMs: number;
  readonly points: readonly PricePoint[];
}

/** For one hour of one such machine. */
export interface PricePoint {
  readonly atMs: number;
  readonly leastPerHourNanos: Nanos;
  readonly medianPerHourNanos: Nanos;
  readonly offers: number;
  /** The highest bid of a lease of ours for it then; null: none. */
  readonly ownBidPerHourNanos: Nanos | null;
}
