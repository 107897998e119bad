/**
 * Leases as they are between two answers of the server: what was told last, and the burn that goes on since. Pure; times are the
 * server's, epoch milliseconds.
 */
import { paidNanos } from "../../domain/rental/burn.ts";
import type { Nanos } from "../../domain/money.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import type { RentalSummary } from "../../rental/rental-desk.ts";

export interface LiveLeases {
  /** Everything anew, as it was told then. */
  whole(leases: readonly LeaseView[], summary: RentalSummary | null, atMs: number): void;
  /** One has changed. */
  one(lease: LeaseView, atMs: number): void;
  at(nowMs: number): LivePicture;
}

export interface LivePicture {
  readonly leases: readonly { readonly lease: LeaseView; readonly soFarNanos: Nanos }[];
  readonly perHourNanos: Nanos;
  /** Of all of them, with what went on since; null: the server has no figures. */
  readonly todayNanos: Nanos | null;
  readonly monthNanos: Nanos | null;
  readonly caps: RentalSummary["caps"] | null;
}

interface Told {
  readonly lease: LeaseView;
  readonly atMs: number;
}

const hourMs = 3_600_000;

export function createLiveLeases(): LiveLeases {
  let told = new Map<number, Told>();
  let summary: RentalSummary | null = null;

  const rateOf = ({ state, perHourNanos }: LeaseView) => (state === "ended" ? 0 : perHourNanos);
  const since = (perHourNanos: Nanos, fromMs: number, nowMs: number): Nanos =>
    Math.floor((perHourNanos * Math.max(0, nowMs - fromMs)) / hourMs);

  return {
    whole(leases, figures, atMs) {
      told = new Map(leases.map((lease) => [lease.id, { lease, atMs }]));
      summary = figures;
    },
    one(lease, atMs) {
      told.set(lease.id, { lease, atMs });
    },
    at(nowMs) {
      const leases = [...told.values()]
        .sort((a, b) => a.lease.id - b.lease.id)
        .map(({ lease, atMs }) => ({ lease, soFarNanos: paidNanos(lease.burn) + since(rateOf(lease), atMs, nowMs) }));
      const perHourNanos = leases.reduce((sum, { lease }) => sum + rateOf(lease), 0);
      const goneOn = summary === null ? 0 : since(summary.perHourNanos, summary.atMs, nowMs);
      return {
        leases,
        perHourNanos,
        todayNanos: summary === null ? null : summary.todayNanos + goneOn,
        monthNanos: summary === null ? null : summary.monthNanos + goneOn,
        caps: summary?.caps ?? null,
      };
    },
  };
}
