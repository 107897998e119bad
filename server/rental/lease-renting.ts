/**
 * A new lease: what is refused before a market hears of it, the line in the ledger, the order, and what its answer means. Runs in the server.
 */
import { asFailure, Failure } from "../domain/failure.ts";
import type { Nanos } from "../domain/money.ts";
import { atBid, runningPerHourNanos } from "../domain/rental/burn.ts";
import type { LeaseTerms, LeaseView, SpendCaps } from "../domain/rental/lease.ts";
import { intendedLease, type LeaseRecord, moved } from "../domain/rental/lease-record.ts";
import { sending } from "../domain/rental/lease-step.ts";
import { needImage } from "../domain/rental/need-image.ts";
import type { RentWish } from "./lease-desk.ts";
import type { LeaseSpend } from "./lease-spend.ts";
import type { Market } from "./market.ts";
import type { NewLeases } from "./twins.ts";

/** What a machine is told of its lease, besides its order: its key, when it ends. */
export type LeaseEnvironment = (
  lease: Pick<LeaseRecord, "rental" | "label" | "market" | "createdAtMs"> & { readonly terms: LeaseTerms },
) => Readonly<Record<string, string>>;

export interface RentingParts {
  readonly newLeases: NewLeases;
  readonly caps: Omit<SpendCaps, "perInstanceNanos">;
  readonly spend: LeaseSpend;
  marketOf(id: string): Market | null;
  perHourOfAll(): Nanos;
  tell(view: LeaseView): void;
  lookSoon(market: Market): void;
  readonly environmentOf: LeaseEnvironment;
}

export interface Renting {
  /** Ends when the market has made it; throws its refusal, `invalid_request`, `not_found`, `budget_exceeded`, `ledger_unavailable`. */
  rent(wish: RentWish, signal: AbortSignal): Promise<LeaseView>;
  /** Asked for and not answered: lists say nothing about it yet. */
  isCreating(lease: number): boolean;
}

/** Longest time an order may take at a market. */
export const orderMs = 30_000;

/** A refusal that says for sure that nothing was made. */
const refusals: ReadonlySet<string> = new Set([
  "not_found",
  "invalid_request",
  "unsupported",
  "upstream_invalid_request",
  "upstream_key_refused",
  "upstream_quota",
  "upstream_rate_limited",
]);

export function createRenting(parts: RentingParts): Renting {
  const { newLeases, caps, spend, marketOf, perHourOfAll, tell, lookSoon } = parts;
  const { book, now } = newLeases;
  const creating = new Set<number>();
  return { rent, isCreating: (lease) => creating.has(lease) };

  async function rent({ rental, offer, order, terms }: RentWish, signal: AbortSignal): Promise<LeaseView> {
    const market = marketOf(offer.market);
    if (market === null) throw new Failure("not_found", `There is no market "${offer.market}" here.`);
    needImage(rental, order.image);
    const bid = order.bidPerHourNanos;
    if ((order.kind === "bid") !== (bid !== null)) {
      throw new Failure("invalid_request", "A bid states its price, and what is no bid has none.", {
        param: "bidUsdPerHour",
      });
    }
    const quoted = atBid(offer.rates, bid);
    const ofAll = { ...caps, perInstanceNanos: terms.caps.perInstanceNanos };
    const hourNanos = runningPerHourNanos(quoted);
    spend.mayCost({ hourNanos, besideNanos: perHourOfAll(), leaseNanos: 0, caps: ofAll });
    const own = newLeases.own();
    const { gpu, gpuCount, offerId } = offer;
    const lease = { ...own, rental, market: market.id, kind: order.kind, bidPerHourNanos: bid };
    const agreed = { ...terms, caps: ofAll };
    const meant = intendedLease({ ...lease, gpu, gpuCount, offerId, quoted, terms: agreed }, now());
    // In the file before the market hears of it: a crash from here on leaves a lease that is looked for.
    const sent = sending(meant, "create", now());
    book.write(sent, { from: null });
    const keeper = newLeases.keep(sent);
    tell(keeper.view());
    let instanceId: string;
    const environment = { ...parts.environmentOf({ ...sent, terms: agreed }), ...order.environment };
    creating.add(own.id);
    try {
      const whole = { ...order, environment, offerId, gpu, gpuCount, label: own.label };
      ({ instanceId } = await market.create(whole, signal));
    } catch (thrown) {
      const failure = asFailure(thrown);
      const { record } = keeper;
      const isRefused = refusals.has(failure.code);
      if (isRefused) {
        keeper.change(moved(record, "ended", `refused: ${failure.message}`.slice(0, 300), now()));
      } else {
        // It may have been heard until now: from here on a list may say that nothing was made.
        keeper.change({ ...record, order: { kind: "create", atMs: now(), tries: 1, heardAtMs: null } });
      }
      lookSoon(market);
      throw isRefused ? failure : unsure(failure, own.id);
    } finally {
      creating.delete(own.id);
    }
    const made = { ...keeper.record, instanceId, order: null };
    keeper.change(moved(made, "starting", "the market has made it", now()));
    lookSoon(market);
    await keeper.settle();
    return keeper.view();
  }
}

/** Nobody knows whether it was made: it is looked for, and whoever asked must not ask once more in good faith. */
function unsure(failure: Failure, lease: number): Failure {
  const { code, message, retryAfterSeconds } = failure;
  return new Failure(code, message, {
    cause: failure,
    ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }),
    why: `The order may have been heard all the same: it may be rented, and cost money. lease-${lease} says so within a minute or two.`,
    next: [`lanthorn rental show lease-${lease}`],
  });
}
