/**
 * How many instances one entry of `rentals:` needs now, and what to do about it. Pure: leases, load, settings and the time go in, orders
 * with reasons come out. It starts what is stopped before it rents, and never stops one that answers, or more than nobody needs.
 */
import { isWithin, type Weekday, type ZonedTime } from "../routing/zoned-time.ts";
import type { LeaseState } from "./lease.ts";

/** What the settings wish; times in milliseconds. */
export interface FleetWishes {
  readonly min: number;
  readonly max: number;
  /** Kept started beyond those that are used. */
  readonly warm: number;
  /** Minutes of the day within which `min` and `warm` hold; null: all day. */
  readonly hours: { readonly from: number; readonly to: number } | null;
  readonly weekdaysOnly: boolean;
  /** Requests per instance that nobody answers yet, at which another one is started. */
  readonly scaleUpQueue: number;
  readonly idleStopMs: number;
  /** Whether instances may be rented, and not only started. */
  readonly mayRent: boolean;
}

/** A lease that has not ended. Times are epoch milliseconds. */
export interface FleetMember {
  readonly lease: number;
  readonly state: LeaseState;
  readonly sinceMs: number;
  /** Requests of ours it holds now. */
  readonly inFlight: number;
  /** The end of its last request; null: it had none since it is ready. */
  readonly usedAtMs: number | null;
  /** Why it must not be started; null: it may. */
  readonly barred: Bar | null;
}

export interface Bar {
  readonly words: string;
  /** What may be spent is the reason. */
  readonly isCap: boolean;
}

export interface FleetFacts {
  readonly members: readonly FleetMember[];
  /** Requests that nobody answers yet: those that wait for a machine, and those at one whose answer has not begun. */
  readonly waiting: number;
  /** Since when there are as many of them as `isCrowded` says; null: there are not. */
  readonly crowdedSinceMs: number | null;
  /** A request has woken it, whether it waits or went elsewhere. */
  readonly wanted: boolean;
  /** Why nothing may be started or rented now; null: it may. */
  readonly refusal: string | null;
  readonly nowMs: number;
  readonly time: ZonedTime;
}

export type FleetOrder =
  | { readonly do: "start"; readonly lease: number; readonly reason: string }
  | { readonly do: "rent"; readonly reason: string }
  | { readonly do: "stop"; readonly lease: number; readonly reason: string };

export interface FleetDecision {
  /** At most one of them rents; none starts where another one stops. */
  readonly orders: readonly FleetOrder[];
  /** So many are to be on, and why. */
  readonly wanted: number;
  readonly reason: string;
  /** Why fewer are on their way than are wanted; null: they are. */
  readonly unmet: string | null;
}

/** A queue is a reason to start a machine, which takes minutes, when it has been there for so long. */
export const crowdedForMs = 10_000;

const workdays: readonly Weekday[] = Object.freeze(["mon", "tue", "wed", "thu", "fri"]);
const coming: ReadonlySet<LeaseState> = new Set<LeaseState>(["intended", "starting"]);
const standing: ReadonlySet<LeaseState> = new Set<LeaseState>(["intended", "starting", "ready", "stopping", "stopped"]);
/** So long one that was interrupted is waited for: who was outbid for a moment is back soon. */
export const patienceMs = 300_000;

/** Takes up one of `max`: it costs money, or may come back any moment. */
function stands({ state, sinceMs }: FleetMember, nowMs: number): boolean {
  return standing.has(state) || (state === "interrupted" && nowMs - sinceMs < patienceMs);
}

export function isReady({ state }: Pick<FleetMember, "state">): boolean {
  return state === "ready";
}

export function isComing({ state }: Pick<FleetMember, "state">): boolean {
  return coming.has(state);
}

/** With this many waiting one more instance would help. */
export function isCrowded(waiting: number, ready: number, { scaleUpQueue }: FleetWishes): boolean {
  return ready > 0 && waiting >= scaleUpQueue * ready;
}

export function withinHours(time: ZonedTime, { hours, weekdaysOnly }: FleetWishes): boolean {
  const days = weekdaysOnly ? workdays : [];
  return isWithin(time, hours?.from ?? 0, hours?.to ?? 0, days);
}

export function decideFleet(facts: FleetFacts, wishes: FleetWishes): FleetDecision {
  const { members, nowMs } = facts;
  const on = members.filter((member) => isReady(member) || isComing(member));
  const { wanted, reason } = wantedNow(facts, wishes);
  const missing = wanted - on.length;
  if (missing > 0) return { wanted, reason, ...started(facts, wishes, missing, reason) };
  // A queue says that those who are idle now will be used in a moment.
  const isQuiet = facts.crowdedSinceMs === null;
  const idle = isQuiet ? members.filter((member) => isIdle(member, nowMs, wishes)) : [];
  // One on its way is no reason to stop one that answers.
  const spare = members.filter(isReady).length - wanted;
  const orders = [...idle]
    .sort((one, other) => idleSince(one) - idleSince(other) || other.lease - one.lease)
    .slice(0, Math.max(0, spare))
    .map((member): FleetOrder => {
      const minutes = Math.round((nowMs - idleSince(member)) / 60_000);
      return { do: "stop", lease: member.lease, reason: `idle for ${minutes} min, and ${wanted} wanted (${reason})` };
    });
  return { orders, wanted, reason, unmet: null };
}

/** How many are to be on: the most that any of the reasons asks for, and never more than `max`. */
function wantedNow(facts: FleetFacts, wishes: FleetWishes): { readonly wanted: number; readonly reason: string } {
  const { members, waiting, nowMs } = facts;
  const ready = members.filter(isReady);
  const isOpen = withinHours(facts.time, wishes);
  const used = ready.filter((member) => isUsed(member, nowMs, wishes)).length;
  const reasons: { wanted: number; reason: string }[] = [{ wanted: used, reason: used === 0 ? "unused" : "in use" }];
  const asks = (wanted: number, reason: string) => void reasons.push({ wanted, reason });
  if (facts.wanted || waiting > 0) asks(1, waiting > 0 ? `${waiting} waiting` : "a request woke it");
  if (isOpen && wishes.min > 0) asks(wishes.min, `min ${wishes.min}`);
  if (isOpen && wishes.warm > 0) asks(used + wishes.warm, `${used} in use and ${wishes.warm} warm`);
  const lasts = facts.crowdedSinceMs !== null && nowMs - facts.crowdedSinceMs >= crowdedForMs;
  // One at a time: the one on its way is the answer to the queue of now.
  if (lasts && !members.some(isComing)) asks(ready.length + 1, `${waiting} waiting at ${ready.length}`);
  const most = reasons.reduce((best, one) => (one.wanted > best.wanted ? one : best));
  return most.wanted <= wishes.max ? most : { wanted: wishes.max, reason: `${most.reason}, at most ${wishes.max}` };
}

function started(
  facts: FleetFacts,
  wishes: FleetWishes,
  missing: number,
  reason: string,
): Pick<FleetDecision, "orders" | "unmet"> {
  const { members, refusal } = facts;
  if (refusal !== null) return { orders: [], unmet: refusal };
  const stopped = members.filter(({ state, barred }) => state === "stopped" && barred === null);
  const orders = [...stopped]
    // The host of the one that stopped last is the likeliest to have its GPU free still.
    .sort((one, other) => other.sinceMs - one.sinceMs || one.lease - other.lease)
    .slice(0, missing)
    .map(({ lease }): FleetOrder => ({ do: "start", lease, reason }));
  if (orders.length === missing) return { orders, unmet: null };
  if (canRent(members, wishes, facts.nowMs)) return { orders: [...orders, { do: "rent", reason }], unmet: null };
  return { orders, unmet: whyNoMore(members, wishes) };
}

/** Whether a new instance may be rented beside those there are: also of those that nobody waits for there are `max` at most. */
export function canRent(members: readonly FleetMember[], { mayRent, max }: FleetWishes, nowMs: number): boolean {
  const standing = members.filter((member) => stands(member, nowMs)).length;
  const away = members.filter(({ state }) => state === "interrupted").length;
  return mayRent && standing < max && away <= max;
}

/** Why nothing can be started where nothing that is stopped may be, and nothing rented. */
export function whyNoMore(members: readonly FleetMember[], { mayRent, max }: FleetWishes): string {
  for (const { state, lease, barred } of members) {
    if (state === "stopped" && barred !== null) return `lease-${lease}: ${barred.words}`;
  }
  if (members.some(({ state }) => state === "stopping")) return "an instance is just being stopped";
  if (members.some(({ state }) => state === "interrupted")) return "its instance is interrupted, and may come back";
  if (members.some(isComing)) return "an instance is on its way already";
  return mayRent ? `no more than ${max} may be rented` : "none is rented, and a request may not rent one (mayRent)";
}

/** From then on nothing was asked of it. */
function idleSince({ usedAtMs, sinceMs }: FleetMember): number {
  return Math.max(usedAtMs ?? sinceMs, sinceMs);
}

function isIdle(member: FleetMember, nowMs: number, { idleStopMs }: FleetWishes): boolean {
  return isReady(member) && member.inFlight === 0 && nowMs - idleSince(member) >= idleStopMs;
}

/** Used of late: between two requests it is in use all the same. */
function isUsed(member: FleetMember, nowMs: number, { idleStopMs }: FleetWishes): boolean {
  return member.inFlight > 0 || (member.usedAtMs !== null && nowMs - member.usedAtMs < idleStopMs);
}
