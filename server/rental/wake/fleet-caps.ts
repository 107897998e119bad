/** What caps leave for the instances of a fleet, asked before anybody is: the lease desk asks again before it spends. Server process. */
import type { Nanos } from "../../domain/money.ts";
import type { Clock } from "../../domain/ports.ts";
import { paidNanos } from "../../domain/rental/burn.ts";
import type { Bar } from "../../domain/rental/fleet.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import { capRefusal } from "../../domain/rental/spend-room.ts";
import type { BurnSummary, LeaseDesk } from "../lease-desk.ts";
import { hourlyNanos } from "./rent-meter.ts";

export interface FleetCaps {
  /** Why a lease must not be started; null: it may, or is not stopped. */
  barOf(lease: LeaseView): Bar | null;
  /** Why nothing new may be rented; null: it may. */
  ofNew(): string | null;
}

/** Sums of money are asked for no more often. */
const burnAgeMs = 5_000;
/** One that ends so soon is not started any more. */
const fewestLeftMs = 300_000;

export function createFleetCaps(desk: Pick<LeaseDesk, "burn">, clock: Clock): FleetCaps {
  let burn: { readonly summary: BurnSummary; readonly atMs: number } | null = null;
  const spent = (): BurnSummary => {
    if (burn === null || clock.monotonicMs() - burn.atMs >= burnAgeMs) {
      burn = { summary: desk.burn(), atMs: clock.monotonicMs() };
    }
    return burn.summary;
  };
  const against = (lease: LeaseView | null, perHourNanos: Nanos | null) => {
    const { caps, todayNanos, monthNanos } = spent();
    const perInstanceNanos = lease?.terms?.caps.perInstanceNanos ?? null;
    const leaseNanos = lease === null ? 0 : paidNanos(lease.burn);
    return capRefusal({ caps: { ...caps, perInstanceNanos }, todayNanos, monthNanos, leaseNanos }, perHourNanos);
  };
  return {
    barOf(lease) {
      if (lease.state !== "stopped") return null;
      const { endsAtMs } = lease;
      if (endsAtMs !== null && endsAtMs - clock.now() < fewestLeftMs)
        return { words: "it is about to end", isCap: false };
      const cap = against(lease, hourlyNanos(lease));
      return cap === null ? null : { words: cap, isCap: true };
    },
    ofNew: () => against(null, null),
  };
}
