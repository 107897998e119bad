/** What the ledger tells of leases after the fact: their history, how steady they were, and what they cost by day, month and lease. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLeaseRecords, type LeaseRecords } from "../../../server/rental/lease-records.ts";
import { FakeMarket, usd } from "../../support/rental/fake-market.ts";
import {
  forever,
  hourMs,
  minuteMs,
  type RentalWorld,
  rentalWorld,
  terms,
  wishFor,
} from "../../support/rental/rental-world.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const zone = "Europe/Berlin";
let clock: ManualClock;
let market: FakeMarket;
let world: RentalWorld;
let records: LeaseRecords;
const steady = { ...terms, idleStopMs: null };
const range = { from: null, to: null, lease: null };

beforeEach(() => {
  // Half past eleven of the last evening of October in Berlin.
  clock = manualClock(Date.parse("2026-10-31T23:30:00+01:00"));
  market = new FakeMarket(clock);
  world = rentalWorld({
    folder: temporaryFolder(),
    clock,
    market,
    zone,
    caps: { perDayNanos: null, perMonthNanos: null },
  });
  records = createLeaseRecords(world.ledger.leaseReports, clock, zone);
});
afterEach(() => world.ends());

test("the burn by day and month is cut where days begin in the zone, its parts are the whole, and the whole is the leases'", async () => {
  await world.desk.rent(wishFor(market, { terms: steady }), forever);
  await world.passes(20_000);
  const done = world.desk.begin(1);
  await world.passes(10 * minuteMs);
  done({ completionTokens: 3_000_000 });
  await world.passes(50 * minuteMs);
  await world.desk.destroy(1, "enough");
  await world.passes(minuteMs);
  const { burn } = world.desk.show(1);
  const months = await records.burn({ ...range, by: "month" });
  expect(months.zone).toBe(zone);
  const [october, november] = months.periods.slice(-2);
  expect(october).toMatchObject({ period: "2026-10", completionTokens: 3_000_000 });
  expect(november).toMatchObject({ period: "2026-11", completionTokens: 0, perMillionTokensNanos: null, usedNanos: 0 });
  expect(october?.perMillionTokensNanos).toBe(Math.round((october?.paidNanos ?? 0) / 3));
  for (const name of ["gpuNanos", "storageNanos", "trafficNanos", "usedNanos", "idleNanos", "runningMs"] as const) {
    expect([name, (october?.[name] ?? 0) + (november?.[name] ?? 0)]).toEqual([name, burn[name]]);
    expect(months.total[name]).toBe(burn[name]);
  }
  expect(Math.abs((october?.gpuNanos ?? 0) - usd(0.25) / 2)).toBeLessThan(usd(0.003));
  const days = await records.burn({ ...range, by: "day" });
  expect(days.periods).toHaveLength(31);
  expect(days.periods.slice(-2).map(({ period, paidNanos }) => [period, paidNanos])).toEqual([
    ["2026-10-31", october?.paidNanos],
    ["2026-11-01", november?.paidNanos],
  ]);
  expect(days.periods.at(-1)?.fromMs).toBe(Date.parse("2026-11-01T00:00:00+01:00"));
});

test("a settled day counts as it was billed, in the period that its noon is in, also where that has no count of ours", async () => {
  await world.desk.rent(wishFor(market, { terms: steady }), forever);
  await world.passes(20 * minuteMs);
  await world.desk.destroy(1, "enough");
  await world.passes(hourMs);
  const { burn } = world.desk.show(1);
  const countedNanos = burn.gpuNanos + burn.storageNanos + burn.trafficNanos;
  const settlement = {
    lease: 1,
    day: "2026-10-31",
    countedNanos,
    billedNanos: countedNanos + usd(0.01),
    atMs: clock.now(),
  };
  world.ledger.leases.settle([
    settlement,
    { ...settlement, day: "2026-11-01", countedNanos: 0, billedNanos: usd(0.002) },
  ]);
  const [october, november] = (await records.burn({ ...range, by: "month" })).periods.slice(-2);
  expect(october).toMatchObject({ settledNanos: usd(0.01), paidNanos: countedNanos + usd(0.01) });
  expect(november).toMatchObject({ settledNanos: usd(0.002), paidNanos: usd(0.002), runningMs: 0 });
  const by = await records.burn({ by: "lease", from: "2026-10", to: null, lease: null });
  expect(by.total).toEqual((await records.burn({ ...range, by: "month" })).total);
  expect(by.leases).toMatchObject([{ lease: 1, settledNanos: usd(0.012), market: "fake" }]);
});

test("by lease the dearest is first, and one lease may be asked for alone", async () => {
  await world.desk.rent(wishFor(market, { terms: steady }), forever);
  await world.desk.rent(wishFor(market, { rental: null, terms: steady }), forever);
  await world.passes(20 * minuteMs);
  await world.desk.stop(1, "enough");
  await world.passes(2 * hourMs);
  const by = await records.burn({ by: "lease", from: "2026-10", to: null, lease: null });
  expect(by.leases.map(({ lease, rental, market: where }) => [lease, rental, where])).toEqual([
    [2, null, "fake"],
    [1, "coder", "fake"],
  ]);
  // Stopped is not free: its disk is in it.
  expect(by.leases[1]?.stoppedMs).toBeGreaterThan(1.9 * hourMs);
  expect(by.leases[1]?.storageNanos).toBeGreaterThan(usd(0.02) * 1.9);
  const only = await records.burn({ ...range, by: "day", lease: 1 });
  expect(only.total.paidNanos).toBe(by.leases[1]?.paidNanos);
  expect(by.total.paidNanos).toBe((by.leases[0]?.paidNanos ?? 0) + (by.leases[1]?.paidNanos ?? 0));
  await expect(records.burn({ by: "day", from: "2026-01-01", to: null, lease: null })).rejects.toMatchObject({
    code: "invalid_request",
  });
});

test("a lease's states and interruptions in order, and how steady those that ended were, by name, market and kind", async () => {
  for (const ready of [2 * hourMs, hourMs]) {
    const { id, instanceId } = await world.desk.rent(wishFor(market, { terms: steady }, usd(0.2)), forever);
    await world.passes(30_000 + ready);
    market.outbid(instanceId ?? "");
    await world.passes(5 * minuteMs);
    market.resumes(instanceId ?? "");
    await world.passes(minuteMs + ready);
    await world.desk.destroy(id, "enough");
    await world.passes(minuteMs);
  }
  const history = await records.history(1);
  expect(history?.events.map(({ state }) => state)).toEqual([
    ...["intended", "starting", "ready", "interrupted", "starting", "ready", "destroying", "ended"],
  ]);
  expect(history?.interruptions).toMatchObject([{ cause: "outbid", source: "poll", words: "outbid" }]);
  expect(history).toMatchObject({ eventsBefore: 0, interruptionsBefore: 0 });
  const [row, ...others] = await records.steadiness();
  expect(others).toEqual([]);
  expect(row).toMatchObject({ rental: "coder", market: "fake", kind: "bid", leases: 2, interruptions: 2 });
  // Six hours of being ready, and two interruptions.
  expect(Math.abs((row?.meanTimeBetweenInterruptionsMs ?? 0) - 3 * hourMs)).toBeLessThan(3 * minuteMs);
});

test("of a lease that flaps the last 200 states are told, and how many there were before", async () => {
  const { id } = await world.desk.rent(wishFor(market), forever);
  const [record] = world.ledger.leases.load(0);
  if (record === undefined) throw new Error("there is a lease");
  for (let at = 0; at < 300; at += 1) {
    const state = at % 2 === 0 ? "ready" : "interrupted";
    world.ledger.leases.write({ ...record, state, reason: String(at) }, { from: "starting" });
  }
  const history = await records.history(id);
  expect([history?.events.length, history?.events.at(-1)?.reason, history?.eventsBefore]).toEqual([200, "299", 102]);
});
