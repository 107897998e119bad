/**
 * Looks at each market where something is rented, more often while something is on its way there, and hands what is seen to the keepers of its
 * leases. What has our label and no lease is said in the log, once. Runs in the server; sends no orders itself.
 */
import type { Clock, Log } from "../domain/ports.ts";
import type { LeaseRecord } from "../domain/rental/lease-record.ts";
import type { InstanceList } from "../domain/rental/market.ts";
import type { Keeper } from "./lease-keeper.ts";
import type { Market } from "./market.ts";
import { lookAtMarket, type MarketLook } from "./market-look.ts";
import { leaseOfLabel, type Orphanage } from "./orphans.ts";

export interface LeaseLooksParts {
  readonly clock: Clock;
  readonly log: Log;
  /** Name of this box in labels. */
  readonly box: string;
  readonly pollMs: number;
  readonly orphanage: Pick<Orphanage, "in">;
  /** Those that have not ended. */
  keepersAt(market: string): readonly Keeper[];
  /** Asked for and not answered: a list says nothing about it yet. */
  isCreating(lease: number): boolean;
  /** Before the keepers hear of the list. */
  seen(market: string, list: InstanceList, leases: readonly LeaseRecord[]): void;
}

export interface LeaseLooks {
  /** As soon as its market allows it. */
  soon(market: Market): void;
  /** The highest that any label of ours has named: a ledger that was restored must not give its number again. 0: none was seen. */
  highestLease(): number;
  stop(): void;
}

/** Longest time a list may take. */
export const lookMs = 20_000;
/** Between two looks where something is on its way, if the market allows it: its GPU is billed from a moment that only a list shows. */
const movingMs = 3_000;
const still: ReadonlySet<LeaseRecord["state"]> = new Set<LeaseRecord["state"]>(["ready", "stopped", "interrupted"]);

export function createLeaseLooks(parts: LeaseLooksParts): LeaseLooks {
  const { clock, log, box, pollMs, orphanage, keepersAt } = parts;
  const looks = new Map<string, MarketLook>();
  const toldOrphans = new Set<string>();
  let highest = 0;
  return {
    soon: (market) => lookOf(market).soon(),
    highestLease: () => highest,
    stop() {
      for (const look of looks.values()) look.stop();
    },
  };

  function lookOf(market: Market): MarketLook {
    const found = looks.get(market.id);
    if (found !== undefined) return found;
    const keepers = () => keepersAt(market.id);
    const made = lookAtMarket({
      ...{ market, clock, log, limitMs: lookMs },
      everyMs: () => (keepers().every(({ record }) => still.has(record.state)) ? pollMs : Math.min(pollMs, movingMs)),
      isWanted: () => keepers().length > 0,
      seen(list, askedAtMs) {
        const records = keepers().map(({ record }) => record);
        for (const { label } of list.instances) highest = Math.max(highest, leaseOfLabel(label, box) ?? 0);
        parts.seen(market.id, list, records);
        tellOrphans(market, list);
        for (const keeper of keepers()) {
          if (!parts.isCreating(keeper.record.id)) keeper.observe(list, askedAtMs);
          void keeper.settle();
        }
      },
      missed() {
        for (const keeper of keepers()) void keeper.settle();
      },
    });
    looks.set(market.id, made);
    return made;
  }

  /** In the log, once for each: somebody has to end them. */
  function tellOrphans(market: Market, list: InstanceList): void {
    for (const { instanceId, label } of orphanage.in(market.id, list)) {
      if (toldOrphans.has(`${market.id} ${instanceId}`)) continue;
      toldOrphans.add(`${market.id} ${instanceId}`);
      log.warn(
        { market: market.id, instance: instanceId, label },
        "a machine with our label costs money and no lease knows it: lanthorn rental orphans",
      );
    }
  }
}
