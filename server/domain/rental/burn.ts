/**
 * What a lease costs by what is known of it: which part of its price counts when, and sums of what was counted. Pure. The counting itself is
 * `burn-meter.ts`. What nobody knows counts as running.
 */
import type { Nanos } from "../money.ts";
import type { Burn } from "./lease.ts";
import type { InstanceState, RentalRates } from "./market.ts";

/** One quarter of an hour of one lease, or the part of it that has passed. */
export interface BurnPiece extends Omit<Burn, "idleNanos" | "settledNanos"> {
  /** Epoch milliseconds. */
  readonly fromMs: number;
  readonly untilMs: number;
  /** Tokens of answers that ended in it. */
  readonly completionTokens: number;
}

export const noBurn: Omit<BurnPiece, "fromMs" | "untilMs"> = Object.freeze({
  gpuNanos: 0,
  storageNanos: 0,
  trafficNanos: 0,
  usedNanos: 0,
  runningMs: 0,
  stoppedMs: 0,
  unknownMs: 0,
  completionTokens: 0,
});

/** What is paid for at the moment. */
export type Billing = "nothing" | "storage" | "stopped-storage" | "running" | "unknown";

/** It does not run, and its disk is all that is billed: of one that has exited no market bills the GPU. */
export function isDown(state: InstanceState): boolean {
  return state === "stopped" || state === "exited";
}

/**
 * By what the market says. Its words are as old as its list: what nobody knows counts as running. `billsAllButStopped`: this market may bill
 * the GPU before the instance runs, and once it has failed.
 */
export function billingOf(state: InstanceState, isKnown: boolean, billsAllButStopped = false): Billing {
  if (state === "gone") return "nothing";
  if (state === "stopped" || (state === "exited" && !billsAllButStopped)) return "stopped-storage";
  if (!isKnown) return "unknown";
  switch (state) {
    case "scheduling":
    case "loading":
      return billsAllButStopped ? "running" : "storage";
    case "exited":
    case "running":
    case "frozen":
      return "running";
    default:
      return "unknown";
  }
}

export function perHourNanos(rates: RentalRates, billing: Billing): Nanos {
  if (billing === "nothing") return 0;
  if (billing === "storage") return rates.storagePerHourNanos;
  if (billing === "stopped-storage") return rates.stoppedStoragePerHourNanos;
  return runningPerHourNanos(rates);
}

/** GPU and disk while it runs. */
export function runningPerHourNanos({ gpuPerHourNanos, storagePerHourNanos }: RentalRates): Nanos {
  return gpuPerHourNanos + storagePerHourNanos;
}

/** What it costs at that bid; null: it is no bid, and costs what is asked. */
export function atBid(rates: RentalRates, bidPerHourNanos: Nanos | null): RentalRates {
  return bidPerHourNanos === null ? rates : { ...rates, gpuPerHourNanos: bidPerHourNanos };
}

/** What a request did there. */
export interface WorkDone {
  readonly completionTokens: number;
  /** From this box to the machine, and back. */
  readonly uploadedBytes: number;
  readonly downloadedBytes: number;
}

export const nothingDone: WorkDone = Object.freeze({ completionTokens: 0, uploadedBytes: 0, downloadedBytes: 0 });

export function addedBurn(
  pieces: Iterable<Omit<BurnPiece, "fromMs" | "untilMs">>,
): Burn & { completionTokens: number } {
  const sum = { ...noBurn };
  const fields = Object.keys(noBurn) as (keyof typeof noBurn)[];
  const writable = sum as Record<keyof typeof noBurn, number>;
  for (const piece of pieces) for (const field of fields) writable[field] += piece[field];
  return { ...sum, idleNanos: paidNanos(sum) - sum.usedNanos, settledNanos: 0 };
}

/** As it was billed where that is known, and as it was counted elsewhere. */
export function paidNanos(
  burn: Pick<Burn, "gpuNanos" | "storageNanos" | "trafficNanos"> & Partial<Pick<Burn, "settledNanos">>,
): Nanos {
  return burn.gpuNanos + burn.storageNanos + burn.trafficNanos + (burn.settledNanos ?? 0);
}

/** What a million served tokens came to; null: none was served. */
export function perMillionNanos(burn: Parameters<typeof paidNanos>[0], tokens: number): Nanos | null {
  return tokens === 0 ? null : Math.round((paidNanos(burn) / tokens) * 1e6);
}
