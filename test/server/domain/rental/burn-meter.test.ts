/** What a lease costs between two looks at its market: never less than the truth, and no more than the time in which it changed unseen. */
import { describe, expect, test } from "vitest";
import { addedBurn, billingOf, type BurnPiece, nothingDone, paidNanos } from "../../../../server/domain/rental/burn.ts";
import { type Course, courseOf, overCourse } from "../../../../server/domain/rental/burn-course.ts";
import { BurnMeter } from "../../../../server/domain/rental/burn-meter.ts";
import type { InstanceState, RentalRates } from "../../../../server/domain/rental/market.ts";
import { full } from "../../../support/full.ts";
import { type Random, seeded } from "../../../support/random.ts";

const startMs = Date.UTC(2026, 10, 27, 10);
const minuteMs = 60_000;
const hourMs = 3_600_000;
const usd = (amount: number) => Math.round(amount * 1e9);
const rates: RentalRates = {
  ...{ gpuPerHourNanos: usd(0.36), storagePerHourNanos: usd(0.036), stoppedStoragePerHourNanos: usd(0.072) },
  ...{ uploadPerGbNanos: 0, downloadPerGbNanos: 0 },
};
/** The words of a look, which are believed for a minute. */
const words = (state: InstanceState, lookedAtMs: number, more: Partial<RentalRates> = {}): Course =>
  courseOf(state, { ...rates, ...more }, lookedAtMs + minuteMs, false);

/** A meter, and all of its pieces as they are written. */
function counted(state: InstanceState = "loading", before: readonly BurnPiece[] = [], lookedAtMs = startMs) {
  const meter = new BurnMeter({ course: words(state, lookedAtMs), pieces: before, lookedAtMs, fromMs: startMs });
  const written = new Map(before.map((piece) => [piece.fromMs, piece]));
  const burn = () => {
    for (const piece of meter.take().changed) written.set(piece.fromMs, piece);
    return addedBurn(written.values());
  };
  const looks = (said: InstanceState, atMs: number, askedAtMs = atMs) =>
    meter.looked(words(said, atMs), askedAtMs, atMs);
  const pieces = () => {
    burn();
    return [...written.values()];
  };
  return { meter, burn, looks, pieces };
}

describe("between two looks", () => {
  test("what was loading and runs now has run since the first of them: a cent for each 100 s of $0.36 an hour", () => {
    const { meter, burn, looks } = counted();
    looks("loading", startMs + 20_000);
    meter.advance(startMs + 50_000);
    expect(burn()).toMatchObject({ gpuNanos: 0, runningMs: 0, stoppedMs: 50_000 });
    looks("running", startMs + 60_000);
    expect(burn()).toMatchObject({ gpuNanos: usd(0.004), runningMs: 40_000, stoppedMs: 20_000, unknownMs: 0 });
  });

  test("what ran and is stopped or gone now has run until the second of them", () => {
    for (const last of ["stopped", "gone"] as const) {
      const { burn, looks } = counted("running");
      looks("running", startMs + 10_000);
      looks(last, startMs + 30_000);
      looks(last, startMs + 50_000);
      expect(burn().gpuNanos).toBe(usd(0.003));
    }
  });

  test("a stopped one that runs costs what running costs, with the disk of one that runs, and never less than before", () => {
    const { meter, burn, looks } = counted("stopped");
    meter.advance(startMs + 100_000);
    const before = paidNanos(burn());
    expect(before).toBe(usd(0.002));
    looks("running", startMs + 100_000);
    expect(burn()).toMatchObject({ gpuNanos: usd(0.01), storageNanos: usd(0.001), runningMs: 100_000, stoppedMs: 0 });
  });

  test("a price that has risen counts from the look before", () => {
    const { meter, burn } = counted("running");
    meter.looked(
      words("running", startMs + 50_000, { gpuPerHourNanos: usd(0.72) }),
      startMs + 50_000,
      startMs + 50_000,
    );
    meter.looked(words("running", startMs + 60_000), startMs + 60_000, startMs + 60_000);
    // Twice the price for fifty seconds and, since nobody saw when it fell, ten more.
    expect(burn().gpuNanos).toBe(usd(0.012));
  });

  test("a list that takes long to come says what was true at some moment since it was asked for", () => {
    const { burn, looks } = counted();
    looks("loading", startMs + 30_000, startMs + 10_000);
    looks("running", startMs + 40_000, startMs + 40_000);
    expect(burn()).toMatchObject({ runningMs: 30_000, stoppedMs: 10_000 });
  });

  test("words that are too old are not believed from that very moment on; those of a stopped one are", () => {
    const loading = counted();
    loading.meter.advance(startMs + 3 * minuteMs);
    expect(loading.burn()).toMatchObject({ stoppedMs: minuteMs, runningMs: 2 * minuteMs, unknownMs: 2 * minuteMs });
    const stopped = counted("stopped");
    stopped.meter.advance(startMs + 3 * minuteMs);
    expect(stopped.burn()).toMatchObject({ stoppedMs: 3 * minuteMs, gpuNanos: 0 });
  });

  test("at a market that bills all but what is stopped, booting and failed ones count as running, known or not", () => {
    const of = (state: InstanceState, isKnown: boolean) => billingOf(state, isKnown, true);
    expect([of("scheduling", true), of("loading", true), of("exited", true)]).toEqual([
      "running",
      "running",
      "running",
    ]);
    expect([of("loading", false), of("exited", false)]).toEqual(["unknown", "unknown"]);
    expect([of("stopped", true), of("stopped", false), of("gone", true)]).toEqual([
      ...["stopped-storage", "stopped-storage", "nothing"],
    ]);
    // Elsewhere they cost their disk.
    expect([billingOf("loading", true), billingOf("exited", true)]).toEqual(["storage", "stopped-storage"]);
  });

  test("what is used stays what was used, and is never more than what was paid", () => {
    const { meter, burn, looks } = counted("running");
    looks("running", startMs);
    meter.began(startMs + 10_000);
    meter.ended({ ...nothingDone, completionTokens: 7 }, startMs + 30_000);
    looks("running", startMs + 40_000);
    const { usedNanos, idleNanos, gpuNanos, storageNanos, completionTokens } = burn();
    expect(usedNanos).toBe(usd(0.0022));
    expect(usedNanos + idleNanos).toBe(gpuNanos + storageNanos);
    expect(completionTokens).toBe(7);
  });

  test("what has ended grows no more", () => {
    const { meter, burn } = counted("running");
    meter.looked(overCourse(rates), startMs + 10_000, startMs + 10_000);
    meter.advance(startMs + 10 * hourMs);
    expect(burn()).toMatchObject({ gpuNanos: usd(0.001), runningMs: 10_000 });
  });
});

describe("over a restart", () => {
  test("the dearer counts from the last look that is written down, not from the last piece, each quarter of an hour for itself", () => {
    const first = counted("stopped");
    first.looks("stopped", startMs + 10 * minuteMs);
    // The market is silent, and the box dies seven minutes later.
    first.meter.advance(startMs + 17 * minuteMs);
    const second = counted("stopped", first.pieces(), startMs + 10 * minuteMs);
    const backMs = startMs + 2 * hourMs;
    second.meter.advance(backMs);
    expect(second.burn()).toMatchObject({ gpuNanos: 0, stoppedMs: 2 * hourMs });
    second.looks("running", backMs);
    expect(second.burn()).toMatchObject({ runningMs: 110 * minuteMs, stoppedMs: 10 * minuteMs, gpuNanos: usd(0.66) });
    const pieces = second.pieces();
    expect(pieces.map(({ fromMs }) => (fromMs - startMs) / minuteMs)).toEqual([0, 15, 30, 45, 60, 75, 90, 105]);
    expect(pieces.map(({ runningMs }) => runningMs / minuteMs)).toEqual([5, 15, 15, 15, 15, 15, 15, 15]);
  });

  test("what an earlier run counted as running, by other settings, is not counted twice", () => {
    const first = counted();
    first.meter.advance(startMs + 10 * minuteMs);
    expect(first.burn().runningMs).toBe(9 * minuteMs);
    const course = courseOf("loading", rates, startMs + hourMs, false);
    const second = new BurnMeter({ course, pieces: first.pieces(), lookedAtMs: startMs, fromMs: startMs });
    second.looked(words("running", startMs + 10 * minuteMs), startMs + 10 * minuteMs, startMs + 10 * minuteMs);
    const [piece] = second.take().open;
    expect(piece).toMatchObject({ runningMs: 10 * minuteMs, stoppedMs: 0, gpuNanos: usd(0.06) });
  });

  test("an instance of which nothing was written costs since it was ordered", () => {
    const { meter, burn } = counted("loading", []);
    meter.looked(words("running", startMs + hourMs), startMs + hourMs, startMs + hourMs);
    expect(burn()).toMatchObject({ runningMs: hourMs, gpuNanos: usd(0.36) });
  });
});

const states = ["scheduling", "loading", "running", "stopped", "frozen", "exited"] as const;
const runs = (state: InstanceState) => state === "running" || state === "frozen";
const stories = full ? 20_000 : 300;

/** True states and looks of some hours; a gap between looks has one change at most, as it has for whoever looks often enough. */
function storyOf(random: Random) {
  let [atMs, state]: [number, InstanceState] = [startMs, "scheduling"];
  const gaps: { fromMs: number; untilMs: number; changedAtMs: number; before: InstanceState; after: InstanceState }[] =
    [];
  for (let looks = 2 + random.below(30); looks > 0; looks -= 1) {
    const ms = 1 + random.below(random.chance(0.1) ? 3 * hourMs : 2 * minuteMs);
    const after: InstanceState = random.chance(0.4) ? random.pick(states) : state;
    gaps.push({ fromMs: atMs, untilMs: atMs + ms, changedAtMs: atMs + random.below(ms + 1), before: state, after });
    [atMs, state] = [atMs + ms, after];
  }
  return gaps;
}

test(`${stories} random stories: counted GPU is never less than the true one, the excess never more than the gaps in which something changed or nobody knew, and what is paid never falls`, () => {
  for (let seed = 1; seed <= stories; seed += 1) {
    const random = seeded(seed);
    const gaps = storyOf(random);
    let now = counted("scheduling");
    let [trueMs, unseenMs, paid, lookedAtMs] = [0, 0, 0, startMs];
    let said: InstanceState = "scheduling";
    for (const { fromMs, untilMs, changedAtMs, before, after } of gaps) {
      trueMs += (runs(before) ? changedAtMs - fromMs : 0) + (runs(after) ? untilMs - changedAtMs : 0);
      if (runs(before) !== runs(after)) unseenMs += untilMs - fromMs;
      else if (!runs(after)) unseenMs += Math.max(0, untilMs - fromMs - minuteMs);
      if (random.chance(0.3)) {
        // Requests, some of them while nobody knows better; what is known in between is written, or the box dies with it.
        const midMs = fromMs + random.below(untilMs - fromMs);
        now.meter.began(fromMs);
        now.meter.ended(nothingDone, midMs);
        if (random.chance(0.5)) now = counted(said, now.pieces(), lookedAtMs);
      }
      now.looks(after, untilMs);
      [said, lookedAtMs] = [after, untilMs];
      const burn = now.burn();
      const total = paidNanos(burn);
      expect(total, `seed ${seed}`).toBeGreaterThanOrEqual(paid);
      paid = total;
      expect(burn.usedNanos).toBeLessThanOrEqual(burn.gpuNanos + burn.storageNanos);
      expect(burn.unknownMs).toBeLessThanOrEqual(burn.runningMs);
      expect(burn.runningMs + burn.stoppedMs).toBe(untilMs - startMs);
      const trueNanos = (rates.gpuPerHourNanos * trueMs) / hourMs;
      // A nano-USD is carried, or lost with a box that dies.
      expect(burn.gpuNanos, `seed ${seed}`).toBeGreaterThan(trueNanos - gaps.length);
      const mostNanos = (rates.gpuPerHourNanos * (trueMs + unseenMs)) / hourMs;
      expect(burn.gpuNanos, `seed ${seed}`).toBeLessThan(mostNanos + 1);
    }
    for (const { fromMs, untilMs } of now.pieces()) {
      expect(Math.floor(fromMs / (15 * minuteMs))).toBe(Math.floor((untilMs - 1) / (15 * minuteMs)));
    }
  }
});
