/** A machine of the settings has a lease that nobody rented: it is a target, it costs money while it is in the settings, and nothing ends it. */
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { marketSetting } from "../../../server/config/rental-setting.ts";
import { adoptionsOf } from "../../../server/rental/adopted.ts";
import { fixed } from "../../../server/rental/markets/static.ts";
import { usd } from "../../support/rental/fake-market.ts";
import {
  forever as signal,
  hourMs,
  minuteMs,
  type RentalWorld,
  rentalWorld,
} from "../../support/rental/rental-world.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const desk = marketSetting.parse({
  type: "static",
  machine: { url: "http://10.0.0.7:4747", usdPerHour: "0.45", gpu: "RTX 6000 Ada", storageUsdPerHour: "0.05" },
});

let clock: ManualClock;
let folder: string;
let world: RentalWorld;
let answers = true;

function open(
  settings: Readonly<Record<string, typeof desk>> = { desk },
  rentals: Readonly<Record<string, { market: string }>> = { coder: { market: "desk" } },
  options: { caps?: { perDayNanos: number | null; perMonthNanos: number | null } } = {},
): void {
  const upstream = { fetch: () => Promise.reject(new Error("nobody is asked")) };
  const others = Object.entries(settings).flatMap(([id, setting]) =>
    setting.enabled ? [fixed.open({ title: id, baseUrl: "", secret: null, upstream, clock }, id, setting)] : [],
  );
  const adoptions = adoptionsOf(settings, rentals);
  world = rentalWorld({ ...options, folder, clock, others, adoptions, probe: async () => answers });
}
/** The box is off for so long. */
async function away(ms: number): Promise<void> {
  await world.ends();
  clock.advance(ms);
}
const lease = (id = 1) => world.desk.show(id);

beforeEach(() => {
  clock = manualClock(Date.UTC(2026, 10, 27, 10));
  folder = temporaryFolder();
  answers = true;
});
afterEach(() => world.ends());

describe("a machine of the settings", () => {
  test("has a lease from the start, is ready with its first token, and costs its hours, the box's downtime too", async () => {
    open();
    expect(lease()).toMatchObject({
      ...{ state: "starting", rental: "coder", market: "desk", instanceId: "desk", terms: null, endsAtMs: null },
      ...{ address: "http://10.0.0.7:4747", gpu: "RTX 6000 Ada", idleStopAtMs: null, until: null },
    });
    await world.passes(hourMs);
    expect(lease()).toMatchObject({ state: "ready", perHourNanos: usd(0.5) });
    expect(lease().burn).toMatchObject({ gpuNanos: usd(0.45), storageNanos: usd(0.05), unknownMs: 0 });
    await away(2 * hourMs);
    open();
    await world.passes(hourMs);
    expect(world.desk.list()).toHaveLength(1);
    expect(lease().burn).toMatchObject({ gpuNanos: usd(1.8), storageNanos: usd(0.2), runningMs: 4 * hourMs });
    expect(world.desk.burn()).toMatchObject({ costing: 1, perHourNanos: usd(0.5) });
    // As far as it is written down: all but the last seconds.
    expect(world.desk.burn().todayNanos).toBeGreaterThan(usd(1.99));
    expect(await world.desk.orphans(signal)).toEqual({ orphans: [], unread: [] });
  });

  test("is interrupted while it does not answer, until it answers: that the settings name it says nothing", async () => {
    open();
    await world.passes(minuteMs);
    answers = false;
    await world.passes(30_000);
    expect(lease()).toMatchObject({ state: "interrupted", reason: "it does not answer", interruptions: 1 });
    await world.passes(hourMs);
    expect(lease().state).toBe("interrupted");
    answers = true;
    await world.passes(30_000);
    expect(lease()).toMatchObject({ state: "ready", interruptions: 1 });
    expect(world.ledger.leases.interruptions(1)).toMatchObject([{ cause: "no_answer", source: "health" }]);
  });

  test("that has never answered is interrupted too, and no interruption is counted", async () => {
    answers = false;
    open();
    await world.passes(30_000);
    expect(lease()).toMatchObject({ state: "interrupted", interruptions: 0, perHourNanos: usd(0.5) });
  });

  test("is started, stopped, destroyed and bid for by nobody", async () => {
    open();
    const { desk: leases } = world;
    const orders = [
      () => leases.start(1, "asked"),
      () => leases.stop(1, "asked"),
      () => leases.destroy(1, "asked"),
      () => leases.changeBid(1, usd(1)),
    ];
    for (const order of orders) {
      await expect(order()).rejects.toMatchObject({
        code: "unsupported",
        why: expect.stringContaining("markets.desk.enabled: false of lanthorn.yaml switches it off"),
      });
    }
    expect(lease().state).toBe("starting");
  });

  test("goes on past any time and any cap, and a cap that is reached is said", async () => {
    open(undefined, undefined, { caps: { perDayNanos: usd(1), perMonthNanos: null } });
    await world.passes(1.5 * hourMs);
    expect(world.lines.join("")).not.toContain("nobody can end them from here");
    await world.passes(2 * hourMs);
    expect(lease()).toMatchObject({ state: "ready" });
    expect(world.desk.burn().todayNanos).toBeGreaterThan(usd(1.7));
    const said = world.lines.filter((line) => line.includes("nobody can end them from here"));
    expect(said).toHaveLength(1);
    expect(said[0]).toContain("today of $1.00");
  });

  test("that is taken out of the settings or disabled ends, and costs nothing from then on", async () => {
    open();
    await world.passes(hourMs);
    await away(hourMs);
    open({ desk: { ...desk, enabled: false } });
    expect(world.desk.list()).toEqual([]);
    expect(lease()).toMatchObject({ state: "ended", perHourNanos: 0, burn: { gpuNanos: usd(0.9) } });
    await world.passes(hourMs);
    expect(world.desk.burn()).toMatchObject({ costing: 0, todayNanos: usd(1) });
    // There again, it begins anew.
    await away(minuteMs);
    open();
    expect(world.desk.list()).toMatchObject([{ id: 2, state: "starting" }]);
  });

  test("that serves another entry of rentals has another lease", async () => {
    open();
    await away(minuteMs);
    open({ desk }, { writer: { market: "desk" } });
    expect(world.desk.list({ ended: true })).toMatchObject([
      { id: 1, rental: "coder", state: "ended" },
      { id: 2, rental: "writer", state: "starting" },
    ]);
  });

  test("whose price changes costs the new one from then on", async () => {
    open();
    await world.passes(hourMs);
    await away(0);
    open({ desk: marketSetting.parse({ type: "static", machine: { ...desk.machine, usdPerHour: "0.95" } }) });
    await world.passes(hourMs);
    const { burn, id } = lease();
    expect(id).toBe(1);
    // Between the last look at the old one and the first at the new, ten seconds, the dearer counts.
    expect(burn.gpuNanos).toBeGreaterThanOrEqual(usd(1.4));
    expect(burn.gpuNanos - usd(1.4)).toBeLessThan(usd(0.0015));
  });

  test("no entry of rentals uses is a lease of nobody; two may not want one machine", () => {
    open({ desk }, {});
    expect(lease()).toMatchObject({ rental: null, state: "starting" });
    const both = { coder: { market: "desk" }, writer: { market: "desk" } };
    expect(() => adoptionsOf({ desk }, both)).toThrow(
      expect.objectContaining({ code: "cannot_start", param: "rentals.writer.market" }),
    );
  });
});
