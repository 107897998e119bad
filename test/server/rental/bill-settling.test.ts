/** Days of leases that are over count as their market bills them: by hand and by itself, beside both stand-ins and their faults. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { marketSetting } from "../../../server/config/rental-setting.ts";
import { addDays, startOfUtcDay } from "../../../server/domain/day.ts";
import { noBurn, paidNanos } from "../../../server/domain/rental/burn.ts";
import { intendedLease, moved } from "../../../server/domain/rental/lease-record.ts";
import type { RentalBillLine } from "../../../server/domain/rental/market.ts";
import { openLedger } from "../../../server/ledger/ledger.ts";
import { createUpstreamFetch } from "../../../server/platform/upstream/upstream-fetch.ts";
import { startBillSettler } from "../../../server/rental/bill-settler.ts";
import { createRentalBills } from "../../../server/rental/bills.ts";
import { createLeaseSpend } from "../../../server/rental/lease-spend.ts";
import { openMarkets } from "../../../server/rental/open-markets.ts";
import { manualClock, type ManualClock } from "../../support/manual-clock.ts";
import { startRunpodMarket } from "../../support/markets/runpod.ts";
import { startVastMarket } from "../../support/markets/vast.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { FakeMarket, usd } from "../../support/rental/fake-market.ts";
import { forever, hourMs, type RentalWorld, rentalWorld, terms, wishFor } from "../../support/rental/rental-world.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { noCaps } from "../../support/leases-in-memory.ts";

const first = "2026-11-02";
const second = addDays(first, 1);
const dayMs = 24 * hourMs;

/** Bills what a test says, and counts how often it is asked. */
class BillingMarket extends FakeMarket {
  asked = 0;
  lines: (() => Promise<readonly RentalBillLine[]>) | null = null;
  override async bills(from: string, until: string) {
    this.asked += 1;
    const lines = await (this.lines?.() ?? super.bills(from, until));
    return lines.filter(({ day }) => day >= from && day < until);
  }
}

const line = (day: string, nanos: number, instanceId = "i1"): RentalBillLine => ({
  ...{ day, instanceId, part: "all", attos: BigInt(nanos) * 1_000_000_000n },
});

describe("beside a market that bills by the day", () => {
  let clock: ManualClock;
  let market: BillingMarket;
  let world: RentalWorld;
  const bills = () =>
    createRentalBills({
      ...{ markets: [market], book: world.ledger.leases, clock, settled: (which) => world.leases.settled(which) },
    });
  const counted = (day: string) => world.ledger.leases.burnIn(startOfUtcDay(day), startOfUtcDay(day) + dayMs)[0]?.nanos;

  /** Ran from ten in the evening until two; all of it is over. */
  beforeEach(async () => {
    clock = manualClock(startOfUtcDay(first) + 22 * hourMs);
    market = new BillingMarket(clock);
    world = rentalWorld({ folder: temporaryFolder(), clock, market, pollMs: 600_000, healthMs: hourMs });
    const forADay = { ...terms, idleStopMs: null, longestMs: 4 * hourMs, caps: noCaps };
    await world.desk.rent(wishFor(market, { terms: forADay }), forever);
    const end = world.desk.begin(1);
    await world.passes(hourMs);
    end({ completionTokens: 1_000_000 });
    await world.passes(4 * hourMs);
    expect(world.desk.show(1).state).toBe("ended");
  });
  afterEach(() => world.ends());

  test("a day counts as billed everywhere once it is over for a day, ours stays beside it, and a later bill replaces it", async () => {
    market.lines = async () => [line(first, usd(0.5)), line(second, usd(0.6))];
    const before = world.desk.show(1);
    const wish = { market: null, from: first, to: second };
    await bills().settle(wish, forever);
    expect(world.ledger.leases.settlements(first, second)).toEqual([]);
    clock.advance(startOfUtcDay(first) + 2 * dayMs - clock.now());
    const found = await bills().settle(wish, forever);
    expect(found.markets[0]?.rows.map((row) => [row.day, row.verdict, row.settled?.billedNanos ?? null])).toEqual([
      [first, "differs", usd(0.5)],
      [second, "not_yet_reported", null],
    ]);
    clock.advance(dayMs);
    expect(await bills().settle(wish, forever)).toMatchObject({ agrees: true });
    const { burn, perMillionTokensNanos } = world.desk.show(1);
    expect(paidNanos(burn)).toBe(usd(1.1));
    expect(burn.settledNanos).toBe(usd(1.1) - paidNanos(before.burn));
    expect(perMillionTokensNanos).toBe(usd(1.1));
    expect(burn.usedNanos + burn.idleNanos).toBe(burn.gpuNanos + burn.storageNanos);
    // Ours is what it was, and the months of caps are theirs.
    expect(counted(first)).toBe(world.ledger.leases.settlements(first, first)[0]?.countedNanos);
    const { spentIn } = world.ledger.leases;
    const days = (from: string, until: string) => spentIn(startOfUtcDay(from), startOfUtcDay(until));
    expect([days(first, second), days(second, addDays(second, 1)), days("2026-11-01", "2026-12-01")]).toEqual([
      ...[usd(0.5), usd(0.6), usd(1.1)],
    ]);
    expect(createLeaseSpend(world.ledger.leases, "UTC", () => clock.now()).ofAll().monthNanos).toBe(usd(1.1));
    market.lines = async () => [line(first, usd(0.4)), line(second, usd(0.6))];
    expect(await bills().compare(wish, forever)).toMatchObject({ agrees: false });
    await bills().settle(wish, forever);
    expect(paidNanos(world.desk.show(1).burn)).toBe(usd(1));
    expect(world.ledger.leases.settlements(first, second).map(({ billedNanos }) => billedNanos)).toEqual([
      ...[usd(0.4), usd(0.6)],
    ]);
  });

  test("what the bill has not got, cannot be read, or is of nobody's machine is not settled, and is said", async () => {
    clock.advance(5 * dayMs);
    market.lines = async () => [{ ...line(first, 0), attos: null }, line(second, usd(3), "i9")];
    const found = await bills().settle({ market: "fake", from: first, to: second }, forever);
    expect(found.agrees).toBe(false);
    expect(found.markets[0]?.rows.map(({ instanceId, verdict, settled }) => [instanceId, verdict, settled])).toEqual([
      ...[["i1", "unreadable", null] as const, ["i1", "missing_there", null] as const],
      ["i9", "missing_here", null],
    ]);
    market.lines = async () => [line(first, -5)];
    expect((await bills().settle({ market: null, from: first, to: first }, forever)).markets[0]?.rows).toMatchObject([
      { verdict: "unreadable", settled: null },
    ]);
    expect(world.ledger.leases.settlements(first, second)).toEqual([]);
  });

  test("a day of ours that we counted nothing of is settled too", async () => {
    clock.advance(5 * dayMs);
    const third = addDays(second, 1);
    market.lines = async () => [line(third, usd(0.02))];
    await bills().settle({ market: null, from: third, to: third }, forever);
    expect(world.desk.show(1).burn.settledNanos).toBe(usd(0.02));
  });

  test("a box that is started again knows what is settled, and what is counted anew of a settled day changes nothing", async () => {
    clock.advance(5 * dayMs);
    market.lines = async () => [line(first, usd(0.5)), line(second, usd(0.6))];
    await bills().settle({ market: null, from: first, to: second }, forever);
    const [record] = world.ledger.leases.load(0);
    const [piece] = world.ledger.leases.pieces(1);
    if (record === undefined || piece === undefined) throw new Error("there is no lease");
    world.ledger.leases.write(record, { pieces: [{ ...piece, gpuNanos: piece.gpuNanos + usd(7) }] });
    expect(world.ledger.leases.spentIn(startOfUtcDay(first), startOfUtcDay(second))).toBe(usd(0.5));
    const again = rentalWorld({ folder: temporaryFolder(), clock, market, book: () => world.ledger.leases });
    expect(paidNanos(again.desk.show(1).burn)).toBe(usd(1.1));
    await again.ends();
  });

  test("by itself soon after the start and then once a day: only what is open is asked for, and a silent market at growing distances", async () => {
    const log = recordedLog();
    const parts = { bills: bills(), markets: [market], book: world.ledger.leases, clock, log };
    const stop = startBillSettler(parts);
    await world.passes(10 * hourMs);
    // Nothing is to be billed yet.
    expect(market.asked).toBe(0);
    market.lines = () => Promise.reject(new Error("a web page"));
    await world.passes(2 * dayMs);
    // Ten minutes, twenty, … six hours: not once a second, and not given up.
    expect(market.asked).toBeGreaterThan(3);
    expect(market.asked).toBeLessThan(12);
    expect(log.lines.filter((line) => line.startsWith("warn:"))).toHaveLength(1);
    stop();
    let { asked } = market;
    await world.passes(dayMs);
    expect(market.asked).toBe(asked);
    market.lines = null;
    const stopAgain = startBillSettler(parts);
    await world.passes(2 * 60_000);
    expect(world.ledger.leases.settlements(first, second)).toHaveLength(2);
    expect(paidNanos(world.desk.show(1).burn)).toBe(market.billedInAll());
    ({ asked } = market);
    await world.passes(5 * dayMs);
    expect(market.asked).toBe(asked);
    stopAgain();
  });
});

test("days elsewhere: a settled day belongs to the one its noon is in, so no sum has it twice", async () => {
  const ledger = openLedger(join(temporaryFolder(), "ledger.sqlite"), {
    ...{ clock: manualClock(startOfUtcDay("2026-11-20")), log: recordedLog() },
  });
  onTestFinished(() => ledger.close());
  const { leases: book } = ledger;
  const lease = { id: 1, rental: null, market: "vast", label: "lanthorn-box-1", kind: "on-demand" as const };
  const what = { bidPerHourNanos: null, gpu: "RTX 3090", gpuCount: 1, offerId: "1" };
  const rates = { gpuPerHourNanos: 1, storagePerHourNanos: 1, stoppedStoragePerHourNanos: 1 };
  const quoted = { ...rates, uploadPerGbNanos: 0, downloadPerGbNanos: 0 };
  const fromMs = startOfUtcDay(first);
  const record = { ...intendedLease({ ...lease, ...what, quoted, terms }, fromMs), instanceId: "1001" };
  const piece = { ...noBurn, fromMs, untilMs: fromMs + 900_000, gpuNanos: 100 };
  book.write(moved(record, "ended", "enough", fromMs), { from: null, pieces: [piece] });
  book.settle([{ lease: 1, day: first, countedNanos: 100, billedNanos: 130, atMs: fromMs }]);
  // Midnight of UTC is four in the evening of the day before in Los Angeles.
  const cut = fromMs + 8 * hourMs;
  expect([book.spentIn(cut - dayMs, cut), book.spentIn(cut, cut + dayMs)]).toEqual([100, 30]);
});

const standIns = { vast: startVastMarket, runpod: startRunpodMarket };

/** A lease whose market is a stand-in; it ran for three hours over midnight, and home counted half a cent too much of each day. */
async function ranAt(type: keyof typeof standIns) {
  const startMs = startOfUtcDay(first) + 22 * hourMs;
  const standIn = await standIns[type]({ speed: 0, startMs, bootMs: 1_000 });
  const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
  const clock = manualClock(startMs);
  const ledger = openLedger(join(temporaryFolder(), "ledger.sqlite"), { clock, log: recordedLog() });
  onTestFinished(async () => {
    await ledger.close();
    await upstream.close();
    await standIn.close();
  });
  const [market] = openMarkets({
    settings: { [type]: marketSetting.parse({ baseUrl: standIn.url }) },
    environment: { [`LANTHORN_MARKET_${type.toUpperCase()}_KEY`]: standIn.key },
    ...{ upstream, home: "/", clock, localOnly: false, knowSecret: () => {} },
  });
  const [offer] = standIn.house.offers;
  if (market === undefined || offer === undefined) throw new Error("there is no market");
  const wish = { isBid: false, bid: null, diskGb: 40, environment: {}, label: "lanthorn-box-1" };
  const one = standIn.house.rent(offer, wish);
  standIn.house.advance(5 * hourMs);
  standIn.house.set(one, "gone");
  standIn.house.advance(4 * dayMs);
  clock.advance(4 * dayMs + 5 * hourMs);
  const rates = { gpuPerHourNanos: 1, storagePerHourNanos: 1, stoppedStoragePerHourNanos: 1 };
  const named = { id: 1, rental: null, market: market.id, label: one.label, kind: "on-demand" as const };
  const what = { bidPerHourNanos: null, gpu: "RTX 3090", gpuCount: 1, offerId: "1", terms };
  const quoted = { ...rates, uploadPerGbNanos: 0, downloadPerGbNanos: 0 };
  const record = { ...intendedLease({ ...named, ...what, quoted }, startMs), instanceId: one.id };
  const days = standIn.house.bill(one.id);
  ledger.leases.write(moved(record, "ended", "enough", clock.now()), {
    from: null,
    pieces: days.map(({ day, gpuNanos, storageNanos }, index) => {
      const fromMs = index === 0 ? startMs : startOfUtcDay(day);
      return { ...noBurn, fromMs, untilMs: fromMs + 900_000, gpuNanos: gpuNanos + usd(0.005), storageNanos };
    }),
  });
  const theirs = days.map(({ gpuNanos, storageNanos }) => gpuNanos + storageNanos);
  const bills = createRentalBills({ markets: [market], book: ledger.leases, clock });
  const settle = () => bills.settle({ market: market.id, from: first, to: second }, forever);
  const billed = () => ledger.leases.settlements(first, second).map(({ billedNanos }) => billedNanos);
  return { standIn, settle, billed, theirs, bills, ledger };
}

describe.each(Object.keys(standIns) as (keyof typeof standIns)[])("settling by %s", (type) => {
  /** Vast.ai rounds to tenths of a cent, and that is what it bills. */
  const precision = type === "vast" ? 500_000 : 0;

  test("takes over to the last digit what is billed, each day in one row or in two", async () => {
    const { standIn, settle, billed, theirs, ledger } = await ranAt(type);
    expect(await settle()).toMatchObject({ agrees: true });
    expect(billed()).toHaveLength(2);
    const off = (index: number) => Math.abs((billed()[index] ?? 0) - (theirs[index] ?? 0));
    expect([off(0) <= precision, off(1) <= precision]).toEqual([true, true]);
    if (type === "vast") expect(billed().every((nanos) => nanos % 1_000_000 === 0)).toBe(true);
    const sum = ledger.leases.spentIn(startOfUtcDay(first), startOfUtcDay(second) + dayMs);
    expect(sum).toBe((billed()[0] ?? 0) + (billed()[1] ?? 0));
    standIn.house.faults.set("bill-twice", 1);
    expect(await settle()).toMatchObject({ agrees: true });
    expect([off(0) <= 2 * precision, off(1) <= 2 * precision]).toEqual([true, true]);
  });

  test("S-18 a bill that is late, or lacks a day, settles what is there; the rest is open and said", async () => {
    const { standIn, settle, billed } = await ranAt(type);
    standIn.house.faults.set("bill-late", 1);
    const late = await settle();
    expect(late.agrees).toBe(false);
    expect(late.markets[0]?.rows.map(({ verdict }) => verdict)).toEqual(["missing_there", "missing_there"]);
    expect(billed()).toEqual([]);
    standIn.house.faults.delete("bill-late");
    standIn.house.faults.set("bill-gap", 1);
    await settle();
    expect(billed()).toHaveLength(1);
    standIn.house.faults.delete("bill-gap");
    await settle();
    expect(billed()).toHaveLength(2);
  });

  test("S-18 amounts that are none and a page of HTML settle nothing", async () => {
    const { standIn, settle, billed } = await ranAt(type);
    standIn.house.faults.set("bill-nan", 1);
    expect((await settle()).markets[0]?.rows.map(({ verdict }) => verdict)).toEqual(["unreadable", "unreadable"]);
    standIn.house.faults.delete("bill-nan");
    standIn.house.faults.set("html", 1);
    expect((await settle()).markets[0]).toMatchObject({ state: "not_compared" });
    expect(billed()).toEqual([]);
    await settle();
    expect(billed()).toHaveLength(2);
  });
});

test("a machine with a fixed price has no bills: nothing is settled, and nothing complains", async () => {
  const clock = manualClock();
  const machine = { url: "http://10.0.0.7:4747", usdPerHour: "0.45", gpu: "RTX 6000 Ada" };
  const markets = openMarkets({
    settings: { office: marketSetting.parse({ type: "static", machine }) },
    upstream: { fetch: () => Promise.reject(new Error("nobody is asked")) },
    ...{ environment: {}, home: "/", clock, localOnly: true, knowSecret: () => {} },
  });
  const ledger = openLedger(join(temporaryFolder(), "ledger.sqlite"), { clock, log: recordedLog() });
  onTestFinished(() => ledger.close());
  const bills = createRentalBills({ markets, book: ledger.leases, clock });
  expect(await bills.settle({ market: null, from: first, to: second }, forever)).toMatchObject({
    agrees: true,
    markets: [{ market: "office", state: "no_bills", rows: [] }],
  });
  let asked = 0;
  const counting = {
    settle: () => {
      asked += 1;
      return Promise.reject(new Error("nobody should ask"));
    },
  };
  const stop = startBillSettler({ bills: counting, markets, book: ledger.leases, clock, log: recordedLog() });
  clock.advance(3 * dayMs);
  stop();
  expect(asked).toBe(0);
});
