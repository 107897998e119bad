/**
 * Machines with a label of this box that no lease knows: what a crash, a lost answer or a copied data folder leaves behind. They are found
 * by asking every market, and ended until the market does not list them any more. Runs in the server and the CLI.
 */
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import { billingOf, perHourNanos } from "../domain/rental/burn.ts";
import type { Orphan } from "../domain/rental/lease.ts";
import type { LeaseRecord } from "../domain/rental/lease-record.ts";
import type { InstanceList, RentalInstance } from "../domain/rental/market.ts";
import { waitFor } from "../platform/wait.ts";
import type { LeaseDesk } from "./lease-desk.ts";
import type { Market } from "./market.ts";

const prefix = "lanthorn-";
/** Tries to end one; the waits between them grow. */
const mostTries = 8;
const firstWaitMs = 1_000;

/** `lanthorn-<box>-<lease>`. */
export function labelOf(box: string, lease: number): string {
  return `${prefix}${box}-${lease}`;
}

/** The lease that a label of this box names; null: it is not one. */
export function leaseOfLabel(label: string | null, box: string): number | null {
  const start = `${prefix}${box}-`;
  if (label?.startsWith(start) !== true) return null;
  const number = label.slice(start.length);
  return /^\d{1,15}$/.test(number) ? Number(number) : null;
}

/** A second machine of its label is nobody's, once it is known which one is its own. */
export function isOf(
  lease: Pick<LeaseRecord, "market" | "instanceId" | "label">,
  market: string,
  { instanceId, label }: Pick<RentalInstance, "instanceId" | "label">,
): boolean {
  if (lease.market !== market) return false;
  return lease.instanceId === null ? lease.label === label : lease.instanceId === instanceId;
}

export interface OrphanageParts {
  readonly box: string;
  readonly markets: readonly Market[];
  readonly clock: Clock;
  /** A lease that has not ended knows it. */
  isOurs(market: string, instance: Pick<RentalInstance, "instanceId" | "label">): boolean;
}

export interface Orphanage {
  /** Those of a list. */
  in(market: string, list: Pick<InstanceList, "instances">): readonly RentalInstance[];
  readonly list: LeaseDesk["orphans"];
  readonly end: LeaseDesk["endOrphan"];
}

export function createOrphanage({ box, markets, clock, isOurs }: OrphanageParts): Orphanage {
  const list: LeaseDesk["orphans"] = async (signal) => {
    const orphans: Orphan[] = [];
    const unread: string[] = [];
    for (const market of markets) {
      try {
        orphans.push(...within(market.id, await market.instances(signal)).map(orphanOf));
      } catch (thrown) {
        if (signal.aborted) throw thrown;
        unread.push(market.id);
      }
    }
    return { orphans, unread };
  };

  const within: Orphanage["in"] = (market, { instances }) => instances.filter((one) => isLeft(market, one));

  function isLeft(market: string, instance: RentalInstance): boolean {
    if (instance.state === "gone" || instance.label?.startsWith(`${prefix}${box}-`) !== true) return false;
    return !isOurs(market, instance);
  }

  const end: LeaseDesk["endOrphan"] = async (id, instanceId, signal) => {
    const market = markets.find((one) => one.id === id);
    if (market === undefined) throw new Failure("not_found", `There is no market "${id}" here.`);
    for (let tries = 0; tries < mostTries; tries += 1) {
      const { instances } = await market.instances(signal);
      const instance = instances.find((one) => one.instanceId === instanceId && one.state !== "gone");
      if (instance === undefined) {
        if (tries > 0) return;
        throw new Failure("not_found", `${market.title} has no machine "${instanceId}".`);
      }
      // What is looked after by a lease is ended through it.
      if (!isLeft(market.id, instance)) {
        throw new Failure("invalid_request", `The machine "${instanceId}" is no orphan of this box.`, {
          next: ["lanthorn rental list"],
        });
      }
      await market.destroy(instanceId, signal).catch((thrown) => {
        if (signal.aborted || tries === mostTries - 1) throw thrown;
      });
      await waitFor(clock, firstWaitMs * 2 ** Math.min(4, tries), signal);
    }
    throw new Failure("upstream_failed", `${market.title} still lists "${instanceId}": it goes on costing.`, {
      next: ["lanthorn rental orphans --end"],
    });
  };

  return { in: within, list, end };
}

function orphanOf(instance: RentalInstance): Orphan {
  const { market, instanceId, label, state, rates, words } = instance;
  return {
    ...{ market, instanceId, label, state },
    perHourNanos: rates === null ? null : perHourNanos(rates, billingOf(state, true)),
    reason: `no lease of this box knows it (${words === "" ? state : words})`,
  };
}
