/**
 * A second machine of one lease: a create whose answer was lost on its way and that the market carried out twice. Pure. Only what was made when
 * the lease was is one, of the same kind of machine, beside the lease's own in the same list: two boxes with copies of one data folder have equal
 * labels too.
 */
import { isAdopted, type LeaseRecord, moved } from "./lease-record.ts";
import type { InstanceList, RentalInstance } from "./market.ts";

/** A market makes what it was asked for within this; clocks are compared by the list's own skew. */
const madeWithinMs = 5 * 60_000;
const clocksDifferMs = 60_000;

export interface Twin {
  /** The lease whose label it has. */
  readonly of: LeaseRecord;
  readonly instance: RentalInstance;
  /** When it began to cost money, by our clock. */
  readonly sinceMs: number;
}

/** `leases`: those of this market that have not ended. */
export function twinsIn(list: InstanceList, leases: readonly LeaseRecord[], nowMs: number): readonly Twin[] {
  const there = list.instances.filter(({ state }) => state !== "gone");
  const isKept = (id: string) => leases.some(({ instanceId }) => instanceId === id);
  return there.flatMap((instance) => {
    const of = leases.find(({ label }) => label === instance.label);
    const own = there.find(({ instanceId }) => instanceId === of?.instanceId);
    if (of === undefined || own === undefined || isAdopted(of) || isKept(instance.instanceId)) return [];
    if (instance.gpu !== own.gpu || instance.gpuCount !== own.gpuCount) return [];
    const madeAtMs = instance.createdAtMs === null ? nowMs : instance.createdAtMs - (list.skewMs ?? 0);
    const afterMs = madeAtMs - of.createdAtMs;
    if (afterMs < -clocksDifferMs || afterMs > madeWithinMs) return [];
    return [{ of, instance, sinceMs: Math.min(nowMs, Math.max(of.createdAtMs, madeAtMs)) }];
  });
}

/** A lease of its own, which only ends: what it costs until then is counted, its time before it was seen as unknown. */
export function leaseOfTwin(own: Pick<LeaseRecord, "id" | "label">, { of, sinceMs }: Twin): LeaseRecord {
  const asked = { kind: "create", atMs: sinceMs, tries: 1, heardAtMs: null } as const;
  return {
    ...of,
    ...own,
    ...{ instanceId: null, address: null, missingSinceMs: null, endedAtMs: null, interruptions: 0, readyMs: 0 },
    ...{ state: "intended", sinceMs, createdAtMs: sinceMs, bootSinceMs: sinceMs, usedAtMs: sinceMs },
    ...{ wish: "end", wishReason: twinWords(of), reason: twinWords(of), order: asked },
    seen: { state: "unknown", words: "", atMs: null },
  };
}

export function foundTwin(lease: LeaseRecord, { instance }: Twin, takenAtMs: number, nowMs: number): LeaseRecord {
  const { instanceId, state, words, rates } = instance;
  const found = {
    ...lease,
    instanceId,
    order: null,
    seen: { state, words, atMs: takenAtMs },
    billed: rates ?? lease.billed,
  };
  return moved(found, "destroying", lease.wishReason, nowMs);
}

function twinWords({ id }: Pick<LeaseRecord, "id">): string {
  return `a second machine of lease-${id}: its create was carried out twice`;
}
