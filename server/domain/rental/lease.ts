/** What a lease is: one rented instance, from the wish to its confirmed destruction. Pure types and words. */
import type { Nanos } from "../money.ts";
import type { InstanceState, RentalRates, RentKind } from "./market.ts";

/**
 * `intended`: the row is written and nobody has confirmed the instance. `starting`: it exists and has not answered yet. `ready`: its
 * first token was seen. `interrupted`: outbid, preempted or its host is gone; it is not given up. `ended`: the market confirmed that
 * nothing is left, or nothing was ever made.
 */
export const leaseStates = Object.freeze([
  "intended",
  "starting",
  "ready",
  "interrupted",
  "stopping",
  "stopped",
  "destroying",
  "ended",
] as const);
export type LeaseState = (typeof leaseStates)[number];

export const interruptionCauses = Object.freeze(["outbid", "host_gone", "preempted", "no_answer"] as const);
export type InterruptionCause = (typeof interruptionCauses)[number];

/** How an interruption came to be known. */
export const noticeSources = Object.freeze(["notice", "poll", "health"] as const);
export type NoticeSource = (typeof noticeSources)[number];

/** What must hold of one lease; times in milliseconds. */
export interface LeaseTerms {
  /** Not ready by then: destroyed. */
  readonly bootDeadlineMs: number;
  /** Unused for so long it is stopped; null: never. */
  readonly idleStopMs: number | null;
  /** Stopped for so long it is destroyed; null: never. */
  readonly destroyAfterMs: number | null;
  /** It ends after so long, whatever it does. */
  readonly longestMs: number;
  readonly caps: SpendCaps;
}

/** Nano-USD; null: no cap. */
export interface SpendCaps {
  readonly perInstanceNanos: Nanos | null;
  readonly perDayNanos: Nanos | null;
  readonly perMonthNanos: Nanos | null;
}

/** What a lease has cost up to a moment, in parts; `unknownMs`: time nobody could say what it did, counted as running. */
export interface Burn {
  readonly gpuNanos: Nanos;
  readonly storageNanos: Nanos;
  readonly trafficNanos: Nanos;
  /** What the market billed for the days that are settled, less what was counted: signed, and part of what is paid. */
  readonly settledNanos: Nanos;
  /** The part of `gpuNanos` + `storageNanos` in which answers were computed. */
  readonly usedNanos: Nanos;
  /** The rest of what was counted. */
  readonly idleNanos: Nanos;
  readonly runningMs: number;
  readonly stoppedMs: number;
  readonly unknownMs: number;
}

export interface LeaseView {
  /** Number of the lease on this box. */
  readonly id: number;
  /** As `rentals:` of the settings calls it; null: rented by hand. */
  readonly rental: string | null;
  readonly market: string;
  readonly label: string;
  /** Null: nobody has confirmed one. */
  readonly instanceId: string | null;
  readonly state: LeaseState;
  /** Epoch milliseconds. */
  readonly since: number;
  readonly reason: string;
  /** When the state changes by itself, epoch milliseconds; null: it does not. */
  readonly until: number | null;
  readonly kind: RentKind;
  readonly bidPerHourNanos: Nanos | null;
  readonly gpu: string;
  readonly gpuCount: number;
  /** What the market says it does, and when it said so last; epoch milliseconds. */
  readonly seen: { readonly state: InstanceState; readonly words: string; readonly atMs: number | null };
  readonly quoted: RentalRates;
  /** Null: not billed yet, or what stands there is no price. */
  readonly billed: RentalRates | null;
  /** What it costs this hour in its present state. */
  readonly perHourNanos: Nanos;
  readonly burn: Burn;
  /** Completion tokens its answers had, by the ledger. */
  readonly tokensServed: number;
  /** Null: nothing was served yet. */
  readonly perMillionTokensNanos: Nanos | null;
  /** Null: not known yet. */
  readonly address: string | null;
  /** Null: it is a machine of the settings. Nobody rented it, and nothing ends it but being taken out of them. */
  readonly terms: LeaseTerms | null;
  readonly createdAtMs: number;
  /** When it ends whatever it does; null: nothing ends it from here. */
  readonly endsAtMs: number | null;
  readonly idleStopAtMs: number | null;
  readonly destroyAtMs: number | null;
  readonly interruptions: number;
  readonly meanTimeBetweenInterruptionsMs: number | null;
}

/** An instance of ours at a market that no lease knows. */
export interface Orphan {
  readonly market: string;
  readonly instanceId: string;
  readonly label: string | null;
  readonly state: InstanceState;
  readonly perHourNanos: Nanos | null;
  readonly reason: string;
}
