/** Leases from the wish to the confirmed end, beside a market that keeps a meter of its own. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import type { LeaseTerms } from "../../../server/domain/rental/lease.ts";
import { openLedger, type Ledger } from "../../../server/ledger/ledger.ts";
import { createLeases, type Leases } from "../../../server/rental/leases.ts";
import type { RentWish } from "../../../server/rental/lease-desk.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { recordedLog } from "../../support/recorded-log.ts";
import { scriptedMarket, type ScriptedMarket, someOffer } from "../../support/scripted-market.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const terms: LeaseTerms = {
  ...{ bootDeadlineMs: 600_000, idleStopMs: 600_000, destroyAfterMs: 3_600_000, longestMs: 36_000_000 },
  caps: { perInstanceNanos: 5_000_000_000, perDayNanos: null, perMonthNanos: null },
};
const order: RentWish["order"] = {
  ...{ kind: "bid", bidPerHourNanos: 250_000_000, diskBytes: 40e9, image: "lanthorn", port: 4747, environment: {} },
  ...{ onStart: "", volumeId: null },
};
const wish: RentWish = { rental: "coder-box", offer: someOffer, order, terms };
const signal = new AbortController().signal;
const caps = { perDayNanos: 20_000_000_000, perMonthNanos: 200_000_000_000 };

let clock: ManualClock;
let market: ScriptedMarket;
let ledger: Ledger;
let leases: Leases;
let folder: string;
let answers = true;

function open(): void {
  ledger = openLedger(`${folder}/ledger.sqlite`, { clock, log: recordedLog() });
  leases = createLeases({
    ...{ book: ledger.leases, markets: [market], clock, log: recordedLog(), box: "box0", zone: "UTC", caps },
    ...{ pollMs: 10_000, probe: async () => answers },
  });
}

/** As a killed process leaves it: nothing is told, nothing more is written. */
async function killed(): Promise<void> {
  leases.close();
  await ledger.close();
}

/** Time passes second by second, and whatever it starts comes to an end. */
async function pass(ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= 1_000) {
    clock.advance(Math.min(1_000, left));
    for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
  }
}

const state = (id = 1) => leases.desk.show(id).state;
const orders = () => market.calls.filter((call) => call !== "instances");

beforeEach(() => {
  clock = manualClock(Date.UTC(2026, 10, 27, 10));
  market = scriptedMarket(clock);
  folder = temporaryFolder();
  answers = true;
  open();
});
afterEach(async () => {
  leases.close();
  await ledger.close();
});

describe("a lease", () => {
  test("is rented at a bid, serves, is stopped when idle, started, and destroyed; our figures are the market's to the cent", async () => {
    const rented = await leases.desk.rent(wish, signal);
    expect(rented).toMatchObject({ id: 1, state: "starting", label: "lanthorn-box0-1", instanceId: "i1" });
    await pass(30_000);
    expect(state()).toBe("ready");
    const done = leases.desk.begin(1);
    await pass(700_000);
    // In use: it does not idle, however long it takes.
    expect(state()).toBe("ready");
    done({ completionTokens: 50_000 });
    await pass(590_000);
    expect(state()).toBe("ready");
    await pass(30_000);
    expect(leases.desk.show(1)).toMatchObject({ state: "stopped", reason: "nobody used it", tokensServed: 50_000 });
    expect(leases.desk.show(1).perHourNanos).toBe(8_000_000);
    await leases.desk.start(1, "asked for");
    await pass(40_000);
    expect(state()).toBe("ready");
    await leases.desk.destroy(1, "not needed any more");
    await pass(10_000);
    const over = leases.desk.show(1);
    expect(over).toMatchObject({ state: "ended", reason: "not needed any more", perHourNanos: 0 });
    const ours = over.burn.gpuNanos + over.burn.storageNanos;
    expect(Math.abs(ours - market.billedNanos())).toBeLessThan(10_000_000);
    expect(over.burn.usedNanos + over.burn.idleNanos).toBe(ours);
    expect(orders()).toEqual(["create lanthorn-box0-1", "stop i1", "start i1", "destroy i1"]);
    expect(ledger.leases.events(1).map((event) => event.state)).toEqual([
      ...["intended", "starting", "ready", "stopping", "stopped", "starting", "ready", "destroying", "ended"],
    ]);
  });

  test("S-18 whose create has no answer is found by its label: one instance, whatever is lost", async () => {
    market.losesAnswers = true;
    market.failing.set("create", [new Failure("upstream_timeout", "no answer")]);
    await expect(leases.desk.rent(wish, signal)).rejects.toMatchObject({ code: "upstream_timeout" });
    expect(state()).toBe("intended");
    await pass(30_000);
    expect(leases.desk.show(1)).toMatchObject({ state: "ready", instanceId: "i1" });
    expect(market.made).toHaveLength(1);
  });

  test("S-18 whose create failed and made nothing ends when the market has not got it a minute later", async () => {
    market.failing.set("create", [new Failure("upstream_failed", "500")]);
    await expect(leases.desk.rent(wish, signal)).rejects.toMatchObject({ code: "upstream_failed" });
    await pass(50_000);
    expect(state()).toBe("intended");
    await pass(30_000);
    expect(leases.desk.show(1)).toMatchObject({ state: "ended", reason: "nothing was made" });
    expect(orders()).toEqual(["create lanthorn-box0-1"]);
  });

  test("that is refused ends at once", async () => {
    market.failing.set("create", [new Failure("not_found", "The offer is gone.")]);
    await expect(leases.desk.rent(wish, signal)).rejects.toMatchObject({ code: "not_found" });
    expect(leases.desk.show(1)).toMatchObject({ state: "ended", reason: "refused: The offer is gone." });
  });

  test("S-18 is told to end until the market does not list it any more", async () => {
    await leases.desk.rent(wish, signal);
    market.destroyTries = 3;
    market.failing.set("destroy", [new Failure("upstream_rate_limited", "429")]);
    await leases.desk.destroy(1, "enough");
    expect(state()).toBe("destroying");
    await pass(120_000);
    expect(state()).toBe("ended");
    expect(orders().filter((call) => call === "destroy i1")).toHaveLength(4);
  });

  test("that is outbid is interrupted within 30 s, and ready again when its bid is the highest", async () => {
    await leases.desk.rent(wish, signal);
    await pass(30_000);
    market.set("i1", "stopped");
    await pass(30_000);
    expect(leases.desk.show(1)).toMatchObject({ state: "interrupted", reason: "somebody bid more", interruptions: 1 });
    expect(ledger.leases.interruptions(1)).toMatchObject([{ cause: "outbid", source: "poll" }]);
    market.set("i1", "running");
    await pass(30_000);
    expect(state()).toBe("ready");
    // What the market means to run is not ordered to.
    expect(orders()).toEqual(["create lanthorn-box0-1"]);
  });

  test("whose machine stops answering is interrupted within 30 s although the market says it runs", async () => {
    await leases.desk.rent(wish, signal);
    await pass(30_000);
    answers = false;
    await pass(30_000);
    expect(ledger.leases.interruptions(1)).toMatchObject([{ cause: "no_answer", source: "health" }]);
    answers = true;
    await pass(30_000);
    expect(state()).toBe("ready");
  });

  test("that says itself that it goes is interrupted at once", async () => {
    await leases.desk.rent(wish, signal);
    await pass(30_000);
    expect(leases.desk.notice("here", "i1", "SIGTERM")).toBe(true);
    expect(leases.desk.show(1)).toMatchObject({ state: "interrupted" });
    expect(leases.desk.notice("here", "another", "SIGTERM")).toBe(false);
  });

  test("that is not ready in time is destroyed: running is not ready", async () => {
    answers = false;
    await leases.desk.rent(wish, signal);
    await pass(660_000);
    expect(leases.desk.show(1)).toMatchObject({ state: "ended", reason: "it was not ready in time" });
    expect(market.made[0]?.state).toBe("gone");
  });

  test("ends after its longest time, in use or not", async () => {
    await leases.desk.rent({ ...wish, terms: { ...terms, longestMs: 900_000 } }, signal);
    await pass(30_000);
    leases.desk.begin(1);
    await pass(900_000);
    expect(leases.desk.show(1)).toMatchObject({ state: "ended", reason: "the lease is over" });
  });

  test("that was stopped for too long is destroyed: stopped is not free", async () => {
    await leases.desk.rent(wish, signal);
    await leases.desk.stop(1, "by hand");
    await pass(3_650_000);
    expect(leases.desk.show(1)).toMatchObject({ state: "ended", reason: "it was stopped for as long as it may" });
  });

  test("ends when it has cost what it may", async () => {
    const capped = { ...terms, caps: { ...terms.caps, perInstanceNanos: 300_000_000 }, idleStopMs: null };
    await leases.desk.rent({ ...wish, terms: capped }, signal);
    await pass(4_300_000);
    const { state: now, reason, burn } = leases.desk.show(1);
    expect([now, reason]).toEqual(["ended", "it has cost what it may"]);
    expect(burn.gpuNanos + burn.storageNanos).toBeLessThan(302_000_000);
  });

  test("is not rented when one hour of it is more than the caps leave", async () => {
    const capped = { ...terms, caps: { ...terms.caps, perInstanceNanos: 200_000_000 } };
    await expect(leases.desk.rent({ ...wish, terms: capped }, signal)).rejects.toMatchObject({
      code: "budget_exceeded",
    });
    expect(market.calls).toEqual([]);
  });

  test("S-18 counts as running while its market cannot be read", async () => {
    await leases.desk.rent(wish, signal);
    await pass(30_000);
    market.failing.set(
      "instances",
      Array.from({ length: 1_000 }, () => new Failure("upstream_failed", "HTML")),
    );
    await pass(300_000);
    const { burn, state: now } = leases.desk.show(1);
    expect(now).toBe("ready");
    expect(burn.unknownMs).toBeGreaterThan(200_000);
    expect(burn.runningMs).toBeGreaterThan(300_000);
  });
});

describe("after a crash", () => {
  test("a lease goes on, and the time without us counts as it was", async () => {
    await leases.desk.rent(wish, signal);
    await pass(30_000);
    await killed();
    await pass(120_000);
    open();
    await pass(20_000);
    expect(state()).toBe("ready");
    await leases.desk.destroy(1, "enough");
    await pass(10_000);
    const { burn } = leases.desk.show(1);
    expect(Math.abs(burn.gpuNanos + burn.storageNanos - market.billedNanos())).toBeLessThan(10_000_000);
  });

  test("what no lease knows is an orphan, and can be ended; a lease of ours cannot be taken for one", async () => {
    await leases.desk.rent(wish, signal);
    await market.create({ ...order, offerId: "7", gpu: "RTX 3090", gpuCount: 1, label: "lanthorn-box0-99" }, signal);
    await market.create({ ...order, offerId: "7", gpu: "RTX 3090", gpuCount: 1, label: "lanthorn-other-1" }, signal);
    await pass(30_000);
    const { orphans, unread } = await leases.desk.orphans(signal);
    expect(orphans.map(({ instanceId }) => instanceId)).toEqual(["i2"]);
    expect(unread).toEqual([]);
    await expect(leases.desk.endOrphan("here", "i1", signal)).rejects.toMatchObject({ code: "invalid_request" });
    const ending = leases.desk.endOrphan("here", "i2", signal);
    await pass(10_000);
    await ending;
    expect((await leases.desk.orphans(signal)).orphans).toEqual([]);
  });
});
