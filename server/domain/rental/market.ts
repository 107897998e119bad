/**
 * What rental markets offer and what is rented there, in our units: US dollars as nano-USD for one hour, memory in bytes, times in
 * epoch milliseconds. Pure types and words; the adapters in `server/rental/markets` convert what a market says.
 */
import type { Day } from "../day.ts";
import type { Attos } from "../reconcile/exact-amount.ts";
import type { Nanos } from "../money.ts";

/** `bid`: interruptible, for as long as nobody bids more. */
export const rentKinds = Object.freeze(["on-demand", "bid"] as const);
export type RentKind = (typeof rentKinds)[number];

/** What one instance costs; each part is billed by the second. */
export interface RentalRates {
  /** While it runs. The whole machine, not one GPU. */
  readonly gpuPerHourNanos: Nanos;
  /** Its disk while it runs, and while it is stopped. Stopped is not free. */
  readonly storagePerHourNanos: Nanos;
  readonly stoppedStoragePerHourNanos: Nanos;
  /** Traffic, for 10^9 bytes; 0: none is billed. */
  readonly uploadPerGbNanos: Nanos;
  readonly downloadPerGbNanos: Nanos;
}

/** What one asks a market for; absent: anything. */
export interface OfferFilter {
  /** As markets call it, in any spelling: `RTX 4090`, `rtx4090`, `NVIDIA GeForce RTX 4090`. */
  readonly gpu?: string;
  readonly gpuCount?: number;
  /** All GPUs of the machine together. */
  readonly leastVramBytes?: number;
  readonly kind?: RentKind;
  /** GPU and disk together, for one hour. */
  readonly mostPerHourNanos?: Nanos;
  /** 0 to 1. */
  readonly leastReliability?: number;
  readonly region?: string;
  /** Of the instance's own disk, which is in the price. */
  readonly diskBytes?: number;
  readonly mostDownloadPerGbNanos?: Nanos;
}

export interface RentalOffer {
  /** As the settings call the market. */
  readonly market: string;
  readonly offerId: string;
  readonly kind: RentKind;
  /** `RTX 4090`: without the maker. */
  readonly gpu: string;
  readonly gpuCount: number;
  /** All GPUs together. */
  readonly vramBytes: number;
  /** For the disk that was asked for. Of a `bid` offer the least bid is in it. */
  readonly rates: RentalRates;
  /** The least that is accepted now; null: there is no bidding. */
  readonly leastBidPerHourNanos: Nanos | null;
  /** 0 to 1; null: the market does not say. */
  readonly reliability: number | null;
  readonly region: string | null;
  readonly verified: boolean | null;
  /** How long it can be had; null: no end is stated. */
  readonly longestMs: number | null;
  readonly availability: "low" | "medium" | "high" | null;
}

/** An entry of a market's answer that is no offer one may decide by: a price that is none, or absurd. */
export interface RejectedOffer {
  readonly offerId: string;
  readonly reason: string;
}

export interface OfferList {
  readonly offers: readonly RentalOffer[];
  readonly rejected: readonly RejectedOffer[];
  /** When the market answered, by our clock. */
  readonly takenAtMs: number;
}

/**
 * What the market says an instance does. `frozen` is billed like `running`. `offline`: its host does not answer. `unknown`: a word
 * nobody has documented; it counts as running. An instance that is no longer listed is `gone`.
 */
export const instanceStates = Object.freeze([
  "scheduling",
  "loading",
  "running",
  "frozen",
  "stopped",
  "exited",
  "offline",
  "unknown",
  "gone",
] as const);
export type InstanceState = (typeof instanceStates)[number];

export interface RentalInstance {
  readonly market: string;
  readonly instanceId: string;
  /** Ours begin with `lanthorn-`; null: none was given. */
  readonly label: string | null;
  readonly state: InstanceState;
  /** The market's own words. */
  readonly words: string;
  /** Whether the market means it to run: an instance that is meant to and is stopped was outbid. Null: it does not say. */
  readonly meantToRun: boolean | null;
  readonly kind: RentKind;
  readonly bidPerHourNanos: Nanos | null;
  readonly gpu: string;
  readonly gpuCount: number;
  /** As billed now, whatever was quoted. Null: what stands there is no price. */
  readonly rates: RentalRates | null;
  /** `http://host:port` of the served port; null: not known yet. */
  readonly address: string | null;
  readonly region: string | null;
  readonly createdAtMs: number | null;
}

export interface InstanceList {
  readonly instances: readonly RentalInstance[];
  /** By our clock. */
  readonly takenAtMs: number;
  /** The market's clock minus ours, from its Date header; null: it sent none. */
  readonly skewMs: number | null;
}

/** What is rented: the offer, and what runs there. */
export interface RentalOrder {
  readonly offerId: string;
  /** `lanthorn-<box>-<lease>`: how the instance is found again after a crash. */
  readonly label: string;
  readonly kind: RentKind;
  /** Stated for a bid, null for on-demand: an absent field must never buy the dear kind. */
  readonly bidPerHourNanos: Nanos | null;
  readonly gpu: string;
  readonly gpuCount: number;
  readonly diskBytes: number;
  readonly image: string;
  /** Port the server listens on in the instance. */
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Shell text that the machine runs at each start; empty: the image's own. */
  readonly onStart: string;
  /** A disk that outlives the instance, where the market has one; null: its own disk. */
  readonly volumeId: string | null;
}

export interface CreatedInstance {
  readonly instanceId: string;
}

/** One line of a market's bill. */
export interface RentalBillLine {
  readonly day: Day;
  readonly instanceId: string;
  readonly part: "gpu" | "storage" | "traffic" | "other" | "all";
  /** Null: what stands there is no amount. */
  readonly attos: Attos | null;
}
