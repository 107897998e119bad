/**
 * What can be asked about leases after the fact: their history, how steady they were, what they cost by day, month and lease. Read on the reader
 * thread, a span at a time, so that no question keeps others waiting. Runs on the server's thread.
 */
import type { Nanos } from "../domain/money.ts";
import { addedBurn, type BurnPiece, paidNanos, perMillionNanos } from "../domain/rental/burn.ts";
import type { Burn, InterruptionCause, LeaseState, NoticeSource } from "../domain/rental/lease.ts";
import type { RentKind } from "../domain/rental/market.ts";
import type { ReaderLink } from "./reader/link.ts";

export interface LeaseHistory {
  /** Oldest first; the last 200 of each. */
  readonly events: readonly LeaseMoment[];
  readonly interruptions: readonly LeaseStop[];
  /** Older ones that are not in the lists. */
  readonly eventsBefore: number;
  readonly interruptionsBefore: number;
}

export interface LeaseMoment {
  readonly atMs: number;
  readonly state: LeaseState;
  readonly reason: string;
  /** The market's own, then. */
  readonly words: string;
}

export interface LeaseStop {
  readonly atMs: number;
  readonly cause: InterruptionCause;
  /** How it came to be known. */
  readonly source: NoticeSource;
  readonly words: string;
}

/** Of leases that have ended: of one entry of `rentals:` at one market, by kind. */
export interface Steadiness {
  /** Null: rented by hand. */
  readonly rental: string | null;
  readonly market: string;
  readonly kind: RentKind;
  readonly leases: number;
  readonly readyMs: number;
  readonly interruptions: number;
  /** Of the time in which they were ready; null: they were never interrupted. */
  readonly meanTimeBetweenInterruptionsMs: number | null;
}

export interface BurnSums extends Omit<BurnPiece, "fromMs" | "untilMs"> {
  /** Billed less counted, of settled days that belong to the time. Signed. */
  readonly settledNanos: Nanos;
}

/** One lease in a span of time. */
export interface LeaseSums extends BurnSums {
  readonly lease: number;
  readonly rental: string | null;
  readonly market: string;
}

/** Epoch milliseconds; the second not included. */
export type BurnSpan = readonly [fromMs: number, untilMs: number];

export interface BurnOf extends Burn {
  readonly paidNanos: Nanos;
  readonly completionTokens: number;
  /** Null: nothing was served. */
  readonly perMillionTokensNanos: Nanos | null;
}

export interface BurnOfLease extends BurnOf {
  readonly lease: number;
  readonly rental: string | null;
  readonly market: string;
}

/** All reject with Failure `ledger_unavailable`. What runs is behind by some seconds. */
export interface LeaseReports {
  history(lease: number): Promise<LeaseHistory>;
  steadiness(endedSinceMs: number): Promise<readonly Steadiness[]>;
  /** Of pieces that began in each span, in the order of the spans. `lease` null: of all of them. */
  burnIn(spans: readonly BurnSpan[], lease: number | null): Promise<readonly BurnOf[]>;
  /** Of each lease in all spans together, dearest first. */
  burnByLease(spans: readonly BurnSpan[], lease: number | null): Promise<readonly BurnOfLease[]>;
}

export function createLeaseReports(link: ReaderLink): LeaseReports {
  return {
    history: (lease) => link.ask("leaseHistory", lease),
    steadiness: (endedSinceMs) => link.ask("leaseSteadiness", endedSinceMs),
    async burnIn(spans, lease) {
      const found: BurnOf[] = [];
      for (const span of spans) found.push(burnOf(await link.ask("leaseBurn", { span, lease })));
      return found;
    },
    async burnByLease(spans, lease) {
      const all = new Map<number, LeaseSums[]>();
      for (const span of spans) {
        for (const sums of await link.ask("leaseBurn", { span, lease })) {
          all.set(sums.lease, [...(all.get(sums.lease) ?? []), sums]);
        }
      }
      const rows = [...all.values()].flatMap((sums): BurnOfLease[] => {
        const [first] = sums;
        if (first === undefined) return [];
        return [{ lease: first.lease, rental: first.rental, market: first.market, ...burnOf(sums) }];
      });
      return rows.sort((one, other) => other.paidNanos - one.paidNanos || one.lease - other.lease);
    },
  };
}

export function burnOf(sums: readonly BurnSums[]): BurnOf {
  const settledNanos = sums.reduce((total, one) => total + one.settledNanos, 0);
  const burn = { ...addedBurn(sums), settledNanos };
  return { ...burn, paidNanos: paidNanos(burn), perMillionTokensNanos: perMillionNanos(burn, burn.completionTokens) };
}
