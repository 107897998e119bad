/**
 * Rents one instance for an entry of `rentals:` without anybody looking on: the cheapest offer that is what the settings ask for, at the
 * price or bid that they state. Runs in the server process.
 */
import type { RentalLimits, RentalSetting } from "../../config/rental-setting.ts";
import { asFailure, Failure } from "../../domain/failure.ts";
import type { Clock, Log } from "../../domain/ports.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import { needImage } from "../../domain/rental/need-image.ts";
import { chooseOffers } from "../../domain/rental/offer-choice.ts";
import type { LeaseDesk, RentWish } from "../lease-desk.ts";
import type { Market } from "../market.ts";
import { bidOf, filterOf, gbBytes, termsOf } from "../rent-ask.ts";

export interface RentOneParts {
  readonly name: string;
  readonly setting: RentalSetting;
  readonly limits: RentalLimits;
  /** Null: the settings name one that is not set up. */
  readonly market: Market | null;
  readonly desk: Pick<LeaseDesk, "rent">;
  /** What runs in an instance of that setting. */
  readonly machine: (setting: RentalSetting) => Pick<RentWish["order"], "image" | "port" | "environment" | "onStart">;
  readonly clock: Clock;
  readonly log: Log;
}

/** An offer that somebody else took is followed by the next one, so often. */
const mostOffers = 3;
const oldestListMs = 600_000;
/** For less it is not worth fetching the weights. */
const leastMs = 3_600_000;

/** Throws `rental_failed` where nothing will do, `budget_exceeded` where a cap does not allow it, and what the market says. */
export async function rentOne(parts: RentOneParts, reason: string, signal: AbortSignal): Promise<LeaseView> {
  const { name, setting, limits, market, desk, machine, clock, log } = parts;
  if (market === null) {
    throw new Failure("rental_failed", `Nothing can be rented for "${name}": there is no market "${setting.market}".`);
  }
  const bidPerHourNanos = bidOf(setting);
  const ordered = machine(setting);
  needImage(name, ordered.image);
  const filter = filterOf(setting);
  const list = await market.offers(filter, signal);
  const wishes = {
    ...{ filter, kind: setting.kind, bidPerHourNanos, oldestListMs },
    leastMs: Math.min(leastMs, setting.longestMs),
  };
  const choice = chooseOffers(list, wishes, clock.now());
  let failure = new Failure("rental_failed", `Nothing can be rented for "${name}" now. ${choice.words}`, {
    next: [`lanthorn rental offers --kind ${setting.kind}`],
  });
  for (const { offer } of choice.offers.slice(0, mostOffers)) {
    log.info({ rental: name, offer: offer.offerId, reason, choice: choice.words }, "renting a machine for requests");
    const order = {
      ...{ kind: setting.kind, bidPerHourNanos, diskBytes: gbBytes(setting.diskGb) },
      volumeId: setting.volumeId !== "" && market.traits.volumes ? setting.volumeId : null,
      ...ordered,
    };
    try {
      return await desk.rent({ rental: name, offer, order, terms: termsOf(setting, limits) }, signal);
    } catch (thrown) {
      failure = asFailure(thrown);
      if (failure.code !== "not_found") throw failure;
    }
  }
  throw failure;
}
