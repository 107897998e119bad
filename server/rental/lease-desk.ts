/**
 * What the rest of the box may ask of its leases. Types only; `leases.ts` implements it, `/admin/rentals`, the commands and the
 * backend of rented targets use it.
 */
import type { Nanos } from "../domain/money.ts";
import type { WorkDone } from "../domain/rental/burn.ts";
import type { LeaseTerms, LeaseView, Orphan, SpendCaps } from "../domain/rental/lease.ts";
import type { RentalOffer, RentalOrder } from "../domain/rental/market.ts";

export interface RentWish {
  /** As `rentals:` of the settings calls it; null: by hand. */
  readonly rental: string | null;
  readonly offer: RentalOffer;
  /** What runs there; its label is written by the desk. */
  readonly order: Omit<RentalOrder, "label" | "offerId" | "gpu" | "gpuCount">;
  readonly terms: LeaseTerms;
}

export interface LeaseDesk {
  /** Every lease that has not ended, oldest first; with `ended` those of the last 30 days too. */
  list(wish?: { readonly ended?: boolean }): readonly LeaseView[];
  /** Throws `not_found`. */
  show(id: number): LeaseView;
  /**
   * Writes the intent, rents, and returns once the instance is confirmed. Throws `budget_exceeded` when a cap does not allow one hour of
   * it, `upstream_…` when the market refuses or stays silent (the lease then goes on by itself until the market's list settles it).
   */
  rent(wish: RentWish, signal: AbortSignal): Promise<LeaseView>;
  /** The orders of a person or of a target in need; each returns the lease as it then is. Throw `not_found`, `invalid_request`. */
  start(id: number, reason: string): Promise<LeaseView>;
  stop(id: number, reason: string): Promise<LeaseView>;
  destroy(id: number, reason: string): Promise<LeaseView>;
  changeBid(id: number, perHourNanos: Nanos): Promise<LeaseView>;
  /** Instances with our label that no lease knows, as every market lists them now. */
  orphans(signal: AbortSignal): Promise<{ readonly orphans: readonly Orphan[]; readonly unread: readonly string[] }>;
  /** Ends an orphan: destroyed until the market confirms it. */
  endOrphan(market: string, instanceId: string, signal: AbortSignal): Promise<void>;
  /** A request is computed there until the returned function is called, with what it did as far as known: keeps it from idling, and parts used
   * from idle money. */
  begin(id: number): (done?: Partial<WorkDone>) => void;
  /** A request there failed in a way that may mean it is gone: looked at now instead of at the next poll. */
  suspect(id: number, reason: string): void;
  /** A machine says that it goes: taken as an interruption at once. True: it is one of ours that should run. */
  notice(market: string, instanceId: string, reason: string): boolean;
  /** Called at each change of any lease; the returned function ends it. */
  watch(listener: (lease: LeaseView) => void): () => void;
  /** What all leases cost this hour, today and this month, with the caps that hold for all of them. */
  burn(): BurnSummary;
}

export interface BurnSummary {
  readonly perHourNanos: Nanos;
  readonly todayNanos: Nanos;
  readonly monthNanos: Nanos;
  readonly caps: Omit<SpendCaps, "perInstanceNanos">;
  /** Leases that cost money now, those nobody knows about included. */
  readonly costing: number;
}
