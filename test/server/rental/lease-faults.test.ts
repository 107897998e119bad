/** Leases at a market that misbehaves. */
import { expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import { FakeMarket, usd } from "../../support/rental/fake-market.ts";
import { box, forever, hourMs, minuteMs, rentalWorld, terms, wishFor } from "../../support/rental/rental-world.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function world(options: Partial<Parameters<typeof rentalWorld>[0]> = {}) {
  return rentalWorld({ folder: temporaryFolder(), ...options });
}

/** A rented one that is ready. */
async function readyOne(options: Partial<Parameters<typeof rentalWorld>[0]> = {}, bid: number | null = null) {
  const made = world(options);
  await made.desk.rent(wishFor(made.market, {}, bid), forever);
  await made.passes(40_000);
  expect(made.desk.show(1).state).toBe("ready");
  return made;
}

test("S-18 a create whose answer is lost is found by its label: one lease, one instance, one create", async () => {
  const { desk, market, passes, ends } = world();
  market.faults.create = "answer-lost";
  await expect(desk.rent(wishFor(market), forever)).rejects.toMatchObject({
    code: "upstream_cut",
    why: expect.stringContaining("it may be rented, and cost money"),
    next: ["lanthorn rental show lease-1"],
  });
  expect(desk.show(1)).toMatchObject({ state: "intended", instanceId: null, perHourNanos: usd(0.26) });
  await passes(40_000);
  expect(desk.show(1)).toMatchObject({ state: "ready", instanceId: "i1" });
  expect(market.log).toEqual(["create lanthorn-0123456789ab-1"]);
  expect(market.standing()).toHaveLength(1);
  await ends();
});

test("S-18 nothing was made: that is believed of a list taken long enough after the create, and it cost nothing", async () => {
  const { desk, market, passes, ends } = world();
  market.faults.create = "lost";
  await expect(desk.rent(wishFor(market), forever)).rejects.toMatchObject({ code: "upstream_unreachable" });
  await passes(55_000);
  expect(desk.show(1).state).toBe("intended");
  await passes(30_000);
  const ended = desk.show(1);
  expect(ended).toMatchObject({ state: "ended", reason: "nothing was made" });
  expect(ended.burn).toMatchObject({ gpuNanos: 0, storageNanos: 0, unknownMs: 0 });
  await ends();
});

test("an offer that is gone ends the lease at once", async () => {
  const { desk, market, ends } = world();
  market.faults.create = "offer-gone";
  await expect(desk.rent(wishFor(market), forever)).rejects.toMatchObject({ code: "not_found" });
  expect(desk.show(1)).toMatchObject({ state: "ended", reason: "refused: The offer is gone." });
  await ends();
});

test("lists that lag a minute behind make neither a second instance nor a forgotten one", async () => {
  const { desk, market, passes, ends } = world();
  market.faults.lagMs = 60_000;
  market.faults.create = "answer-lost";
  await expect(desk.rent(wishFor(market), forever)).rejects.toMatchObject({ code: "upstream_cut" });
  await passes(3 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "ready", instanceId: "i1" });
  await desk.destroy(1, "enough");
  await passes(2 * minuteMs);
  expect(desk.show(1).state).toBe("ended");
  expect(market.standing()).toEqual([]);
  await ends();
});

test("a second instance of one lease is destroyed, counted, and said; the lease goes on with the first", async () => {
  const { desk, market, passes, lines, ends } = world();
  const told: string[] = [];
  desk.watch(({ id, state }) => void told.push(`${id} ${state}`));
  market.faults.create = "made-twice";
  market.faults.destroyNeeds = 3;
  await desk.rent(wishFor(market), forever);
  await passes(60_000);
  expect(desk.show(1)).toMatchObject({ state: "ready", instanceId: "i1" });
  expect(market.standing().map(({ instanceId }) => instanceId)).toEqual(["i1"]);
  expect(market.log.filter((line) => line.startsWith("destroy"))).toEqual(Array(3).fill("destroy i2"));
  const second = desk.show(2);
  expect(second).toMatchObject({ state: "ended", instanceId: "i2", perHourNanos: 0, rental: "coder" });
  expect(second.reason).toContain("a second machine of lease-1");
  expect(Math.abs(second.burn.gpuNanos + second.burn.storageNanos - market.billed("i2"))).toBeLessThan(usd(0.001));
  expect(told).toEqual(expect.arrayContaining(["2 destroying", "2 ended"]));
  expect(lines.filter((line) => line.includes("two machines for one lease"))).toHaveLength(1);
  expect(lines.filter((line) => line.includes("no lease knows it"))).toEqual([]);
  expect(await desk.orphans(forever)).toEqual({ orphans: [], unread: [] });
  await ends();
});

test("what only has the same label is left alone: made at another time, of another box, of a lease that has ended", async () => {
  const { desk, market, passes, lines, ends } = world();
  await desk.rent(wishFor(market), forever);
  await passes(20 * minuteMs - 1000);
  // A box of the same host name and folder, elsewhere.
  const theirs = market.foreign(`lanthorn-${box}-1`);
  market.foreign("lanthorn-ffffffffffff-1");
  await passes(minuteMs);
  expect(market.log.filter((line) => line.startsWith("destroy i2") || line.startsWith("destroy i3"))).toEqual([]);
  expect((await desk.orphans(forever)).orphans).toMatchObject([{ instanceId: theirs }]);
  expect(lines.filter((line) => line.includes("no lease knows it"))).toHaveLength(1);
  await ends();
});

test("outbid: noticed by a look within half a minute, not given up, ready again when the bid is the highest again", async () => {
  const { desk, market, passes, ledger, ends } = await readyOne({}, usd(0.2));
  const end = desk.begin(1);
  await passes(10 * minuteMs);
  market.outbid("i1");
  await passes(15_000);
  expect(desk.show(1)).toMatchObject({
    state: "interrupted",
    reason: "somebody bid more",
    perHourNanos: usd(0.02),
    interruptions: 1,
  });
  end();
  await passes(5 * minuteMs);
  market.resumes("i1");
  await passes(45_000);
  expect(desk.show(1)).toMatchObject({ state: "ready", interruptions: 1 });
  const { meanTimeBetweenInterruptionsMs: mean } = desk.show(1);
  expect(mean).toBeGreaterThan(10 * minuteMs);
  expect(mean).toBeLessThan(12 * minuteMs);
  // Nobody told it to start: it came by itself.
  expect(market.log).toEqual([`create lanthorn-${box}-1`]);
  await ends();
  void ledger;
});

test("outbid and unused: it is stopped, so that it does not come back for nobody", async () => {
  const { desk, market, passes, ends } = await readyOne({}, usd(0.2));
  await passes(5 * minuteMs);
  market.outbid("i1");
  await passes(6 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "stopped", reason: "nobody used it" });
  expect(market.standing()[0]).toMatchObject({ meantToRun: false });
  await ends();
});

test("a server that hangs is noticed within half a minute although the market sees nothing, and is ready again when it answers", async () => {
  const { desk, market, passes, ends } = await readyOne();
  const end = desk.begin(1);
  const states: string[] = [];
  desk.watch(({ state, reason }) => void states.push(`${state}: ${reason}`));
  market.answers("i1", false);
  await passes(28_000);
  expect(states).toContain("interrupted: it does not answer");
  expect(desk.show(1)).toMatchObject({ seen: { state: "running" }, perHourNanos: usd(0.26), interruptions: 1 });
  market.answers("i1", true);
  await passes(15_000);
  expect(desk.show(1).state).toBe("ready");
  market.answers("i1", false);
  await passes(16 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "ended", reason: "it was not ready in time" });
  end();
  await ends();
});

test("what the machine itself says counts at once; a request that fails has it looked at, at once", async () => {
  const made = await readyOne();
  const { desk, market, passes, ends } = made;
  expect(desk.notice("fake", "i9", "SIGTERM")).toBe(false);
  expect(desk.notice("fake", "i1", "SIGTERM")).toBe(true);
  expect(desk.show(1)).toMatchObject({ state: "interrupted", reason: "the market stopped it" });
  market.becomes("i1", "stopped", true);
  await passes(15_000);
  market.resumes("i1");
  await passes(45_000);
  expect(desk.show(1).state).toBe("ready");
  market.answers("i1", false);
  desk.suspect(1, "connection refused");
  await passes(5_000);
  expect(desk.show(1).interruptions).toBe(2);
  await ends();
});

test("one that was stopped by itself or by hand is stopped, and not interrupted", async () => {
  const { desk, market, passes, ends } = await readyOne();
  market.becomes("i1", "stopped", false);
  await passes(12_000);
  expect(desk.show(1)).toMatchObject({
    state: "stopped",
    reason: "it was stopped, and not from here",
    interruptions: 0,
  });
  await desk.start(1, "wanted");
  expect(desk.show(1).state).toBe("starting");
  await passes(45_000);
  expect(desk.show(1).state).toBe("ready");
  await ends();
});

test("no first token by the boot deadline: destroyed, whatever the market says it does", async () => {
  const { desk, market, passes, ends } = world({});
  await desk.rent(wishFor(market), forever);
  await passes(10_000);
  market.answers("i1", false);
  await passes(16 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "ended", reason: "it was not ready in time", interruptions: 0 });
  expect(market.standing()).toEqual([]);
  await ends();
});

test("a start that stays in scheduling ends at the boot deadline too", async () => {
  const { desk, market, passes, ends } = await readyOne();
  await desk.stop(1, "later");
  await passes(20_000);
  market.faults.startSticks = true;
  await desk.start(1, "now");
  await passes(17 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "ended", reason: "it was not ready in time" });
  await ends();
});

test("S-18 a destroy that needs several tries, some of them lost, is repeated until no list has it", async () => {
  const { desk, market, passes, ends } = await readyOne();
  market.faults.destroyNeeds = 3;
  market.faults.ordersLost = 2;
  expect(await desk.destroy(1, "enough")).toMatchObject({ state: "destroying", perHourNanos: usd(0.26) });
  await passes(60_000);
  expect(desk.show(1)).toMatchObject({ state: "destroying", perHourNanos: usd(0.26) });
  await passes(3 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "ended", perHourNanos: 0 });
  expect(market.log.filter((line) => line === "destroy i1")).toHaveLength(5);
  await ends();
});

test("S-18 lists that fail or are a day old decide nothing, and what is rented goes on costing", async () => {
  const { desk, market, passes, ends } = await readyOne();
  const end = desk.begin(1);
  market.faults.listsStale = 1_000;
  await passes(20 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "ready", perHourNanos: usd(0.26) });
  market.faults.listsStale = 0;
  market.faults.listsFail = 1_000;
  market.vanish("i1");
  await passes(20 * minuteMs);
  // That it answers no more is seen without the market; that nothing is left is not.
  expect(desk.show(1)).toMatchObject({
    state: "destroying",
    reason: "it did not come back in time",
    perHourNanos: usd(0.26),
  });
  market.faults.listsFail = 0;
  await passes(2 * minuteMs);
  expect(desk.show(1).state).toBe("ended");
  end();
  await ends();
});

test("S-18 a market's clock that is an hour off changes nothing", async () => {
  const { desk, market, passes, ends } = world();
  market.faults.skewMs = hourMs;
  await desk.rent(wishFor(market), forever);
  await passes(40_000);
  expect(desk.show(1).state).toBe("ready");
  await ends();
});

test("what the market lists no more is destroyed to be sure, and then has ended", async () => {
  const { desk, market, passes, ends } = await readyOne();
  market.vanish("i1");
  await passes(12_000);
  expect(desk.show(1)).toMatchObject({ state: "interrupted", reason: "its host is gone" });
  await passes(2 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "ended", reason: "the market does not list it any more" });
  expect(market.log.at(-1)).toBe("destroy i1");
  await ends();
});

test("caps: the lease's own ends it, the day's stops it, and neither is passed", async () => {
  const clock = manualClock(Date.parse("2026-11-02T09:00:00Z"));
  const market = new FakeMarket(clock);
  const caps = { perDayNanos: usd(1), perMonthNanos: usd(200) };
  const { desk, passes, ends } = world({ clock, market, caps });
  const own = { ...terms, idleStopMs: null, caps: { ...terms.caps, perInstanceNanos: usd(0.5) } };
  await desk.rent(wishFor(market, { terms: own }), forever);
  await passes(2 * hourMs);
  expect(desk.show(1)).toMatchObject({ state: "ended" });
  expect(desk.show(1).reason).toContain("it has cost what it may");
  expect(market.billed("i1")).toBeLessThanOrEqual(usd(0.501));
  await desk.rent(wishFor(market, { terms: { ...terms, idleStopMs: null } }), forever);
  await passes(3 * hourMs);
  expect(desk.show(2)).toMatchObject({ state: "stopped" });
  expect(desk.show(2).reason).toContain("rentals have cost what they may today");
  expect(market.billed("i1") + market.billed("i2")).toBeLessThanOrEqual(usd(1) + usd(0.03));
  await expect(desk.start(2, "again")).rejects.toMatchObject({ code: "budget_exceeded" });
  await expect(desk.rent(wishFor(market), forever)).rejects.toMatchObject({ code: "budget_exceeded" });
  expect(market.log.filter((line) => line.startsWith("create"))).toHaveLength(2);
  await ends();
});

test("two at once: the second one is refused when an hour of both is beyond the cap", async () => {
  const { desk, market, ends } = world({ caps: { perDayNanos: usd(0.4), perMonthNanos: null } });
  const both = await Promise.allSettled([desk.rent(wishFor(market), forever), desk.rent(wishFor(market), forever)]);
  expect(both.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
  expect(market.standing()).toHaveLength(1);
  await ends();
});

test("a market that cannot stop: idle means destroyed, and a stop is refused", async () => {
  const clock = manualClock(Date.parse("2026-11-02T09:00:00Z"));
  const { desk, passes, ends } = await readyOne({ clock, market: new FakeMarket(clock, { stops: false }) });
  await expect(desk.stop(1, "later")).rejects.toMatchObject({ code: "unsupported" });
  await passes(12 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "ended", reason: "nobody used it" });
  await ends();
});

test("orphans: ours without a lease, and nobody else's; one is ended until the market confirms it", async () => {
  const { desk, market, passes, lines, ends } = await readyOne();
  market.foreign(null);
  market.foreign("lanthorn-ffffffffffff-1");
  const own = market.foreign(`lanthorn-${box}-7`);
  expect(await desk.orphans(forever)).toMatchObject({
    orphans: [{ instanceId: own, label: `lanthorn-${box}-7` }],
    unread: [],
  });
  await expect(desk.endOrphan("fake", "i1", forever)).rejects.toMatchObject({ code: "invalid_request" });
  await expect(desk.endOrphan("fake", "i2", forever)).rejects.toMatchObject({ code: "invalid_request" });
  market.faults.destroyNeeds = 2;
  const ended = desk.endOrphan("fake", own, forever);
  await passes(20_000);
  await ended;
  expect(market.standing().map(({ instanceId }) => instanceId)).toEqual(["i1", "i2", "i3"]);
  expect(lines.filter((line) => line.includes("no lease knows it"))).toHaveLength(1);
  // Its number is not given again.
  await desk.rent(wishFor(market), forever);
  expect(desk.list().map(({ id }) => id)).toEqual([1, 8]);
  market.faults.listsFail = 1;
  expect(await desk.orphans(forever)).toEqual({ orphans: [], unread: ["fake"] });
  await ends();
});

test("one that had ended and is listed again is an orphan", async () => {
  const { desk, market, passes, ends } = world();
  market.faults.create = "answer-lost";
  market.faults.lagMs = 150_000;
  await expect(desk.rent(wishFor(market), forever)).rejects.toMatchObject({ code: "upstream_cut" });
  await passes(110_000);
  expect(desk.show(1).state).toBe("ended");
  await passes(minuteMs);
  expect((await desk.orphans(forever)).orphans).toMatchObject([{ instanceId: "i1", label: `lanthorn-${box}-1` }]);
  await ends();
});

test("a box that is started again takes its leases up, counts the time between on, and says what costs money when it stops", async () => {
  const folder = temporaryFolder();
  const first = await readyOne({ folder });
  const { clock, market, lines } = first;
  await first.desk.rent(wishFor(market), forever);
  await first.desk.stop(2, "later");
  await first.passes(30_000);
  await first.ends();
  expect(lines.filter((line) => line.includes("go on costing"))).toHaveLength(1);
  clock.advance(2 * hourMs);
  const second = rentalWorld({ folder, clock, market });
  expect(second.desk.show(1).burn.unknownMs).toBeGreaterThan(2 * hourMs - minuteMs);
  await second.passes(15_000);
  expect(second.desk.show(1)).toMatchObject({ state: "stopped", reason: "nobody used it" });
  expect(second.desk.show(2).burn.stoppedMs).toBeGreaterThan(2 * hourMs);
  for (const id of [1, 2]) {
    const { burn, instanceId } = second.desk.show(id);
    const ours = burn.gpuNanos + burn.storageNanos;
    expect(Math.abs(ours - market.billed(instanceId ?? ""))).toBeLessThan(usd(0.005));
  }
  await second.ends();
});

test("what is asked of a lease that has ended, of none and of the wrong kind is refused with a reason", async () => {
  const { desk, market, passes, ends } = await readyOne();
  await expect(desk.changeBid(1, usd(1))).rejects.toMatchObject({ code: "invalid_request" });
  await desk.destroy(1, "enough");
  await expect(desk.start(1, "again")).rejects.toMatchObject({ code: "invalid_request" });
  await passes(20_000);
  await expect(desk.destroy(1, "again")).rejects.toMatchObject({ code: "not_found" });
  await expect(desk.stop(99, "x")).rejects.toMatchObject({ code: "not_found" });
  expect(() => desk.show(99)).toThrow(/There is no lease 99/);
  const bid = wishFor(market, {}, usd(0.2));
  const absent = { ...bid, order: { ...bid.order, bidPerHourNanos: null } };
  await expect(desk.rent(absent, forever)).rejects.toMatchObject({ code: "invalid_request" });
  await ends();
});

test("one whose market is not in the settings any more cannot be told anything, and that is said; it counts on", async () => {
  const folder = temporaryFolder();
  const clock = manualClock(Date.parse("2026-11-02T09:00:00Z"));
  const first = await readyOne({ folder, clock });
  await first.ends();
  const { desk, ends } = rentalWorld({ folder, clock, market: new FakeMarket(clock, { id: "another" }) });
  for (const order of [desk.start, desk.stop, desk.destroy])
    await expect(order(1, "enough")).rejects.toMatchObject({
      ...{ code: "unsupported", message: expect.stringContaining('at the market "fake"') },
      why: expect.stringContaining("goes on costing"),
    });
  expect(desk.show(1)).toMatchObject({ state: "ready", perHourNanos: usd(0.26) });
  await ends();
});

test("another bid changes what it costs from then on", async () => {
  const { desk, market, passes, ends } = await readyOne({}, usd(0.2));
  await passes(10 * minuteMs - 50_000);
  await desk.changeBid(1, usd(0.4));
  const end = desk.begin(1);
  await passes(30 * minuteMs);
  expect(desk.show(1)).toMatchObject({ bidPerHourNanos: usd(0.4), perHourNanos: usd(0.41) });
  // It is what was agreed to now: no bill at another rate than the quoted.
  expect(desk.show(1).billed).toEqual(desk.show(1).quoted);
  const { gpuNanos, storageNanos } = desk.show(1).burn;
  expect(Math.abs(gpuNanos + storageNanos - market.billed("i1"))).toBeLessThan(usd(0.001));
  end();
  await ends();
});

test("a bid of which the caps leave no room for an hour is refused, and the market does not hear of it", async () => {
  const { desk, ends } = await readyOne({}, usd(0.2));
  await expect(desk.changeBid(1, usd(24))).rejects.toMatchObject({ code: "budget_exceeded" });
  expect(desk.show(1)).toMatchObject({ bidPerHourNanos: usd(0.2), perHourNanos: usd(0.21) });
  await ends();
});

test("a ledger that cannot be written: nothing new is rented or started, and what ends a rental is done all the same", async () => {
  let isBroken = false;
  const broken = <Result>(work: () => Result): Result => {
    if (isBroken) throw new Failure("ledger_unavailable", "The disk is full.");
    return work();
  };
  const { desk, market, passes, ends } = await readyOne({
    book: (book) => ({
      ...book,
      write: (lease, what) => broken(() => book.write(lease, what)),
    }),
  });
  await desk.stop(1, "later");
  await passes(20_000);
  isBroken = true;
  await expect(desk.rent(wishFor(market), forever)).rejects.toMatchObject({ code: "ledger_unavailable" });
  await desk.start(1, "now");
  expect(market.log).toEqual([`create lanthorn-${box}-1`, "stop i1"]);
  await desk.destroy(1, "enough");
  await passes(60_000);
  expect(market.standing()).toEqual([]);
  expect(desk.show(1).state).toBe("ended");
  isBroken = false;
  await ends();
});

test("whoever watches and fails stops nobody", async () => {
  const { desk, market, passes, ends } = world();
  const seen: string[] = [];
  desk.watch(() => {
    throw new Error("no");
  });
  const unwatch = desk.watch(({ state }) => void seen.push(state));
  await desk.rent(wishFor(market), forever);
  await passes(40_000);
  expect(seen).toContain("ready");
  unwatch();
  const before = seen.length;
  await desk.destroy(1, "enough");
  expect(seen).toHaveLength(before);
  await ends();
});

test("lists that lag do not end what was just made, and a destroy that was not heard does not either", async () => {
  const { desk, market, passes, ends } = world();
  market.faults.lagMs = 40_000;
  await desk.rent(wishFor(market), forever);
  await passes(35_000);
  expect(desk.show(1).state).toBe("starting");
  market.faults.ordersLost = 1;
  await desk.destroy(1, "enough");
  await passes(4_000);
  expect(desk.show(1).state).toBe("destroying");
  expect(market.standing()).toHaveLength(1);
  await passes(2 * minuteMs);
  expect(desk.show(1).state).toBe("ended");
  expect(market.standing()).toEqual([]);
  await ends();
});

test("a list that leaves out what stands for a moment ends nothing", async () => {
  const { desk, market, passes, ends } = await readyOne();
  const whole = market.instances.bind(market);
  market.instances = async () => ({ ...(await whole()), instances: [] });
  await passes(25_000);
  expect(desk.show(1)).toMatchObject({ state: "interrupted", reason: "its host is gone" });
  market.instances = whole;
  await passes(20_000);
  expect(desk.show(1).state).toBe("ready");
  await ends();
});

test("a machine that takes every question and answers none is interrupted within half a minute", async () => {
  let hangs = false;
  const made = await readyOne({
    probe: (_lease, _depth, signal) =>
      hangs
        ? new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("late"))))
        : Promise.resolve(true),
  });
  hangs = true;
  await made.passes(30_000);
  expect(made.desk.show(1).interruptions).toBe(1);
  await made.ends();
});

test("a host that is offline counts as running, and is given up after its boot deadline", async () => {
  const { desk, market, passes, ends } = await readyOne();
  market.becomes("i1", "offline");
  await passes(12_000);
  expect(desk.show(1)).toMatchObject({ state: "interrupted", perHourNanos: usd(0.26) });
  const end = desk.begin(1);
  await passes(16 * minuteMs);
  expect(desk.show(1)).toMatchObject({ state: "ended", reason: "it did not come back in time" });
  end();
  await ends();
});

test("one that the market stopped and does not start again is started by whoever asks", async () => {
  const { desk, market, passes, ends } = await readyOne();
  market.becomes("i1", "exited", true);
  await passes(12_000);
  expect(desk.show(1)).toMatchObject({
    state: "interrupted",
    reason: "the market stopped it",
    perHourNanos: usd(0.02),
  });
  await desk.start(1, "wanted");
  await passes(45_000);
  expect(desk.show(1).state).toBe("ready");
  await ends();
});

test("what says that it has exited after a stop is stopped", async () => {
  const { desk, market, passes, ends } = await readyOne();
  await desk.stop(1, "later");
  market.becomes("i1", "exited", false);
  await passes(15_000);
  expect(desk.show(1)).toMatchObject({ state: "stopped", perHourNanos: usd(0.02) });
  await ends();
});
