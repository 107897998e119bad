/** How many instances are wanted, and what is ordered for it: examples, and what holds of a thousand random days. */
import { describe, expect, test } from "vitest";
import {
  crowdedForMs,
  decideFleet,
  type FleetFacts,
  type FleetMember,
  type FleetWishes,
  isComing,
  isCrowded,
  isReady,
  patienceMs,
  withinHours,
} from "../../../../server/domain/rental/fleet.ts";
import { zonedTime } from "../../../../server/domain/routing/zoned-time.ts";
import { full } from "../../../support/full.ts";
import { seeded } from "../../../support/random.ts";

const minute = 60_000;
const monday = Date.parse("2026-11-23T10:00:00Z");

const usual: FleetWishes = {
  ...{ min: 0, max: 1, warm: 0, hours: null, weekdaysOnly: false },
  ...{ scaleUpQueue: 4, idleStopMs: 10 * minute, mayRent: false },
};

function member(lease: number, facts: Partial<FleetMember> = {}): FleetMember {
  return { lease, state: "ready", sinceMs: monday - 60 * minute, inFlight: 0, usedAtMs: null, barred: null, ...facts };
}

function facts(members: readonly FleetMember[], more: Partial<FleetFacts> = {}): FleetFacts {
  const nowMs = more.nowMs ?? monday;
  const unsaid = { waiting: 0, crowdedSinceMs: null, wanted: false, refusal: null };
  return { members, ...unsaid, nowMs, time: zonedTime(nowMs, "UTC"), ...more };
}

const orders = (all: FleetFacts, wishes: Partial<FleetWishes> = {}) =>
  decideFleet(all, { ...usual, ...wishes }).orders.map((order) =>
    order.do === "rent" ? "rent" : `${order.do} ${order.lease}`,
  );

describe("woken", () => {
  test("starts what is stopped, the one first that stopped last; one that is on its way is enough", () => {
    const [older, newer] = [member(1, { state: "stopped", sinceMs: 1 }), member(2, { state: "stopped", sinceMs: 2 })];
    expect(orders(facts([older, newer], { wanted: true }))).toEqual(["start 2"]);
    expect(orders(facts([older, member(2, { state: "starting" })], { wanted: true, waiting: 10 }))).toEqual([]);
  });

  test("rents only where that is allowed, and says what to do where it is not", () => {
    expect(orders(facts([], { wanted: true }), { mayRent: true })).toEqual(["rent"]);
    const { orders: none, unmet } = decideFleet(facts([], { wanted: true }), usual);
    expect(none).toEqual([]);
    expect(unmet).toContain("mayRent");
  });

  test("what costs too much is not started, and neither is anything while nothing may be", () => {
    const stopped = member(1, { state: "stopped" });
    const barred = { ...stopped, barred: { words: "the cap of today is used up", isCap: true } };
    const decision = decideFleet(facts([barred], { wanted: true }), usual);
    expect(decision).toMatchObject({ orders: [], unmet: "lease-1: the cap of today is used up" });
    expect(orders(facts([stopped], { wanted: true, refusal: "it failed" }), { mayRent: true })).toEqual([]);
  });

  test("one that was interrupted may come back: another is rented only where there is room for both", () => {
    const away = member(1, { state: "interrupted", sinceMs: monday - minute });
    expect(orders(facts([away], { waiting: 1 }), { mayRent: true })).toEqual([]);
    expect(orders(facts([away], { waiting: 1 }), { mayRent: true, max: 2 })).toEqual(["rent"]);
    const longAway = { ...away, sinceMs: monday - patienceMs };
    expect(orders(facts([longAway], { waiting: 1 }), { mayRent: true })).toEqual(["rent"]);
    expect(orders(facts([longAway, { ...longAway, lease: 2 }], { waiting: 1 }), { mayRent: true })).toEqual([]);
  });
});

describe("several", () => {
  const two = { max: 3, mayRent: true };

  test("another one for a queue that lasts, and none while one is on its way", () => {
    const busy = member(1, { inFlight: 8 });
    const since = (ms: number) => ({ waiting: 6, crowdedSinceMs: monday - ms });
    expect(isCrowded(6, 1, usual)).toBe(true);
    expect(orders(facts([busy], since(crowdedForMs - 1)), two)).toEqual([]);
    expect(orders(facts([busy], since(crowdedForMs)), two)).toEqual(["rent"]);
    expect(orders(facts([busy, member(2, { state: "intended" })], since(crowdedForMs)), two)).toEqual([]);
    expect(orders(facts([busy], since(crowdedForMs)), { ...two, max: 1 })).toEqual([]);
  });

  test("min and warm hold within their hours and days only", () => {
    const wishes = { ...usual, min: 1, hours: { from: 8 * 60, to: 18 * 60 }, weekdaysOnly: true };
    const stopped = [member(1, { state: "stopped" })];
    const at = (time: string) => orders(facts(stopped, { nowMs: Date.parse(time) }), wishes);
    expect(at("2026-11-23T07:59:00Z")).toEqual([]);
    expect(at("2026-11-23T08:00:00Z")).toEqual(["start 1"]);
    expect(at("2026-11-23T18:00:00Z")).toEqual([]);
    expect(at("2026-11-21T12:00:00Z")).toEqual([]);
    expect(withinHours(zonedTime(monday, "UTC"), { ...usual, hours: { from: 22 * 60, to: 24 * 60 } })).toBe(false);
  });

  test("warm is what is used and one more; one that was used of late is used", () => {
    const wishes = { ...two, warm: 1 };
    expect(orders(facts([member(1, { usedAtMs: monday - 9 * minute })]), wishes)).toEqual(["rent"]);
    expect(orders(facts([member(1, { sinceMs: monday - minute })]), wishes)).toEqual([]);
  });
});

describe("stopping", () => {
  test("idle for its time, counted from when it was ready or used last; the longest idle first, min is kept", () => {
    const old = member(1, { usedAtMs: monday - 20 * minute });
    const older = member(2, { usedAtMs: monday - 30 * minute });
    const fresh = member(3, { sinceMs: monday - minute });
    expect(orders(facts([old, older, fresh]), { max: 3 })).toEqual(["stop 2", "stop 1"]);
    expect(orders(facts([old, older]), { max: 3, min: 1 })).toEqual(["stop 2"]);
    expect(orders(facts([fresh]))).toEqual([]);
  });

  test("never one that answers, and none while others queue or while its successor is not ready", () => {
    const idle = member(2, { usedAtMs: monday - 30 * minute });
    expect(orders(facts([member(1, { inFlight: 1, usedAtMs: monday - 60 * minute })]))).toEqual([]);
    expect(
      orders(facts([member(1, { inFlight: 9 }), idle], { waiting: 8, crowdedSinceMs: monday }), { max: 3 }),
    ).toEqual([]);
    expect(orders(facts([idle, member(3, { state: "starting" })]), { max: 3, min: 1 })).toEqual([]);
  });
});

/** A day of random load against a fleet that does what it is told, twelve hours of it in steps of half a minute. */
function randomDay(seed: number) {
  const random = seeded(seed);
  const wishes: FleetWishes = {
    ...{ min: random.below(3), warm: random.below(2), max: 1 + random.below(4), mayRent: random.chance(0.7) },
    hours: random.chance(0.5) ? { from: random.below(1440), to: random.below(1440) } : null,
    weekdaysOnly: random.chance(0.3),
    ...{ scaleUpQueue: 1 + random.below(6), idleStopMs: (1 + random.below(20)) * minute },
  };
  let members: FleetMember[] = Array.from({ length: random.below(3) }, (_, index) =>
    member(index + 1, { state: "stopped" }),
  );
  let crowdedSinceMs: number | null = null;
  let nowMs = monday + random.below(7) * 1440 * minute;
  const begun = new Map<number, number>();
  const moves: { lease: number; do: "start" | "stop"; atMs: number }[] = [];
  const faults: string[] = [];
  for (let step = 0; step < 1_440; step += 1) {
    nowMs += 30_000;
    members = members.map((one): FleetMember => {
      const next = { ...one };
      if (isComing(next) && random.chance(0.2)) Object.assign(next, { state: "ready", sinceMs: nowMs, usedAtMs: null });
      else if (next.state === "stopping") Object.assign(next, { state: "stopped", sinceMs: nowMs });
      else if (isReady(next) && random.chance(0.002))
        Object.assign(next, { state: "interrupted", inFlight: 0, sinceMs: nowMs });
      else if (next.state === "interrupted" && random.chance(0.05)) Object.assign(next, { state: "starting" });
      if (isReady(next) && next.inFlight > 0) {
        const inFlight = random.chance(0.6) ? 0 : next.inFlight;
        Object.assign(next, { inFlight, usedAtMs: nowMs });
      }
      return next;
    });
    const load = random.chance(0.02) ? random.below(30) : 0;
    const ready = members.filter(isReady);
    for (let left = load; left > 0 && ready.length > 0; left -= 1) {
      const at = members.indexOf(random.pick(ready));
      const one = members[at];
      if (one !== undefined && isReady(one)) members[at] = { ...one, inFlight: one.inFlight + 1 };
    }
    const waiting = load;
    crowdedSinceMs = isCrowded(waiting, ready.length, wishes) ? (crowdedSinceMs ?? nowMs) : null;
    const refusal = random.chance(0.05) ? "a cap" : null;
    const all = facts(members, { waiting, crowdedSinceMs, wanted: random.chance(0.01), refusal, nowMs });
    const decision = decideFleet(all, wishes);
    const kinds = new Set(decision.orders.map((order) => order.do));
    if (decision.wanted > wishes.max) faults.push("more wanted than max");
    if (decision.orders.some(({ reason }) => reason === "")) faults.push("an order without a reason");
    if (kinds.has("stop") && kinds.size > 1) faults.push("starts and stops at once");
    if (refusal !== null && (kinds.has("start") || kinds.has("rent"))) faults.push("spends although refused");
    if (kinds.has("rent") && !wishes.mayRent) faults.push("rents although it may not");
    const floor = withinHours(all.time, wishes) ? Math.min(wishes.min, wishes.max) : 0;
    for (const order of decision.orders) {
      if (order.do === "rent") {
        const isStanding = (one: FleetMember) => one.state !== "interrupted" || nowMs - one.sinceMs < patienceMs;
        if (members.filter(isStanding).length >= wishes.max) faults.push("more rented than max");
        const lease = members.length + 1;
        members = [...members, member(lease, { state: "intended", sinceMs: nowMs })];
        begun.set(lease, nowMs);
        continue;
      }
      const at = members.findIndex(({ lease }) => lease === order.lease);
      const one = members[at];
      if (one === undefined) throw new Error("an order for nobody");
      moves.push({ lease: one.lease, do: order.do, atMs: nowMs });
      if (order.do === "start") {
        if (one.state !== "stopped") faults.push(`starts one that is ${one.state}`);
        begun.set(one.lease, nowMs);
        members[at] = { ...one, state: "starting", sinceMs: nowMs };
        continue;
      }
      if (!isReady(one) || one.inFlight > 0) faults.push("stops one that answers");
      if (nowMs - Math.max(one.sinceMs, one.usedAtMs ?? 0) < wishes.idleStopMs)
        faults.push("stops one that is not idle yet");
      if (nowMs - (begun.get(one.lease) ?? 0) < wishes.idleStopMs) faults.push("flaps");
      members[at] = { ...one, state: "stopping", sinceMs: nowMs };
      if (members.filter(isReady).length < floor) faults.push("below min");
    }
    const on = members.filter((one) => isReady(one) || isComing(one)).length;
    if (on > Math.max(wishes.max, all.members.filter((one) => isReady(one) || isComing(one)).length))
      faults.push("more on than max");
    if (members.length > 2 * Math.max(wishes.max, 2) + 1) faults.push("leases pile up");
  }
  return { faults: [...new Set(faults)], moves };
}

const days = full ? 400 : 40;

test("of random days: within min and max, nothing that answers is stopped, nothing flaps, nothing is spent that may not be", () => {
  let moves = 0;
  for (let seed = 1; seed <= days; seed += 1) {
    const day = randomDay(seed);
    expect(day.faults, `seed ${seed}`).toEqual([]);
    moves += day.moves.length;
  }
  expect(moves).toBeGreaterThan(days * 3);
});
