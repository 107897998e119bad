/**
 * Machines of the settings (`type: static`): which there are, and whose requests go there. Runs in the server; a command that keeps leases for
 * a moment leaves theirs as they are. What their leases are is in `domain/rental/adopted.ts`.
 */
import type { MarketSetting, RentalSetting } from "../config/rental-setting.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { type Adoption, adoptedLease, type CapFacts, isOf, reachedCap } from "../domain/rental/adopted.ts";
import { hasEnded, isAdopted, type LeaseRecord, moved } from "../domain/rental/lease-record.ts";
import type { Keeper } from "./lease-keeper.ts";
import { instanceOfMachine } from "./markets/static.ts";
import type { NewLeases } from "./twins.ts";

/** Throws Failure `cannot_start` where two entries of `rentals:` want one machine. */
export function adoptionsOf(
  markets: Readonly<Record<string, MarketSetting>>,
  rentals: Readonly<Record<string, Pick<RentalSetting, "market">>>,
): readonly Adoption[] {
  return Object.entries(markets).flatMap(([id, { type = id, enabled, machine }]) => {
    if (type !== "static" || !enabled || machine === undefined) return [];
    const [rental = null, second] = Object.keys(rentals).filter((name) => rentals[name]?.market === id);
    if (second === undefined) return [{ rental, instance: instanceOfMachine(id, machine) }];
    throw new Failure("cannot_start", `The machine "${id}" is wanted by two rentals: "${rental}" and "${second}".`, {
      why: "It is one machine, and its cost is one target's. An entry may serve several models, and several routes.",
      ...{ param: `rentals.${second}.market`, next: ["lanthorn config show rentals"] },
    });
  });
}

/** Those of the last run that are not in the settings any more end; those that are new there begin, and are given back. */
export function adopt(
  adoptions: readonly Adoption[],
  kept: readonly Keeper[],
  { book, now, own, keep }: NewLeases,
): readonly Keeper[] {
  const there = kept.filter(({ record }) => isAdopted(record));
  for (const keeper of there) {
    if (adoptions.some((one) => isOf(keeper.record, one))) continue;
    keeper.change(moved(keeper.record, "ended", "it is not in the settings any more, or serves another", now()));
  }
  return adoptions.flatMap((adoption) => {
    if (there.some(({ record }) => !hasEnded(record) && isOf(record, adoption))) return [];
    const record = adoptedLease(own(), adoption, now());
    book.write(record, { from: null });
    return [keep(record)];
  });
}

/** Between two lines about one cap. */
const sayEveryMs = 6 * 3_600_000;

/** Says that a cap is reached and that these go on costing: nobody can end them from here. */
export function capTeller(
  clock: Clock,
  log: Log,
): (leases: readonly Pick<LeaseRecord, "id" | "terms">[], facts: () => CapFacts) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return (leases, facts) => {
    const standing = leases.filter(isAdopted).map(({ id }) => id);
    if (standing.length === 0 || clock.monotonicMs() - saidAtMs < sayEveryMs) return;
    const cap = reachedCap(facts());
    if (cap === null) return;
    saidAtMs = clock.monotonicMs();
    log.warn(
      { leases: standing, spent: cap },
      "rented machines have cost what they may, and those of the settings go on costing: nobody can end them from here",
    );
  };
}
