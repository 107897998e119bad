/** The box's own meter: every nano-USD that was metered belongs to a request, to loading, or to nobody. */
import { describe, expect, test } from "vitest";
import { idleNanos, meteredNanos, type PowerInterval, PowerMeter } from "../../../../server/domain/local-cost/meter.ts";
import { hasRates, type LocalRates, localRates, nanosOfAmount } from "../../../../server/domain/local-cost/rates.ts";
import { shared } from "../../../../server/domain/local-cost/share.ts";
import { seeded } from "../../../support/random.ts";

const nothing: LocalRates = {
  ...{ perKwhNanos: null, statedMilliwatts: null, baseMilliwatts: 0, wearPerHourNanos: 0, rentPerHourNanos: 0 },
};
const thirtyCents: LocalRates = { ...nothing, perKwhNanos: 300_000_000 };
const hourMs = 3_600_000;

/** An hour in slices that the meter takes for slices. */
function pass(meter: PowerMeter, fromMs: number, ms: number): number {
  for (let at = fromMs; at < fromMs + ms; at += 60_000) meter.advance(Math.min(at + 60_000, fromMs + ms));
  return fromMs + ms;
}

describe("shares", () => {
  test("add up to the whole, the remainder going to who lost most", () => {
    expect(shared(10, [1, 1, 1])).toEqual([4, 3, 3]);
    expect(shared(10, [1, 1, 1], 1)).toEqual([3, 4, 3]);
    expect(shared(7, [3, 2, 1])).toEqual([4, 2, 1]);
    expect(shared(5, [0, 0])).toEqual([3, 2]);
    expect(shared(5, [])).toEqual([]);
  });

  test("of random amounts are off by less than one, and lose nothing", () => {
    const random = seeded(7);
    for (let round = 0; round < 500; round += 1) {
      const weights = Array.from({ length: 1 + random.below(9) }, () => random.below(5_000));
      const amount = random.below(1_000_000_000);
      const parts = shared(amount, weights, random.below(weights.length));
      const total = weights.reduce((sum, weight) => sum + weight, 0);
      expect(parts.reduce((sum, part) => sum + part, 0)).toBe(amount);
      for (const [index, part] of parts.entries()) {
        const exact = total === 0 ? amount / weights.length : (amount * (weights[index] ?? 0)) / total;
        expect(Math.abs(part - exact)).toBeLessThan(1);
      }
    }
  });
});

describe("rates", () => {
  const setting = {
    pricePerKwh: "",
    currency: "EUR",
    usdPerUnit: "1",
    watts: 0,
    baseWatts: 0,
    wearPerHour: "",
    rentPerHour: "",
  };

  test("are read digit by digit, and brought to US dollars by the stated rate", () => {
    expect(nanosOfAmount("0.3299", "1.0812")).toBe(356_687_880);
    expect(nanosOfAmount("0.000001", "0.0005")).toBe(1);
    const rates = localRates({ ...setting, pricePerKwh: "0.32", usdPerUnit: "1.1", watts: 45.5, baseWatts: 60 });
    expect(rates).toEqual({ ...nothing, perKwhNanos: 352_000_000, statedMilliwatts: 45_500, baseMilliwatts: 60_000 });
  });

  test("without a price there is nothing to meter, whatever is drawn", () => {
    expect(hasRates(localRates({ ...setting, watts: 300, wearPerHour: "0.1" }))).toBe(false);
    expect(hasRates(localRates({ ...setting, rentPerHour: "0.34" }))).toBe(true);
    // Somebody whose electricity costs nothing says so.
    expect(hasRates(localRates({ ...setting, pricePerKwh: "0" }))).toBe(true);
  });
});

describe("the meter", () => {
  test("300 W for an hour at $0.30 is nine cents; half of it each for two that ran together", () => {
    const meter = new PowerMeter(thirtyCents, 0);
    meter.opened("a", "engine/m");
    meter.opened("b", "engine/m");
    meter.began("a", "engine/m", 0);
    meter.began("b", "engine/m", 0);
    meter.saw(300_000, 0);
    const at = pass(meter, 0, hourMs);
    expect(meter.take("a", "engine/m", at)).toEqual({ known: true, nanos: 45_000_000, basis: "measured" });
    expect(meter.take("b", "engine/m", at)).toEqual({ known: true, nanos: 45_000_000, basis: "measured" });
    expect(meter.take("b", "engine/m", at)).toBeNull();
    expect(meteredNanos(meter.interval())).toBe(90_000_000);
    expect(idleNanos(meter.interval())).toBe(0);
  });

  test("what nobody used is idle, loading is a line of its own, and the base load is always nobody's", () => {
    const meter = new PowerMeter({ ...thirtyCents, baseMilliwatts: 60_000 }, 0);
    meter.saw(20_000, 0);
    let at = pass(meter, 0, hourMs);
    meter.loading(true, at);
    at = pass(meter, at, hourMs);
    meter.opened("a", "engine/m");
    meter.began("a", "engine/m", at);
    at = pass(meter, at, hourMs);
    meter.loading(false, at);
    expect(meter.take("a", "engine/m", at)).toMatchObject({ nanos: 6_000_000 });
    expect(meter.interval()).toMatchObject({ energyNanos: 18_000_000, usedNanos: 6_000_000, loadNanos: 6_000_000 });
    expect(meter.interval().baseNanos).toBe(54_000_000);
    expect(idleNanos(meter.interval())).toBe(60_000_000);
  });

  test("a request waits for nothing: only what is computed has a share", () => {
    const meter = new PowerMeter({ ...thirtyCents, statedMilliwatts: 100_000 }, 0);
    meter.opened("waits", "engine/m");
    meter.opened("runs", "engine/m");
    meter.began("runs", "engine/m", 0);
    const at = pass(meter, 0, hourMs);
    // Nobody had to measure that it used nothing.
    expect(meter.take("waits", "engine/m", at)).toEqual({ known: true, nanos: 0, basis: "measured" });
    expect(meter.take("runs", "engine/m", at)).toEqual({ known: true, nanos: 30_000_000, basis: "estimated" });
    meter.began("waits", "engine/m", at);
    expect(meter.open()).toEqual([]);
  });

  test("with a price and no power the cost is unknown, never 0", () => {
    const meter = new PowerMeter(thirtyCents, 0);
    meter.opened("a", "engine/m");
    meter.began("a", "engine/m", 0);
    const at = pass(meter, 0, hourMs);
    expect(meter.take("a", "engine/m", at)).toEqual({ known: false, reason: "not_priced" });
    expect(meter.interval()).toMatchObject({ source: "none", unknownMs: hourMs, milliseconds: 0, energyNanos: 0 });
  });

  test("a card that stops saying what it draws makes unknown what ran then, and its share so far is kept apart", () => {
    const meter = new PowerMeter(thirtyCents, 0);
    meter.opened("a", "engine/m");
    meter.began("a", "engine/m", 0);
    meter.saw(100_000, 0);
    let at = pass(meter, 0, hourMs);
    meter.saw(null, at);
    at = pass(meter, at, hourMs);
    expect(meter.take("a", "engine/m", at)).toMatchObject({ known: false });
    const [measured] = meter.takeClosed();
    expect(measured).toMatchObject({ source: "measured", usedNanos: 30_000_000, unbookedNanos: 0 });
    expect(meter.interval()).toMatchObject({ source: "none", usedNanos: 0, unbookedNanos: 30_000_000 });
  });

  test("rent and wear run whether anybody asks or not", () => {
    const meter = new PowerMeter({ ...nothing, rentPerHourNanos: 340_000_000, wearPerHourNanos: 10_000_000 }, 0);
    let at = pass(meter, 0, hourMs);
    meter.opened("a", "engine/m");
    meter.began("a", "engine/m", at);
    at = pass(meter, at, hourMs);
    expect(meter.take("a", "engine/m", at)).toEqual({ known: true, nanos: 350_000_000, basis: "estimated" });
    expect(idleNanos(meter.interval())).toBe(350_000_000);
    expect(meter.interval()).toMatchObject({ rentNanos: 680_000_000, wearNanos: 20_000_000 });
  });

  test("a look between two answers says what idling draws, and not what answering does", () => {
    const meter = new PowerMeter(thirtyCents, 0);
    meter.opened("a", "engine/m");
    meter.began("a", "engine/m", 0);
    meter.saw(300_000, 0);
    expect(meter.take("a", "engine/m", 2_000)).toMatchObject({ known: true });
    meter.saw(20_000, 3_000);
    meter.opened("b", "engine/m");
    meter.began("b", "engine/m", 4_000);
    // 8 s at 300 W.
    expect(meter.take("b", "engine/m", 12_000)).toEqual({ known: true, nanos: 200_000, basis: "measured" });
  });

  test("a machine that slept is not charged for the night", () => {
    const meter = new PowerMeter({ ...thirtyCents, baseMilliwatts: 60_000 }, 0);
    meter.saw(100_000, 0);
    meter.advance(60_000);
    meter.advance(9 * hourMs);
    expect(meter.interval()).toMatchObject({
      milliseconds: 60_000,
      unknownMs: 9 * hourMs - 60_000,
      baseNanos: 300_000,
    });
  });

  test("of random days: used, loading and idle are what was metered, and the shares are what was used", () => {
    for (const seed of [1, 2, 3]) {
      const random = seeded(seed);
      const price = 1 + random.below(900_000_000);
      const meter = new PowerMeter(
        {
          ...thirtyCents,
          perKwhNanos: price,
          baseMilliwatts: random.below(90_000),
          wearPerHourNanos: random.below(1e8),
        },
        0,
      );
      const running: string[] = [];
      const closed: PowerInterval[] = [];
      let booked = 0;
      let at = 0;
      for (let step = 0; step < 1_500; step += 1) {
        at += random.below(9_000) + random.number();
        const what = random.below(6);
        if (what === 0) meter.saw(random.below(500_000), at);
        if (what === 1) meter.loading(random.chance(0.5), at);
        if (what === 2 && running.length < 8) {
          const id = `r${step}`;
          meter.opened(id, "engine/m");
          meter.began(id, "engine/m", at);
          running.push(id);
        }
        if (what === 3 && running.length > 0) {
          const [id = ""] = running.splice(random.below(running.length), 1);
          const cost = meter.take(id, "engine/m", at);
          if (cost?.known === true) booked += cost.nanos;
        }
        if (what === 4 && step % 50 === 0) meter.roll();
        meter.advance(at);
        closed.push(...meter.takeClosed());
        const all = [...closed, meter.interval()];
        const total = (of: (one: PowerInterval) => number) => all.reduce((sum, one) => sum + of(one), 0);
        const open = meter.open().reduce((sum, { nanos }) => sum + nanos, 0);
        expect(total(({ usedNanos }) => usedNanos) - total(({ unbookedNanos }) => unbookedNanos)).toBe(booked + open);
        expect(all.every((one) => idleNanos(one) >= one.baseNanos)).toBe(true);
        // One carry over all intervals: nothing is rounded away.
        const exact = all.reduce((sum, { milliwattMs }) => sum + BigInt(milliwattMs), 0n) * BigInt(price);
        expect(BigInt(total(({ energyNanos }) => energyNanos))).toBe(exact / 3_600_000_000_000n);
      }
      expect(booked).toBeGreaterThan(0);
    }
  });
});
