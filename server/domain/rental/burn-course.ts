/**
 * How a lease is counted while something is known of it: what an hour costs by a market's words, what it costs once they are too old, and
 * which of two words is the dearer. Pure.
 */
import type { Nanos } from "../money.ts";
import { type Billing, billingOf } from "./burn.ts";
import type { InstanceState, RentalRates } from "./market.ts";

/** What an hour costs while that is known of it. */
export interface Tariff {
  readonly billing: Billing;
  readonly gpuPerHourNanos: Nanos;
  readonly storagePerHourNanos: Nanos;
}

/** What counts from now on, and what does once the words are too old to be believed. */
export interface Course {
  readonly rates: RentalRates;
  readonly known: Tariff;
  /** Epoch milliseconds; infinite: they never are. */
  readonly staleAtMs: number;
  readonly stale: Tariff;
}

/** By a market's words, which are believed until then. */
export function courseOf(
  state: InstanceState,
  rates: RentalRates,
  staleAtMs: number,
  billsAllButStopped: boolean,
): Course {
  const at = (isKnown: boolean) => tariffOf(billingOf(state, isKnown, billsAllButStopped), rates);
  return { rates, known: at(true), staleAtMs, stale: at(false) };
}

/** What costs nothing any more. */
export function overCourse(rates: RentalRates): Course {
  const nothing = tariffOf("nothing", rates);
  return { rates, known: nothing, staleAtMs: Number.POSITIVE_INFINITY, stale: nothing };
}

function tariffOf(billing: Billing, rates: RentalRates): Tariff {
  const { gpuPerHourNanos, storagePerHourNanos, stoppedStoragePerHourNanos } = rates;
  switch (billing) {
    case "nothing":
      return { billing, gpuPerHourNanos: 0, storagePerHourNanos: 0 };
    case "storage":
      return { billing, gpuPerHourNanos: 0, storagePerHourNanos };
    case "stopped-storage":
      return { billing, gpuPerHourNanos: 0, storagePerHourNanos: stoppedStoragePerHourNanos };
    default:
      return { billing, gpuPerHourNanos, storagePerHourNanos };
  }
}

export function isRunning({ billing }: Tariff): boolean {
  return billing === "running" || billing === "unknown";
}

export function isDown({ billing }: Tariff): boolean {
  return billing === "storage" || billing === "stopped-storage";
}

export function isSame(one: Tariff, other: Tariff): boolean {
  return (
    one.billing === other.billing &&
    one.gpuPerHourNanos === other.gpuPerHourNanos &&
    one.storagePerHourNanos === other.storagePerHourNanos
  );
}

/**
 * As dear as the dearer of the two, and no less of it for the GPU than either. Its time is that of the one that runs: who was not sure that it
 * ran is not made sure by a later look.
 */
export function dearer(earlier: Tariff, later: Tariff): Tariff {
  const isLater = isRunning(later) ? !isRunning(earlier) : earlier.billing === "nothing";
  const perHour = (tariff: Tariff) => tariff.gpuPerHourNanos + tariff.storagePerHourNanos;
  const gpuPerHourNanos = Math.max(earlier.gpuPerHourNanos, later.gpuPerHourNanos);
  return {
    billing: isLater ? later.billing : earlier.billing,
    gpuPerHourNanos,
    storagePerHourNanos: Math.max(0, Math.max(perHour(earlier), perHour(later)) - gpuPerHourNanos),
  };
}
