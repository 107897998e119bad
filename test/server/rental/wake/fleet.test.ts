/** A fleet against a lease desk in memory, on a clock that a test moves: who wakes what, who waits how long, and what they are told. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type RentalSetting, rentalSetting } from "../../../../server/config/rental-setting.ts";
import { Failure } from "../../../../server/domain/failure.ts";
import { createFleet, type Fleet } from "../../../../server/rental/wake/fleet.ts";
import { rentOne } from "../../../../server/rental/wake/rent-one.ts";
import { rentalLimitsSetting } from "../../../../server/config/rental-setting.ts";
import { type LeasesInMemory, leasesInMemory, noCaps, offer, offering } from "../../../support/leases-in-memory.ts";
import { type ManualClock, manualClock } from "../../../support/manual-clock.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { settle } from "../../../support/routing-world.ts";

const minute = 60_000;
const never = new AbortController().signal;

let clock: ManualClock;
let desk: LeasesInMemory;
let fleet: Fleet;
beforeEach(() => {
  clock = manualClock();
  desk = leasesInMemory(() => clock.now(), "coder");
});
afterEach(() => fleet.stop());

function open(
  wishes: Partial<RentalSetting> = {},
  offers = [offer("77")],
  { image = "lanthorn", fixed = false }: { image?: string; fixed?: boolean } = {},
): Fleet {
  const setting = {
    ...rentalSetting.parse({ market: "den", models: ["qwen"], mostUsdPerHour: "1", whileAsleep: "wait" }),
    ...wishes,
  };
  const log = recordedLog();
  const market = offering("den", offers, () => clock.now());
  const machine = () => ({ image, port: 4747, environment: {}, onStart: "" });
  const limits = rentalLimitsSetting.parse({});
  const renting = { ...{ name: "coder", setting, limits, market, desk, machine, clock, log } };
  fleet = createFleet({
    ...{ name: "coder", setting, zone: "UTC", desk, clock, log, stops: market.traits.stops, fixed },
    rent: (reason, signal) => rentOne(renting, reason, signal),
  });
  return fleet;
}

async function pass(ms: number): Promise<void> {
  await settle();
  clock.advance(ms);
  await settle();
}

const outcomeOf = (waiting: Promise<boolean>) =>
  waiting.then(
    (value) => value,
    (thrown: unknown) => (thrown instanceof Failure ? `${thrown.code}: ${thrown.message}` : String(thrown)),
  );

describe("waking", () => {
  test("ten requests at once start one instance, and all go on when it is ready", async () => {
    desk.add({ state: "stopped" });
    open();
    expect(fleet.power()).toMatchObject({
      state: "asleep",
      words: "asleep; a request starts it, which takes about 2 min",
    });
    const all = Promise.all(Array.from({ length: 10 }, () => fleet.awake(never)));
    await pass(80_000);
    expect(desk.told).toEqual(["start 1"]);
    expect(fleet.power().words).toBe("being started for 80 s, ready in about 40 s");
    desk.become(1, "ready");
    expect(await all).toEqual(Array(10).fill(true));
    expect(fleet.power().words).toBe("ready (1 instance)");
  });

  test("what it takes is learnt: the next words say the time that was seen", async () => {
    desk.add({ state: "stopped" });
    open();
    const first = fleet.awake(never);
    await pass(30_000);
    desk.become(1, "ready");
    await first;
    await desk.stop(1, "");
    expect(fleet.power()).toMatchObject({ state: "asleep", expectedMs: 30_000 });
  });

  test("what waking comes to is known before: until it is idle again", () => {
    desk.add({ state: "stopped" });
    // $0.36 an hour for 2 + 10 minutes.
    expect(open().power().wakeNanos).toBe(72_000_000);
  });

  test("a new one is rented only where that is allowed, the cheapest, with the settings' terms", async () => {
    open({}, []);
    expect(fleet.power()).toMatchObject({ state: "refused", refusal: "settings" });
    expect(await outcomeOf(fleet.awake(never))).toContain("a request may not rent one (mayRent)");
    fleet.stop();
    open({ mayRent: true, mostUsdPerLease: "3" });
    expect(fleet.power().words).toBe("asleep; a request rents one, which takes about 5 min");
    const waiting = fleet.awake(never);
    await pass(0);
    desk.become(1, "ready");
    expect(await waiting).toBe(true);
    expect(desk.wishes).toMatchObject([
      { rental: "coder", offer: { offerId: "77" }, terms: { caps: { perInstanceNanos: 3e9, perDayNanos: 20e9 } } },
    ]);
  });

  test("one that is just being stopped is started as soon as it is", async () => {
    desk.add({ state: "stopping" });
    open();
    const waiting = fleet.awake(never);
    await pass(20_000);
    expect(desk.told).toEqual([]);
    desk.become(1, "stopped");
    await pass(0);
    expect(desk.told).toEqual(["start 1"]);
    desk.become(1, "ready");
    expect(await waiting).toBe(true);
  });

  test("whoever leaves does not wait on, and the others do", async () => {
    desk.add({ state: "stopped" });
    open();
    const leaving = new AbortController();
    const [left, stays] = [fleet.awake(leaving.signal), fleet.awake(never)];
    await pass(1000);
    leaving.abort();
    expect(await left).toBe(false);
    desk.become(1, "ready");
    expect(await stays).toBe(true);
    expect(await fleet.awake(AbortSignal.abort())).toBe(false);
  });
});

describe("what fails", () => {
  test("a machine that does not come up is told to all who wait, and not tried again at once; each time later", async () => {
    desk.add({ state: "stopped" });
    open();
    for (const seconds of [30, 60, 120]) {
      const waiting = outcomeOf(fleet.awake(never));
      await pass(minute);
      desk.become(1, "stopped", "no GPU is free");
      expect(await waiting).toBe('rental_failed: The rented machine of "coder" did not come up: no GPU is free.');
      expect(fleet.power()).toMatchObject({
        state: "failed",
        words: `could not be started: no GPU is free; tried again in ${seconds === 120 ? "2 min" : `${seconds} s`}`,
      });
      expect(await outcomeOf(fleet.awake(never))).toContain("none is on: could not be started: no GPU is free");
      await pass(seconds * 1000);
      expect(fleet.power().state).toBe("asleep");
    }
    expect(desk.told).toEqual(["start 1", "start 1", "start 1"]);
  });

  test("a cap refuses before anybody is asked, in words, and asking again does not help", async () => {
    desk.add({ state: "stopped" });
    desk.burnt = { ...desk.burnt, todayNanos: 19.9e9, caps: { ...noCaps, perDayNanos: 20e9 } };
    open({ mayRent: true });
    expect(fleet.power()).toMatchObject({ state: "refused", refusal: "cap" });
    expect(await outcomeOf(fleet.awake(never))).toBe(
      'budget_exceeded: "coder" runs on a rented machine, and none is on: not started: lease-1: the cap of today ($20.00) does not leave room for an hour at $0.36: $19.90 is spent.',
    );
    expect(desk.told).toEqual([]);
  });

  test("the desk's own refusal is passed on", async () => {
    open({ mayRent: true });
    desk.failWith = new Failure("budget_exceeded", "The cap of this month leaves nothing.");
    const waiting = outcomeOf(fleet.awake(never));
    await pass(0);
    expect(await waiting).toBe("budget_exceeded: The cap of this month leaves nothing.");
    expect(fleet.power()).toMatchObject({ state: "failed", refusal: "cap" });
  });

  test("an offer that somebody else took is followed by the next; where there is none the reasons are said", async () => {
    open({ mayRent: true }, [offer("gone"), offer("there", { reliability: 0.96 })]);
    desk.failWith = new Failure("not_found", "It is taken.");
    const waiting = fleet.awake(never);
    await pass(0);
    expect(desk.told).toEqual(["rent", "rent"]);
    expect(desk.wishes[0]?.offer.offerId).toBe("there");
    desk.become(1, "ready");
    await waiting;
    fleet.stop();
    desk = leasesInMemory(() => clock.now(), "coder");
    open({ mayRent: true }, [offer("dear", { kind: "bid" })]);
    const none = outcomeOf(fleet.awake(never));
    await pass(0);
    expect(await none).toContain("None of 1 offers will do: it is bid, and on-demand is asked (1)");
  });

  test("without an image nothing is rented, and it says what to set", async () => {
    open({ mayRent: true }, [offer("77")], { image: "" });
    const waiting = outcomeOf(fleet.awake(never));
    await pass(0);
    expect(await waiting).toContain("No image is named: the machine would cost money and serve nothing");
    expect(desk.told).toEqual([]);
  });

  test("a machine of the settings is waited for when it is coming, never stopped for idleness, and nothing is rented beside it", async () => {
    desk.add({ state: "starting" });
    open({ mayRent: true, idleStopMs: minute, instances: { ...instances, min: 1, max: 3 } }, [offer("77")], {
      fixed: true,
    });
    const waiting = fleet.awake(never);
    await pass(0);
    desk.become(1, "ready");
    expect(await waiting).toBe(true);
    await pass(60 * minute);
    expect(fleet.power().state).toBe("ready");
    desk.become(1, "interrupted", "it does not answer");
    await pass(10 * minute);
    expect(fleet.power()).toMatchObject({ state: "refused", words: expect.stringContaining("may come back") });
    desk.become(1, "ready");
    expect(fleet.power().state).toBe("ready");
    expect(desk.told).toEqual([]);
  });

  test("nobody waits longer than the boot deadline", async () => {
    desk.add({ state: "stopped" });
    open({ bootDeadlineMs: 5 * minute });
    const waiting = outcomeOf(fleet.awake(never));
    await pass(5 * minute - 1);
    await pass(1);
    expect(await waiting).toBe(
      'rental_failed: The rented machine of "coder" was not ready within 5 min. Please ask again later.',
    );
  });

  test("those who hold something there are told when it is interrupted", () => {
    desk.add({ state: "ready" });
    open();
    const heard: string[] = [];
    const use = fleet.begin(1, (reason) => heard.push(reason));
    desk.become(1, "interrupted", "outbid");
    use.over({ completionTokens: 3 });
    use.over();
    expect(heard).toEqual(["outbid"]);
    expect(desk.told).toEqual(["begin 1", "over 1 (3 tokens)"]);
  });
});

describe("how many", () => {
  test("one that nobody needs is stopped after its time, and one in use is not", async () => {
    desk.add({ state: "ready", since: clock.now() - 60 * minute });
    open({ idleStopMs: 10 * minute });
    await pass(5 * minute);
    const use = fleet.begin(1, () => {});
    await pass(30 * minute);
    use.over();
    await pass(9 * minute);
    expect(desk.told.filter((order) => order.startsWith("stop"))).toEqual([]);
    await pass(minute + 5_000);
    expect(desk.told.filter((order) => order.startsWith("stop"))).toEqual(["stop 1"]);
    expect(fleet.ready()).toEqual([]);
  });

  test("a queue that lasts brings a second one; both are let go when it is over", async () => {
    desk.add({ state: "ready" });
    open({ mayRent: true, instances: { ...instances, max: 2, scaleUpQueue: 3 }, idleStopMs: 10 * minute });
    const uses = [1, 2, 3].map(() => fleet.begin(1, () => {}));
    await pass(15_000);
    expect(desk.told).toContain("rent");
    desk.become(2, "ready");
    expect(fleet.power().words).toBe("ready (2 instances)");
    for (const use of uses) use.over();
    await pass(11 * minute);
    expect(desk.told.filter((order) => order.startsWith("stop"))).toEqual(["stop 2", "stop 1"]);
  });

  test("answers that have begun are no queue", async () => {
    desk.add({ state: "ready" });
    open({ mayRent: true, instances: { ...instances, max: 2, scaleUpQueue: 3 } });
    for (const use of [1, 2, 3, 4].map(() => fleet.begin(1, () => {}))) use.answers();
    await pass(minute);
    expect(desk.told).not.toContain("rent");
  });

  test("a minimum is kept in its hours without any request, and the desk is told not to stop it by itself", async () => {
    open({ mayRent: true, instances: { ...instances, min: 1 } });
    await pass(0);
    expect(desk.wishes).toMatchObject([{ terms: { idleStopMs: null } }]);
    desk.become(1, "ready");
    await pass(24 * 60 * minute);
    expect(desk.told).toEqual(["rent"]);
  });

  test("after a restart one that is ready counts as used just now", async () => {
    desk.add({ state: "ready", since: clock.now() - 300 * minute });
    open({ idleStopMs: 10 * minute });
    await pass(9 * minute);
    expect(desk.told).toEqual([]);
    await pass(2 * minute);
    expect(desk.told).toEqual(["stop 1"]);
  });
});

const instances = { min: 0, max: 1, warm: 0, weekdaysOnly: false, scaleUpQueue: 4 };
