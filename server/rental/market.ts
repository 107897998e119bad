/**
 * The contract of every rental market. One suite in `test/contracts/` runs over the whole registry. Types only. An adapter converts
 * units and money and nothing else: it decides nothing, retries nothing and keeps nothing.
 */
import type { Nanos } from "../domain/money.ts";
import type { Day } from "../domain/day.ts";
import type {
  CreatedInstance,
  InstanceList,
  OfferFilter,
  OfferList,
  RentalBillLine,
  RentalOrder,
} from "../domain/rental/market.ts";

/** What a market can do. Named traits instead of its name, wherever something depends on it. */
export interface MarketTraits {
  readonly bids: boolean;
  /** An instance can be stopped and started again, keeping its disk. */
  readonly stops: boolean;
  /** A disk that outlives the instance can be had. */
  readonly volumes: boolean;
  /** It is a machine of the settings: its lease begins and ends with its entry there, and it is neither rented, ordered about nor billed through here. */
  readonly fixed?: true;
  /** It may bill the GPU of whatever is not stopped: it does not say that it is free before an instance runs, or once it has failed. */
  readonly billsAllButStopped: boolean;
  /** Shortest time between two looks at offers, and at instances, that its limits allow politely. */
  readonly offersEveryMs: number;
  readonly instancesEveryMs: number;
}

/** `gone`: there is no such instance any more. `again`: it was heard and is not done; ask again. */
export type MarketDeed = "done" | "gone" | "again";

export interface Market {
  /** As the settings call it. */
  readonly id: string;
  /** `vast`, `runpod`, `static`. */
  readonly type: string;
  readonly title: string;
  readonly traits: MarketTraits;
  /** All of these throw Failure: `upstream_rate_limited`, `upstream_key_refused`, `upstream_unreachable`, `upstream_failed`, … */
  offers(filter: OfferFilter, signal: AbortSignal): Promise<OfferList>;
  instances(signal: AbortSignal): Promise<InstanceList>;
  /**
   * Rents. Throws `not_found` when the offer is gone. After any failure other than a refusal it is not known whether an instance was
   * made: whoever calls looks for the label.
   */
  create(order: RentalOrder, signal: AbortSignal): Promise<CreatedInstance>;
  start(instanceId: string, signal: AbortSignal): Promise<MarketDeed>;
  stop(instanceId: string, signal: AbortSignal): Promise<MarketDeed>;
  /** Confirmed only when `instances` does not list it any more. */
  destroy(instanceId: string, signal: AbortSignal): Promise<MarketDeed>;
  /** Throws `unsupported` where there is no bidding. */
  changeBid(instanceId: string, perHourNanos: Nanos, signal: AbortSignal): Promise<void>;
  /** Lines of the days from, and until, not included. */
  bills(from: Day, until: Day, signal: AbortSignal): Promise<readonly RentalBillLine[]>;
}
