/**
 * What is to become of a lease, and what its market is to be told next. Pure; whoever calls carries the order out and writes the lease
 * down before and after. What is wanted (`wish`) is changed by people, by timers and by caps; the order follows from the wish and the state.
 */
import type { Nanos } from "../money.ts";
import { isDown } from "./burn.ts";
import { type LeaseRecord, hasEnded, type LeaseWish, moved, type OrderKind } from "./lease-record.ts";

/** What is known besides the lease itself. */
export interface LeaseFacts {
  readonly nowMs: number;
  readonly inFlight: number;
  /** Paid so far: for this lease, and for all of them today and this month. */
  readonly spent: { readonly leaseNanos: Nanos; readonly dayNanos: Nanos; readonly monthNanos: Nanos };
  /** The market can stop an instance and keep its disk. */
  readonly stops: boolean;
}

export interface LeaseStep {
  readonly lease: LeaseRecord;
  /** To be sent now; null: nothing. */
  readonly order: OrderKind | null;
  /** When to look again at the latest, epoch milliseconds; null: when something happens. */
  readonly wakeAtMs: number | null;
}

/** Between two tries of one order: 5 s, doubled up to a minute. Giving up would be to let it burn. */
const firstRetryMs = 5_000;
const longestRetryMs = 60_000;

export function retryAtMs({ atMs, tries }: { readonly atMs: number; readonly tries: number }): number {
  return atMs + Math.min(longestRetryMs, firstRetryMs * 2 ** Math.min(10, tries - 1));
}

/** A wish of a person or of a target in need. What is to end ends; nothing starts it again. */
export function wished(lease: LeaseRecord, wish: LeaseWish, reason: string, nowMs: number): LeaseRecord {
  if (hasEnded(lease) || lease.wish === "end") return lease;
  // What was interrupted and is meant to run is started by who asks for it: it may never come back by itself.
  if (lease.wish === wish && !(wish === "run" && lease.state === "interrupted")) return lease;
  const next = { ...lease, wish, wishReason: reason, order: lease.state === "intended" ? lease.order : null };
  if (lease.state === "intended") return next;
  if (wish === "end") return moved(next, "destroying", reason, nowMs);
  if (wish === "stop") return moved(next, "stopping", reason, nowMs);
  return moved(next, "starting", reason, nowMs);
}

/** Timers and caps first, then the order that is due. */
export function stepped(lease: LeaseRecord, facts: LeaseFacts): LeaseStep {
  if (hasEnded(lease)) return { lease, order: null, wakeAtMs: null };
  const next = settled(timed(lease, facts), facts);
  const order = orderOf(next);
  if (order === null) return { lease: next, order: null, wakeAtMs: nextTimerMs(next, facts) };
  const { order: sent } = next;
  if (sent !== null && sent.kind === order && facts.nowMs < retryAtMs(sent)) {
    return { lease: next, order: null, wakeAtMs: earliest(retryAtMs(sent), nextTimerMs(next, facts)) };
  }
  return { lease: next, order, wakeAtMs: nextTimerMs(next, facts) };
}

/** Written before the order is sent. */
export function sending(lease: LeaseRecord, order: OrderKind, nowMs: number): LeaseRecord {
  const before = lease.order?.kind === order ? lease.order : null;
  const { tries, heardAtMs } = before ?? { tries: 0, heardAtMs: null };
  return { ...lease, order: { kind: order, atMs: nowMs, tries: tries + 1, heardAtMs } };
}

function timed(lease: LeaseRecord, { nowMs, spent, inFlight, stops }: LeaseFacts): LeaseRecord {
  const { terms, state } = lease;
  if (lease.wish === "end" || terms === null) return lease;
  const end = (reason: string) => wished(lease, "end", reason, nowMs);
  if (nowMs >= lease.createdAtMs + terms.longestMs) return end("the lease is over");
  const { perInstanceNanos, perDayNanos, perMonthNanos } = terms.caps;
  if (perInstanceNanos !== null && spent.leaseNanos >= perInstanceNanos) return end("it has cost what it may");
  const isOver =
    (perDayNanos !== null && spent.dayNanos >= perDayNanos) ||
    (perMonthNanos !== null && spent.monthNanos >= perMonthNanos);
  if (isOver && lease.wish === "run") {
    const reason = "rentals have cost what they may today or this month";
    return stops ? wished(lease, "stop", reason, nowMs) : end(reason);
  }
  if (state === "starting" && nowMs >= lease.bootSinceMs + terms.bootDeadlineMs) return end("it was not ready in time");
  const idleAtMs = idleStopAtMs(lease, inFlight);
  if (lease.wish === "run" && idleAtMs !== null && nowMs >= idleAtMs) {
    return stops ? wished(lease, "stop", "nobody used it", nowMs) : end("nobody used it");
  }
  const lostAtMs = lostAt(lease);
  if (lostAtMs !== null && nowMs >= lostAtMs) return end("it did not come back in time");
  const isAway = state === "stopped" || state === "interrupted";
  if (isAway && terms.destroyAfterMs !== null && nowMs >= lease.sinceMs + terms.destroyAfterMs) {
    return end("it was stopped for as long as it may");
  }
  return lease;
}

/** A lease that was never made and is not wanted any more has no instance to be destroyed. */
function settled(lease: LeaseRecord, { nowMs }: LeaseFacts): LeaseRecord {
  if (lease.state === "intended") {
    return lease.wish !== "run" && lease.order === null ? moved(lease, "ended", lease.wishReason, nowMs) : lease;
  }
  // It was found after it had been given up.
  if (lease.wish === "end" && lease.state !== "destroying") return moved(lease, "destroying", lease.wishReason, nowMs);
  if (lease.wish === "stop" && lease.state === "starting") return moved(lease, "stopping", lease.wishReason, nowMs);
  return lease;
}

/** Nothing while it is `intended`: one create is ever sent, by who has the order; whether it made anything the market's list says. */
function orderOf(lease: LeaseRecord): OrderKind | null {
  switch (lease.state) {
    case "destroying":
      return "destroy";
    case "stopping":
      return "stop";
    case "starting":
      // After a stop; a new instance starts by itself. One that the market means to run waits for its bid.
      return isDown(lease.seen.state) ? "start" : null;
    default:
      return null;
  }
}

function nextTimerMs(lease: LeaseRecord, { nowMs, inFlight }: LeaseFacts): number | null {
  const { terms, state } = lease;
  if (terms === null) return null;
  const isAway = state === "stopped" || state === "interrupted";
  const times = [
    lease.wish === "end" ? null : lease.createdAtMs + terms.longestMs,
    state === "starting" ? lease.bootSinceMs + terms.bootDeadlineMs : null,
    idleStopAtMs(lease, inFlight),
    isAway && terms.destroyAfterMs !== null ? lease.sinceMs + terms.destroyAfterMs : null,
    lease.wish === "end" ? null : lostAt(lease),
  ].filter((at) => at !== null);
  return times.length === 0 ? null : Math.max(nowMs, Math.min(...times));
}

/** One that is interrupted too: it would come back for nobody. */
export function idleStopAtMs({ state, terms, usedAtMs }: LeaseRecord, inFlight: number): number | null {
  const isUp = state === "ready" || state === "interrupted";
  return isUp && inFlight === 0 && terms !== null && terms.idleStopMs !== null ? usedAtMs + terms.idleStopMs : null;
}

/** An interrupted one that may be billed as if it ran is waited for as long as for a first token; null: its disk is all it costs. */
function lostAt({ state, seen, sinceMs, terms }: LeaseRecord): number | null {
  return state === "interrupted" && !isDown(seen.state) && terms !== null ? sinceMs + terms.bootDeadlineMs : null;
}

export function destroyAtMs({ state, terms, sinceMs }: LeaseRecord): number | null {
  const isAway = state === "stopped" || state === "interrupted";
  return isAway && terms !== null && terms.destroyAfterMs !== null ? sinceMs + terms.destroyAfterMs : null;
}

function earliest(left: number, right: number | null): number {
  return right === null ? left : Math.min(left, right);
}
