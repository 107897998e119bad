/**
 * What a lease is after its market has spoken: a list of instances, the answer to an order, a notice. Pure. Nothing is ordered here.
 *
 * A list decides only about what it was taken after: an instance that is made while it is read is not missing. A list that cannot be
 * read is no list, and decides nothing but that time goes on costing (S-18).
 */
import type { InterruptionCause, NoticeSource } from "./lease.ts";
import { hasEnded, type Interruption, isAdopted, type LeaseRecord, moved } from "./lease-record.ts";
import { isDown } from "./burn.ts";
import { wished } from "./lease-step.ts";
import type { InstanceList, InstanceState, RentalInstance } from "./market.ts";

export interface Observed {
  readonly lease: LeaseRecord;
  readonly interruption: Interruption | null;
}

/** A market may show what it has made a little later: only a list so much younger says that nothing was made. */
export const settlingMs = 60_000;
/** What lists have not had for so long is given up, and destroyed to be sure: a list may leave out what stands. */
export const missingMs = 60_000;

const up: ReadonlySet<InstanceState> = new Set(["running", "frozen"]);

export function instanceOf(lease: LeaseRecord, list: Pick<InstanceList, "instances">): RentalInstance | undefined {
  if (lease.instanceId !== null) return list.instances.find(({ instanceId }) => instanceId === lease.instanceId);
  return list.instances.find(({ label }) => label === lease.label);
}

/** What the market's list says of it. */
export function observed(lease: LeaseRecord, list: InstanceList, nowMs: number): Observed {
  if (hasEnded(lease)) return { lease, interruption: null };
  const instance = instanceOf(lease, list);
  if (instance === undefined || instance.state === "gone") return missed(lease, list.takenAtMs, nowMs);
  const { state, words, rates, address, bidPerHourNanos } = instance;
  const seen: LeaseRecord = {
    ...lease,
    instanceId: instance.instanceId,
    seen: { state, words, atMs: list.takenAtMs },
    billed: rates ?? lease.billed,
    address: address ?? lease.address,
    bidPerHourNanos: bidPerHourNanos ?? lease.bidPerHourNanos,
    missingSinceMs: null,
  };
  const found = placed(seen, instance, nowMs);
  if (lease.kind === instance.kind || lease.kind !== "bid") return found;
  // A bid that got lost on its way buys the dear kind, and nobody has agreed to its price.
  return { ...found, lease: wished(found.lease, "end", "it is on demand, and a bid was ordered", nowMs) };
}

function placed(lease: LeaseRecord, { state, meantToRun, words, kind }: RentalInstance, nowMs: number): Observed {
  const stays = (next: LeaseRecord): Observed => ({ lease: next, interruption: null });
  const lost = (cause: InterruptionCause) => interrupted(lease, cause, "poll", words, nowMs);
  switch (lease.state) {
    case "intended":
      // Made, though its answer may never have come. What is wanted of it meanwhile is ordered next.
      return stays(moved({ ...lease, order: null }, "starting", "the market has made it", nowMs));
    case "starting":
      return stays(lease);
    case "ready":
      if (up.has(state)) return stays(lease);
      if (lease.wish !== "run") return stays(lease);
      if (isDown(state) && meantToRun === false) return stays(rested(lease, nowMs));
      if (state === "stopped") return lost(kind === "bid" ? "outbid" : "preempted");
      if (state === "offline") return lost("host_gone");
      if (state === "exited" || state === "scheduling" || state === "loading") return lost("preempted");
      return stays(lease);
    case "interrupted":
      // That the settings name it says nothing: its next token does.
      if (isAdopted(lease)) return stays(lease);
      if (isDown(state) && meantToRun === false && lease.wish === "run") return stays(rested(lease, nowMs));
      return up.has(state) ? stays(moved(lease, "starting", "it runs again", nowMs)) : stays(lease);
    case "stopping":
      // One that was outbid comes back by itself for as long as it is meant to run.
      return isDown(state) && meantToRun !== true
        ? stays(moved({ ...lease, order: null }, "stopped", lease.wishReason, nowMs))
        : stays(lease);
    case "stopped":
      // Somebody else started it: it is stopped again.
      return up.has(state) ? stays(moved(lease, "stopping", "it runs although it was stopped", nowMs)) : stays(lease);
    default:
      return stays(lease);
  }
}

/** Somebody stopped it elsewhere, or it stopped itself for want of use or of its home: it can be started again. */
function rested(lease: LeaseRecord, nowMs: number): LeaseRecord {
  const reason = "it was stopped, and not from here";
  return moved({ ...lease, wish: "stop", wishReason: reason, order: null }, "stopped", reason, nowMs);
}

/** The list has not got it. */
function missed(lease: LeaseRecord, takenAtMs: number, nowMs: number): Observed {
  const stays = (next: LeaseRecord): Observed => ({ lease: next, interruption: null });
  const { order, missingSinceMs } = lease;
  // Taken before the order reached the market: it may not know of it yet.
  if (order !== null && takenAtMs <= order.atMs) return stays(lease);
  if (lease.instanceId === null) {
    if (order === null || takenAtMs - order.atMs < settlingMs) return stays(lease);
    return stays(moved(lease, "ended", "nothing was made", nowMs));
  }
  if (lease.state === "destroying") {
    // The market must have said so too: lists lag behind what was just made.
    const isHeard = order?.kind === "destroy" && order.heardAtMs !== null && takenAtMs > order.heardAtMs;
    return stays(isHeard ? moved(gone(lease, takenAtMs), "ended", lease.wishReason, nowMs) : lease);
  }
  // It was made a moment ago, and no list has had it yet.
  if (lease.seen.atMs === null && takenAtMs - lease.bootSinceMs < settlingMs) return stays(lease);
  if (missingSinceMs === null) {
    const missing = { ...lease, missingSinceMs: takenAtMs };
    const isLost = lease.wish === "run" && lease.state === "ready";
    return isLost ? interrupted(missing, "host_gone", "poll", "not listed any more", nowMs) : stays(missing);
  }
  if (takenAtMs - missingSinceMs < missingMs) return stays(lease);
  return stays(wished(lease, "end", "the market does not list it any more", nowMs));
}

function gone(lease: LeaseRecord, takenAtMs: number): LeaseRecord {
  return { ...lease, seen: { state: "gone", words: "not listed", atMs: takenAtMs }, address: null };
}

/** It does not answer although it should: from now on no request goes there. */
export function interrupted(
  lease: LeaseRecord,
  cause: InterruptionCause,
  source: NoticeSource,
  words: string,
  nowMs: number,
): Observed {
  const next = moved(lease, "interrupted", causeWords[cause], nowMs);
  return {
    lease: { ...next, interruptions: next.interruptions + 1 },
    interruption: { lease: lease.id, atMs: nowMs, cause, source, words },
  };
}

export const causeWords: Readonly<Record<InterruptionCause, string>> = Object.freeze({
  outbid: "somebody bid more",
  host_gone: "its host is gone",
  preempted: "the market stopped it",
  no_answer: "it does not answer",
});
