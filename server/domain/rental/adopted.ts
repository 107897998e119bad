/**
 * The lease of a machine of the settings: nobody rented it, it costs money for as long as it is in them, and nothing but that ends it. Pure.
 */
import { Failure } from "../failure.ts";
import type { Nanos } from "../money.ts";
import type { SpendCaps } from "./lease.ts";
import { intendedLease, type LeaseRecord, moved } from "./lease-record.ts";
import type { RentalInstance, RentalRates } from "./market.ts";
import { roughUsd } from "./usd-text.ts";

export interface Adoption {
  /** The entry of `rentals:` whose requests go there; null: none. */
  readonly rental: string | null;
  readonly instance: RentalInstance & { readonly rates: RentalRates };
}

/** Still the machine and the target it was: else its lease ends, and another begins. */
export function isOf({ market, rental, gpu, gpuCount }: LeaseRecord, adoption: Adoption): boolean {
  const { instance } = adoption;
  const isSame = gpu === instance.gpu && gpuCount === instance.gpuCount && rental === adoption.rental;
  return market === instance.market && isSame;
}

/** From the moment it is seen in the settings. */
export function adoptedLease(own: Pick<LeaseRecord, "id" | "label">, of: Adoption, nowMs: number): LeaseRecord {
  const { market, instanceId, gpu, gpuCount, rates, address, state, words } = of.instance;
  const lease = { ...own, ...{ rental: of.rental, market, gpu, gpuCount, offerId: "", quoted: rates, terms: null } };
  const meant = intendedLease({ ...lease, kind: "on-demand", bidPerHourNanos: null }, nowMs);
  const there = { ...meant, instanceId, address, billed: rates, seen: { state, words, atMs: nowMs } };
  return moved({ ...there, wishReason: "it is in the settings" }, "starting", "it is in the settings", nowMs);
}

/** What is said to whoever would start, stop or end one. */
export function notFromHere({ id, market }: Pick<LeaseRecord, "id" | "market">, what: string): Failure {
  return new Failure(
    "unsupported",
    `The lease ${id} is the machine "${market}" of the settings: nobody can ${what} it from here.`,
    {
      why: `It costs what the settings say for as long as it is in them, and its lease ends with its entry there: markets.${market}.enabled: false of lanthorn.yaml switches it off at the next start, once no entry of rentals names it.`,
      next: ["lanthorn config show markets", "lanthorn rental list"],
    },
  );
}

/** Nobody can be told anything there: waiting for it would be to wait for ever. */
export function nobodyThere({ id, market }: Pick<LeaseRecord, "id" | "market">): Failure {
  return new Failure("unsupported", `The lease ${id} is at the market "${market}", which this box does not ask now.`, {
    why: `It is not in the settings, switched off there, or shut out by network.localOnly. The machine goes on costing: set it up again and start the box anew, or end it at the market's own page.`,
    next: ["lanthorn config show markets", "lanthorn config show network.localOnly"],
  });
}

export interface CapFacts {
  readonly caps: Omit<SpendCaps, "perInstanceNanos">;
  readonly spent: { readonly dayNanos: Nanos; readonly monthNanos: Nanos };
}

/** The cap that is reached, in words; null: none is. */
export function reachedCap({ caps, spent }: CapFacts): string | null {
  const { perDayNanos, perMonthNanos } = caps;
  const isOver = (cap: Nanos | null, nanos: Nanos) => cap !== null && nanos >= cap;
  if (isOver(perMonthNanos, spent.monthNanos))
    return `${roughUsd(spent.monthNanos)} this month of ${roughUsd(perMonthNanos ?? 0)}`;
  return isOver(perDayNanos, spent.dayNanos)
    ? `${roughUsd(spent.dayNanos)} today of ${roughUsd(perDayNanos ?? 0)}`
    : null;
}
