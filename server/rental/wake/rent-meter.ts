/**
 * What attempts on rented machines cost: their share of the rent of the time in which they were computed. Runs in the server process;
 * the ledger of leases has the whole rent, of which these are the used part, and nothing is added up twice.
 */
import type { LocalCost } from "../../domain/local-cost/local-meter.ts";
import type { Cost, Nanos } from "../../domain/money.ts";
import type { Clock } from "../../domain/ports.ts";
import type { LeaseView } from "../../domain/rental/lease.ts";
import { atBid, runningPerHourNanos } from "../../domain/rental/burn.ts";
import { RentShares } from "../../domain/rental/rent-share.ts";
import { type Target, targetName } from "../../domain/routing/target.ts";

export interface RentMeter extends LocalCost {
  /** An attempt is handed to a machine; one request has one at a target at a time. */
  began(lease: LeaseView, requestId: string, target: Target): void;
  ended(requestId: string, target: Target): void;
  /** What it costs may have changed. */
  saw(lease: LeaseView): void;
}

/** GPU and disk of one that runs: as billed, or as quoted while no bill was seen. */
export function hourlyNanos({ quoted, billed, bidPerHourNanos }: LeaseView): Nanos {
  return runningPerHourNanos(billed ?? atBid(quoted, bidPerHourNanos));
}

/** `isRental`: whether targets of that backend are rented machines. */
export function createRentMeter(clock: Clock, isRental: (backendId: string) => boolean): RentMeter {
  const machines = new Map<number, RentShares>();
  const attempts = new Map<string, RentShares>();
  const keyOf = (requestId: string, target: Target) => `${requestId}\n${targetName(target)}`;
  const nowMs = () => clock.monotonicMs();

  const take = (requestId: string, target: Target): Nanos | null => {
    const key = keyOf(requestId, target);
    const nanos = attempts.get(key)?.take(key, nowMs()) ?? null;
    attempts.delete(key);
    return nanos;
  };
  return {
    began(lease, requestId, target) {
      let machine = machines.get(lease.id);
      if (machine === undefined) {
        machine = new RentShares(nowMs());
        machines.set(lease.id, machine);
      }
      machine.rate(hourlyNanos(lease), nowMs());
      const key = keyOf(requestId, target);
      attempts.set(key, machine);
      machine.began(key, nowMs());
    },
    ended(requestId, target) {
      const key = keyOf(requestId, target);
      attempts.get(key)?.ended(key, nowMs());
    },
    saw(lease) {
      if (lease.state === "ended") machines.delete(lease.id);
      else machines.get(lease.id)?.rate(hourlyNanos(lease), nowMs());
    },
    take(requestId, target) {
      if (!isRental(target.backendId)) return null;
      return costing(take(requestId, target) ?? 0);
    },
    forget(requestId, target) {
      if (isRental(target.backendId)) take(requestId, target);
    },
  };
}

/** Rent is what somebody stated, and not what somebody measured; what never came to a machine used nothing of it. */
function costing(nanos: Nanos): Cost {
  return { known: true, nanos, basis: "estimated" };
}
