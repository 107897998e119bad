/**
 * Ends the second machine of a lease (`domain/rental/twin.ts`): it gets a lease of its own that only ends, so that it is counted and asked for
 * until it is gone, also after a crash. Runs in the server, and in a command that keeps leases for a moment.
 */
import type { Log } from "../domain/ports.ts";
import type { InstanceList } from "../domain/rental/market.ts";
import type { LeaseRecord } from "../domain/rental/lease-record.ts";
import { foundTwin, leaseOfTwin, twinsIn } from "../domain/rental/twin.ts";
import type { LeaseBook } from "../ledger/leases.ts";
import type { Keeper } from "./lease-keeper.ts";

/** How a lease is begun that nobody ordered. */
export interface NewLeases {
  readonly book: Pick<LeaseBook, "write">;
  /** Epoch milliseconds that never go back. */
  now(): number;
  /** A number that no lease has had, with its label. */
  own(): Pick<LeaseRecord, "id" | "label">;
  /** Looked after from now on. */
  keep(lease: LeaseRecord): Keeper;
}

export interface Twins {
  /** `leases`: those of that market that have not ended. */
  seen(market: string, list: InstanceList, leases: readonly LeaseRecord[]): void;
}

export function createTwins({ book, now, own, keep, log }: NewLeases & { readonly log: Log }): Twins {
  const ended = new Set<string>();
  return {
    seen(market, list, leases) {
      for (const twin of twinsIn(list, leases, now())) {
        const { instanceId } = twin.instance;
        const facts = { lease: twin.of.id, market, instance: instanceId };
        // Listed again after its end it is an orphan, for people.
        if (ended.has(`${market} ${instanceId}`)) continue;
        const meant = leaseOfTwin(own(), twin);
        try {
          book.write(meant, { from: null });
        } catch (err) {
          log.error({ ...facts, err }, "a second machine of a lease costs money, and cannot be written down");
          continue;
        }
        ended.add(`${market} ${instanceId}`);
        log.error(
          { ...facts, endedAs: meant.id },
          "a market has made two machines for one lease: the second one is destroyed",
        );
        keep(meant).change(foundTwin(meant, twin, list.takenAtMs, now()));
      }
    },
  };
}
