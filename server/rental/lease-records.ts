/** What the ledger tells people about leases, in the days and months of this box's settings. Runs in the server; contacts no market. */
import { dayOf, startOfDay } from "../domain/day.ts";
import type { Clock } from "../domain/ports.ts";
import { type BurnRange, burnPeriods } from "../domain/rental/burn-periods.ts";
import {
  type BurnOf,
  type BurnOfLease,
  burnOf,
  type BurnSpan,
  type LeaseHistory,
  type LeaseReports,
  type Steadiness,
} from "../ledger/lease-reports.ts";

export interface BurnWish extends BurnRange {
  /** Null: all of them. */
  readonly lease: number | null;
}

export interface BurnReport {
  /** Where its days and months begin; null: the machine's own. */
  readonly zone: string | null;
  /** Oldest first; empty where it is told by lease. */
  readonly periods: readonly ({
    readonly period: string;
    readonly fromMs: number;
    readonly untilMs: number;
  } & BurnOf)[];
  /** Dearest first; empty where it is told by time. */
  readonly leases: readonly BurnOfLease[];
  readonly total: BurnOf;
}

export interface LeaseRecords {
  /** Null: the ledger cannot be read at the moment. */
  history(lease: number): Promise<LeaseHistory | null>;
  /** Of leases that ended in the last 366 days. */
  steadiness(): Promise<readonly Steadiness[]>;
  /** What runs is behind by some seconds. Throws `invalid_request` for a range that is none, or too long. */
  burn(wish: BurnWish): Promise<BurnReport>;
}

const shownMs = 366 * 86_400_000;

export function createLeaseRecords(reports: LeaseReports, clock: Clock, zone: string | null): LeaseRecords {
  return {
    // What a lease does now matters more than what it did.
    history: (lease) => reports.history(lease).catch(() => null),
    steadiness: () => reports.steadiness(clock.now() - shownMs),
    async burn(wish) {
      const periods = burnPeriods(wish, dayOf(clock.now(), zone));
      const spans = periods.map(({ from, until }): BurnSpan => [startOfDay(from, zone), startOfDay(until, zone)]);
      if (wish.by === "lease") {
        const leases = await reports.burnByLease(spans, wish.lease);
        return { zone, periods: [], leases, total: burnOf(leases) };
      }
      const burns = await reports.burnIn(spans, wish.lease);
      const rows = periods.flatMap(({ period }, at) => {
        const [span, burn] = [spans[at], burns[at]];
        return span === undefined || burn === undefined ? [] : [{ period, fromMs: span[0], untilMs: span[1], ...burn }];
      });
      return { zone, periods: rows, leases: [], total: burnOf(burns) };
    },
  };
}
