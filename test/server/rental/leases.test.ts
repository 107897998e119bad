/** Leases from the wish to the confirmed end, beside a market that keeps a meter of its own. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { addedBurn, paidNanos } from "../../../server/domain/rental/burn.ts";
import type { LeaseTerms } from "../../../server/domain/rental/lease.ts";
import { FakeMarket, quietRates, usd } from "../../support/rental/fake-market.ts";
import { forever as signal, type RentalWorld, rentalWorld, wishFor } from "../../support/rental/rental-world.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const terms: LeaseTerms = {
  ...{ bootDeadlineMs: 600_000, idleStopMs: 600_000, destroyAfterMs: 3_600_000, longestMs: 36_000_000 },
  caps: { perInstanceNanos: usd(5), perDayNanos: null, perMonthNanos: null },
};

let clock: ManualClock;
let market: FakeMarket;
let folder: string;
let world: RentalWorld;
let answers = true;

function open(): void {
  const probe = async () => answers;
  world = rentalWorld({ folder, clock, market, probe });
}

const desk = () => world.desk;
const pass = (ms: number) => world.passes(ms);
const wish = (more: Partial<LeaseTerms> = {}) => wishFor(market, { terms: { ...terms, ...more } }, usd(0.25));
const state = (id = 1) => desk().show(id).state;

beforeEach(() => {
  clock = manualClock(Date.UTC(2026, 10, 27, 10));
  market = new FakeMarket(clock);
  folder = temporaryFolder();
  answers = true;
  open();
});
afterEach(() => world.ends());

describe("a lease", () => {
  test("is rented at a bid, serves, is stopped when idle, started, and destroyed; our figures are the market's to the cent", async () => {
    const rented = await desk().rent(wish(), signal);
    expect(rented).toMatchObject({ id: 1, state: "starting", label: "lanthorn-0123456789ab-1", instanceId: "i1" });
    await pass(30_000);
    expect(state()).toBe("ready");
    const done = desk().begin(1);
    await pass(700_000);
    // In use: it does not idle, however long it takes.
    expect(state()).toBe("ready");
    done({ completionTokens: 50_000 });
    await pass(590_000);
    expect(state()).toBe("ready");
    await pass(30_000);
    expect(desk().show(1)).toMatchObject({ state: "stopped", reason: "nobody used it", tokensServed: 50_000 });
    expect(desk().show(1).perHourNanos).toBe(quietRates.stoppedStoragePerHourNanos);
    await desk().start(1, "asked for");
    await pass(40_000);
    expect(state()).toBe("ready");
    await desk().destroy(1, "not needed any more");
    await pass(10_000);
    const over = desk().show(1);
    expect(over).toMatchObject({ state: "ended", reason: "not needed any more", perHourNanos: 0 });
    const ours = over.burn.gpuNanos + over.burn.storageNanos;
    expect(Math.abs(ours - market.billedInAll())).toBeLessThan(10_000_000);
    expect(over.burn.usedNanos + over.burn.idleNanos).toBe(ours);
    expect(market.log).toEqual(["create lanthorn-0123456789ab-1", "stop i1", "start i1", "destroy i1"]);
    expect(world.ledger.leases.events(1).map((event) => event.state)).toEqual([
      ...["intended", "starting", "ready", "stopping", "stopped", "starting", "ready", "destroying", "ended"],
    ]);
  });

  test("S-18 whose create has no answer is found by its label: one instance, whatever is lost", async () => {
    market.faults.create = "answer-lost";
    await expect(desk().rent(wish(), signal)).rejects.toMatchObject({ code: "upstream_cut" });
    expect(state()).toBe("intended");
    await pass(30_000);
    expect(desk().show(1)).toMatchObject({ state: "ready", instanceId: "i1" });
    expect(market.standing()).toHaveLength(1);
  });

  test("S-18 whose create failed and made nothing ends when the market has not got it a minute later", async () => {
    market.faults.create = "lost";
    await expect(desk().rent(wish(), signal)).rejects.toMatchObject({ code: "upstream_unreachable" });
    await pass(50_000);
    expect(state()).toBe("intended");
    await pass(30_000);
    expect(desk().show(1)).toMatchObject({ state: "ended", reason: "nothing was made" });
    expect(market.log).toEqual(["create lanthorn-0123456789ab-1"]);
  });

  test("without an image is not asked for: nothing is written, and the market hears nothing", async () => {
    const bare = wish();
    const asked = desk().rent({ ...bare, order: { ...bare.order, image: "" } }, signal);
    await expect(asked).rejects.toMatchObject({ code: "invalid_request", param: "image" });
    expect(market.log).toEqual([]);
    expect(desk().list({ ended: true })).toEqual([]);
  });

  test("that is refused ends at once", async () => {
    market.faults.create = "offer-gone";
    await expect(desk().rent(wish(), signal)).rejects.toMatchObject({ code: "not_found" });
    expect(desk().show(1)).toMatchObject({ state: "ended", reason: "refused: The offer is gone." });
  });

  test("S-18 is told to end until the market does not list it any more", async () => {
    await desk().rent(wish(), signal);
    market.faults.destroyNeeds = 3;
    market.faults.ordersLost = 1;
    await desk().destroy(1, "enough");
    expect(state()).toBe("destroying");
    await pass(120_000);
    expect(state()).toBe("ended");
    expect(market.log.filter((call) => call === "destroy i1")).toHaveLength(4);
  });

  test("that is outbid is interrupted within 30 s, and ready again when its bid is the highest", async () => {
    await desk().rent(wish(), signal);
    await pass(30_000);
    market.outbid("i1");
    await pass(30_000);
    expect(desk().show(1)).toMatchObject({ state: "interrupted", reason: "somebody bid more", interruptions: 1 });
    expect(world.ledger.leases.interruptions(1)).toMatchObject([{ cause: "outbid", source: "poll" }]);
    market.becomes("i1", "running");
    await pass(30_000);
    expect(state()).toBe("ready");
    // What the market means to run is not ordered to.
    expect(market.log).toEqual(["create lanthorn-0123456789ab-1"]);
  });

  test("whose machine stops answering is interrupted within 30 s although the market says it runs", async () => {
    await desk().rent(wish(), signal);
    await pass(30_000);
    answers = false;
    await pass(30_000);
    expect(world.ledger.leases.interruptions(1)).toMatchObject([{ cause: "no_answer", source: "health" }]);
    answers = true;
    await pass(30_000);
    expect(state()).toBe("ready");
  });

  test("that says itself that it goes is interrupted at once", async () => {
    await desk().rent(wish(), signal);
    await pass(30_000);
    expect(desk().notice(market.id, "i1", "SIGTERM")).toBe(true);
    expect(desk().show(1)).toMatchObject({ state: "interrupted" });
    expect(desk().notice(market.id, "another", "SIGTERM")).toBe(false);
  });

  test("that is not ready in time is destroyed: running is not ready", async () => {
    answers = false;
    await desk().rent(wish(), signal);
    await pass(660_000);
    expect(desk().show(1)).toMatchObject({ state: "ended", reason: "it was not ready in time" });
    expect(market.standing()).toEqual([]);
  });

  test("ends after its longest time, in use or not", async () => {
    await desk().rent(wish({ longestMs: 900_000 }), signal);
    await pass(30_000);
    desk().begin(1);
    await pass(900_000);
    expect(desk().show(1)).toMatchObject({ state: "ended", reason: "the lease is over" });
  });

  test("that was stopped for too long is destroyed: stopped is not free", async () => {
    await desk().rent(wish(), signal);
    await desk().stop(1, "by hand");
    await pass(3_650_000);
    expect(desk().show(1)).toMatchObject({ state: "ended", reason: "it was stopped for as long as it may" });
  });

  test("ends when it has cost what it may", async () => {
    const caps = { ...terms.caps, perInstanceNanos: 300_000_000 };
    await desk().rent(wish({ caps, idleStopMs: null }), signal);
    await pass(4_300_000);
    const { state: now, reason, burn } = desk().show(1);
    expect([now, reason]).toEqual(["ended", "it has cost what it may"]);
    expect(burn.gpuNanos + burn.storageNanos).toBeLessThan(302_000_000);
  });

  test("is not rented when one hour of it is more than the caps leave", async () => {
    const caps = { ...terms.caps, perInstanceNanos: 200_000_000 };
    await expect(desk().rent(wish({ caps }), signal)).rejects.toMatchObject({
      code: "budget_exceeded",
    });
    expect([market.log, market.looks]).toEqual([[], 0]);
  });

  test("S-18 counts as running while its market cannot be read", async () => {
    await desk().rent(wish(), signal);
    await pass(30_000);
    market.faults.listsFail = 1_000;
    await pass(300_000);
    const { burn, state: now } = desk().show(1);
    expect(now).toBe("ready");
    expect(burn.unknownMs).toBeGreaterThan(200_000);
    expect(burn.runningMs).toBeGreaterThan(300_000);
  });
});

describe("after a crash", () => {
  test("a lease goes on, and the time without us counts as it was", async () => {
    await desk().rent(wish(), signal);
    await pass(30_000);
    // As a killed process leaves it: nothing is told, nothing more is written.
    await world.ends();
    await pass(120_000);
    open();
    await pass(20_000);
    expect(state()).toBe("ready");
    await desk().destroy(1, "enough");
    await pass(10_000);
    const { burn } = desk().show(1);
    expect(Math.abs(burn.gpuNanos + burn.storageNanos - market.billedInAll())).toBeLessThan(10_000_000);
  });

  test("a machine that began to run while nobody looked has run since the last look: never too little, over hours too", async () => {
    await desk().rent(wish({ longestMs: 86_400_000, idleStopMs: null }), signal);
    await pass(30_000);
    await desk().stop(1, "by hand");
    await pass(60_000);
    // By the time the box is back it has been stopped for longer than it may. It is started elsewhere a minute after the box has died, and the day goes on.
    await world.ends();
    await pass(60_000);
    market.becomes("i1", "running", true);
    await pass(7 * 3_600_000);
    open();
    const paidBefore = paidNanos(desk().show(1).burn);
    await pass(20_000);
    const { burn } = desk().show(1);
    const theirs = market.billed("i1");
    expect(paidNanos(burn)).toBeGreaterThanOrEqual(theirs);
    expect(paidNanos(burn)).toBeGreaterThan(paidBefore + usd(1.5));
    // What it cost more is the time in which nobody saw it begin.
    expect(paidNanos(burn) - theirs).toBeLessThan(usd((0.26 * 90) / 3600));
    const rows = world.ledger.leases.pieces(1);
    expect(rows.length).toBeGreaterThan(28);
    expect(paidNanos(addedBurn(rows))).toBeGreaterThan(theirs - usd(0.001));
  });

  test("what no lease knows is an orphan, and can be ended; a lease of ours cannot be taken for one", async () => {
    await desk().rent(wish(), signal);
    market.foreign("lanthorn-0123456789ab-99");
    market.foreign("lanthorn-other-1");
    await pass(30_000);
    const { orphans, unread } = await desk().orphans(signal);
    expect(orphans.map(({ instanceId }) => instanceId)).toEqual(["i2"]);
    expect(unread).toEqual([]);
    await expect(desk().endOrphan(market.id, "i1", signal)).rejects.toMatchObject({ code: "invalid_request" });
    const ending = desk().endOrphan(market.id, "i2", signal);
    await pass(10_000);
    await ending;
    expect((await desk().orphans(signal)).orphans).toEqual([]);
  });
});
