/**
 * Machines of the settings (`type: static`): which there are, and whose requests go there. Runs in the server; a command that keeps leases for
 * a moment leaves theirs as they are. What their leases are is in `domain/rental/adopted.ts`.
 */
import type { MarketSetting, RentalSetting } from "../config/rental-setting.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { type Adoption, type CapFacts, reachedCap } from "../domain/rental/adopted.ts";
import { isAdopted, type LeaseRecord } from "../domain/rental/lease-record.ts";
import { instanceOfMachine } from "./markets/static.ts";

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

/** Between two lines about one cap. */
const sayEveryMs = 6 * 3_600_000;

/** Says that a cap is reached and that these go on costing: nobody can end them from here. */
export function capTeller(
  clock: Clock,
  log: Log,
): (leases: readonly Pick<LeaseRecord, "id" | "terms">[], facts: CapFacts) => void {
  let saidAtMs = Number.NEGATIVE_INFINITY;
  return (leases, facts) => {
    const standing = leases.filter(isAdopted).map(({ id }) => id);
    if (standing.length === 0 || clock.monotonicMs() - saidAtMs < sayEveryMs) return;
    const cap = reachedCap(facts);
    if (cap === null) return;
    saidAtMs = clock.monotonicMs();
    log.warn(
      { leases: standing, spent: cap },
      "rented machines have cost what they may, and those of the settings go on costing: nobody can end them from here",
    );
  };
}
