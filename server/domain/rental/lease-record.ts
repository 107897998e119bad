/**
 * A lease as it is kept: all that is needed to go on with it after a crash. Pure types, and how one begins. Times are epoch
 * milliseconds, because they outlive the process; whoever steps a lease hands in a time that never goes back.
 */
import type { Nanos } from "../money.ts";
import type { InterruptionCause, LeaseState, LeaseTerms, NoticeSource } from "./lease.ts";
import type { InstanceState, RentalRates, RentKind } from "./market.ts";

/** What is wanted of it; the state says how far that has come. */
export type LeaseWish = "run" | "stop" | "end";

/** What a market can be told about an instance. */
export type OrderKind = "create" | "start" | "stop" | "destroy";

/** The last thing that was sent to the market for what is wanted now. */
export interface SentOrder {
  readonly kind: OrderKind;
  readonly atMs: number;
  readonly tries: number;
  /** When the market said that it is done, or that there is no such instance; null: it has not. */
  readonly heardAtMs: number | null;
}

export interface LeaseRecord {
  readonly id: number;
  readonly rental: string | null;
  readonly market: string;
  readonly label: string;
  readonly instanceId: string | null;
  readonly state: LeaseState;
  readonly sinceMs: number;
  readonly reason: string;
  readonly wish: LeaseWish;
  /** Why it is wanted. */
  readonly wishReason: string;
  readonly kind: RentKind;
  readonly bidPerHourNanos: Nanos | null;
  readonly gpu: string;
  readonly gpuCount: number;
  readonly offerId: string;
  readonly quoted: RentalRates;
  readonly billed: RentalRates | null;
  /** Null: a machine of the settings (`isAdopted`). */
  readonly terms: LeaseTerms | null;
  readonly createdAtMs: number;
  readonly seen: { readonly state: InstanceState; readonly words: string; readonly atMs: number | null };
  readonly address: string | null;
  /** When the present try to become ready began. */
  readonly bootSinceMs: number;
  /** When a request last ended there, or it became ready. */
  readonly usedAtMs: number;
  readonly order: SentOrder | null;
  /** The first of the market's lists in a row that did not have it; null: the last one had. */
  readonly missingSinceMs: number | null;
  readonly interruptions: number;
  /** Milliseconds it was ready, all together: what interruptions are counted over. */
  readonly readyMs: number;
  readonly endedAtMs: number | null;
}

export interface Interruption {
  readonly lease: number;
  readonly atMs: number;
  readonly cause: InterruptionCause;
  readonly source: NoticeSource;
  readonly words: string;
}

export type NewLease = Pick<
  LeaseRecord,
  | "id"
  | "rental"
  | "market"
  | "label"
  | "kind"
  | "bidPerHourNanos"
  | "gpu"
  | "gpuCount"
  | "offerId"
  | "quoted"
  | "terms"
>;

/** Before anybody has been asked for anything. */
export function intendedLease(lease: NewLease, nowMs: number): LeaseRecord {
  return {
    ...lease,
    instanceId: null,
    state: "intended",
    sinceMs: nowMs,
    reason: "to be rented",
    wish: "run",
    wishReason: "rented",
    billed: null,
    createdAtMs: nowMs,
    seen: { state: "scheduling", words: "", atMs: null },
    address: null,
    bootSinceMs: nowMs,
    usedAtMs: nowMs,
    order: null,
    missingSinceMs: null,
    interruptions: 0,
    readyMs: 0,
    endedAtMs: null,
  };
}

export function hasEnded({ state }: Pick<LeaseRecord, "state">): boolean {
  return state === "ended";
}

/** Nobody rented it: a machine of the settings, which costs money for as long as it is in them, whatever it does. */
export function isAdopted({ terms }: Pick<LeaseRecord, "terms">): boolean {
  return terms === null;
}

/** The same lease in another state; nothing changes where it is in it already. */
export function moved(lease: LeaseRecord, state: LeaseState, reason: string, nowMs: number): LeaseRecord {
  if (lease.state === state) return lease;
  const readyMs = lease.readyMs + (lease.state === "ready" ? Math.max(0, nowMs - lease.sinceMs) : 0);
  return {
    ...lease,
    ...{ state, reason, readyMs, sinceMs: nowMs },
    ...(state === "starting" ? { bootSinceMs: nowMs } : {}),
    ...(state === "ready" ? { usedAtMs: nowMs } : {}),
    ...(state === "ended" ? { endedAtMs: nowMs, order: null } : {}),
  };
}
