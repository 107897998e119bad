/** What a request saved, cause by cause; the causes add up to the difference, whatever their signs. */
import { describe, expect, test } from "vitest";
import { seeded } from "../../../support/random.ts";
import { priceBook } from "../../../../server/domain/pricing/book/index.ts";
import { createPricing } from "../../../../server/domain/pricing/price-list.ts";
import { overrideRow } from "../../../../server/domain/pricing/override.ts";
import { adviceOf } from "../../../../server/domain/savings/advice.ts";
import {
  type Baseline,
  type ComparedAttempt,
  type ComparedRequest,
  compare,
} from "../../../../server/domain/savings/causes.ts";
import { forecastOf } from "../../../../server/domain/savings/forecast.ts";
import { addSavings, noUse, nothingSaved, savingsOf, withIdle } from "../../../../server/domain/savings/sum.ts";

const setting = { provider: "ours", prompt: "2", completion: "10", cached: "0.2", batchAtHalf: true };
const pricing = createPricing({
  book: priceBook,
  overrides: [
    // Half the price from the 15th on.
    overrideRow({ ...setting, model: "large", until: "2026-10-15" }),
    overrideRow({ ...setting, model: "large", prompt: "1", completion: "5", from: "2026-10-15" }),
    overrideRow({ ...setting, model: "small", prompt: "0.5", completion: "2", cached: "0.05" }),
  ],
  worstCase: { prompt: 0, completion: 0 },
});
const baseline: Baseline = { provider: "ours", model: "large", cacheHits: "none" };
const before = Date.UTC(2026, 9, 10);
const after = Date.UTC(2026, 9, 20);

const usage = { promptTokens: 1_000, cachedTokens: 0, completionTokens: 100, reasoningTokens: 0 };
function attempt(change: Partial<ComparedAttempt> = {}): ComparedAttempt {
  return {
    ...{ provider: null, model: null, target: "engine/m", reason: "first", status: "done", usage, keptUsage: null },
    ...{ serviceTier: "standard", costNanos: 40_000 },
    ...change,
  };
}
const atProvider = (change: Partial<ComparedAttempt> = {}) =>
  attempt({ provider: "ours", model: "small", target: "ours/small", costNanos: 700_000, ...change });
function request(attempts: readonly ComparedAttempt[], change: Partial<ComparedRequest> = {}): ComparedRequest {
  return { startedAtMs: before, status: "done", isCopy: false, attempts, ...change };
}

describe("one request", () => {
  test("answered here, at the baseline's price of its day", () => {
    // 1,000 × $2 + 100 × $10, per million: $0.003.
    expect(compare(request([attempt()]), baseline, pricing)).toEqual({
      ...{ kind: "compared", baselineNanos: 3_000_000, actualNanos: 40_000, by: { local: 2_960_000 } },
    });
    const later = compare(request([attempt()], { startedAtMs: after }), baseline, pricing);
    expect(later).toMatchObject({ baselineNanos: 1_500_000, by: { local: 1_460_000 } });
  });

  test("answered by a provider: a cheaper target, its cache, its batch price, and what it billed beside", () => {
    const cached = { ...usage, cachedTokens: 600 };
    // At small: 1,000 × 0.5 + 100 × 2 = 700,000; with the cache 400 × 0.5 + 600 × 0.05 + 200 = 430,000; as a batch 215,000.
    const found = compare(
      request([atProvider({ usage: cached, serviceTier: "batch", costNanos: 216_000 })]),
      baseline,
      pricing,
    );
    expect(found).toEqual({
      ...{ kind: "compared", baselineNanos: 3_000_000, actualNanos: 216_000 },
      by: { routing: 2_300_000, promptCache: 270_000, tier: 215_000, billing: -1_000 },
    });
  });

  test("with the same cache hits assumed, the cache has saved nothing beside", () => {
    const cached = { ...usage, cachedTokens: 600 };
    const same: Baseline = { ...baseline, cacheHits: "same" };
    // 400 × 2 + 600 × 0.2 + 100 × 10.
    const found = compare(request([atProvider({ usage: cached, costNanos: 430_000 })]), same, pricing);
    expect(found).toMatchObject({ baselineNanos: 1_920_000, by: { routing: 1_490_000, promptCache: 0 } });
  });

  test("a dearer target, a retry and a draft are losses", () => {
    const dear = atProvider({ model: "large", target: "ours/large", costNanos: 3_000_000 });
    const cheap: Baseline = { ...baseline, model: "small" };
    const tries = [attempt({ reason: "draft" }), atProvider({ status: "failed", costNanos: 5_000 }), dear];
    expect(compare(request(tries), cheap, pricing)).toEqual({
      ...{ kind: "compared", baselineNanos: 700_000, actualNanos: 3_045_000 },
      by: { routing: -2_300_000, promptCache: 0, tier: 0, billing: 0, extra: -45_000 },
    });
  });

  test("a judge is asked last and has not answered", () => {
    const tries = [
      attempt({ reason: "voter" }),
      attempt({ reason: "judge", usage: { ...usage, completionTokens: 1 }, costNanos: 10_000 }),
    ];
    expect(compare(request(tries), baseline, pricing)).toMatchObject({
      ...{ baselineNanos: 3_000_000, by: { local: 2_960_000, extra: -10_000 } },
    });
  });

  test("given again, it saved what it had used when it was computed", () => {
    const nothing = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
    const kept = { target: "cache/m", usage: nothing, costNanos: 0 };
    const found = request([attempt({ ...kept, keptUsage: { promptTokens: 1_000, completionTokens: 100 } })]);
    expect(compare(found, baseline, pricing)).toMatchObject({ by: { answerCache: 3_000_000 } });
    expect(compare(request([attempt(kept)]), baseline, pricing)).toMatchObject({ kind: "unknown", why: "no_baseline" });
  });

  test("nobody got an answer: what it cost is lost, and the baseline is not charged", () => {
    const failed = request([atProvider({ status: "failed", costNanos: 9_000 })], { status: "failed" });
    const copy = request([atProvider()], { isCopy: true });
    const left = request([attempt({ status: "aborted" })], { status: "aborted" });
    expect(compare(failed, baseline, pricing)).toMatchObject({ baselineNanos: 0, by: { extra: -9_000 } });
    expect(compare(copy, baseline, pricing)).toMatchObject({ baselineNanos: 0, by: { extra: -700_000 } });
    // Who leaves in the middle is billed for what there was anywhere.
    expect(compare(left, baseline, pricing)).toMatchObject({ baselineNanos: 3_000_000, by: { local: 2_960_000 } });
  });

  test("without a price it is unknown, and never saved", () => {
    const unknown = { kind: "unknown", why: "no_cost", knownNanos: 700_000 };
    expect(compare(request([atProvider(), attempt({ costNanos: null })]), baseline, pricing)).toEqual(unknown);
    const nobody: Baseline = { ...baseline, model: "huge" };
    expect(compare(request([atProvider()]), nobody, pricing)).toEqual({ ...unknown, why: "no_baseline" });
    // What was paid is known, and not of what it is made up: all of it is the target's.
    const other = atProvider({ provider: "new", model: "x", costNanos: 1_000_000 });
    expect(compare(request([other]), baseline, pricing)).toMatchObject({ by: { routing: 2_000_000 } });
  });
});

test("many requests: sums agree with their causes, idle power is a loss of its own", () => {
  const some = [
    request([attempt()]),
    request([atProvider()]),
    request([attempt({ costNanos: null })]),
    request([attempt({ reason: "draft" }), atProvider()], { startedAtMs: after }),
  ];
  const sum = withIdle(
    some.map((one) => savingsOf(compare(one, baseline, pricing))).reduce(addSavings, nothingSaved),
    9_000_000,
  );
  expect(sum).toMatchObject({ requests: 3, unknown: { requests: 1, noCost: 1, noBaseline: 0, knownNanos: 0 } });
  expect(sum.by.idle).toBe(-9_000_000);
  const parts = Object.values(sum.by).reduce((left, right) => left + right, 0);
  expect(parts).toBe(sum.baselineNanos - sum.actualNanos);
  expect(parts).toBeLessThan(0);
});

test("advice needs a task that has passed here", () => {
  const away = { away: 3, awayTokens: 3_000, awayNanos: 9_000 };
  const tasks = {
    passed: { ...noUse, ...away, local: 9, localBad: 1, localTokens: 10_000, localNanos: 500 },
    unpriced: { ...noUse, ...away, local: 5, awayNanos: 8_000 },
    few: { ...noUse, ...away, local: 4 },
    bad: { ...noUse, ...away, local: 8, localBad: 1 },
    here: { ...noUse, local: 50 },
  };
  expect(adviceOf(tasks)).toEqual([
    { task: "passed", requests: 3, paidNanos: 9_000, localNanos: 150, answeredHere: 9 },
    { task: "unpriced", requests: 3, paidNanos: 8_000, localNanos: null, answeredHere: 5 },
  ]);
});

describe("the forecast", () => {
  /** Two whole weeks: 10 on weekdays, 2 at the weekend. 2026-11-02 is a Monday. */
  const before = Array.from({ length: 14 }, (_, index) => ({
    ...{ day: `2026-11-${String(index + 2).padStart(2, "0")}`, nanos: index % 7 < 5 ? 10 : 2 },
  }));

  test("takes each day to come at the mean of its weekday", () => {
    const found = forecastOf({
      ...{ spentNanos: 124, before, today: "2026-11-16", leftOfToday: 0.5 },
      toCome: ["2026-11-17", "2026-11-21", "2026-11-22"],
    });
    // Half a Monday, a Tuesday, a Saturday and a Sunday; days that are all as their weekday leave no doubt.
    expect(found).toMatchObject({ expectedNanos: 124 + 5 + 10 + 2 + 2, lowNanos: 143, highNanos: 143, days: 14 });
  });

  test("is as unsure as the days were different, and never below what is spent", () => {
    const wild = before.map(({ day }, index) => ({ day, nanos: index < 7 ? 0 : 1_000 }));
    const { lowNanos, expectedNanos, highNanos } = forecastOf({
      ...{ spentNanos: 7_000, before: wild, today: "2026-11-16", leftOfToday: 0, toCome: ["2026-11-17"] },
    });
    // Each day is 500 off its weekday's mean, and 14 days less 7 means leave 7 to judge by: a variance of 14 × 500² / 7. The day to come
    // has it once for itself and half of it for a mean of two: √(500,000 × 1.5) × 1.415 = 1,225.4, more than the 500 themselves.
    expect({ lowNanos, expectedNanos, highNanos }).toEqual({ lowNanos: 7_000, expectedNanos: 7_500, highNanos: 8_725 });
  });

  test.each([7, 14, 24])("of %i days to come holds what they come to in four of five months", (toCome) => {
    const random = seeded(toCome);
    const dayAt = (index: number) => new Date(Date.UTC(2026, 10, 2 + index)).toISOString().slice(0, 10);
    // Office days and weekends, each off by up to 6 throws of a die of its own.
    const spent = (index: number) => {
      const own = [1, 2, 3, 4, 5, 6].reduce((sum) => sum + random.number() - 0.5, 0);
      return Math.round((index % 7 < 5 ? 10_000 : 6_000) + 1_500 * own);
    };
    const months = 2_000;
    let inside = 0;
    for (let month = 0; month < months; month += 1) {
      const days = Array.from({ length: 28 + toCome }, (_, index) => ({ day: dayAt(index), nanos: spent(index) }));
      const later = days.slice(28);
      const found = forecastOf({
        ...{ spentNanos: 0, before: days.slice(0, 28), today: dayAt(27), leftOfToday: 0 },
        toCome: later.map(({ day }) => day),
      });
      const really = later.reduce((sum, { nanos }) => sum + nanos, 0);
      if (really >= (found.lowNanos ?? 0) && really <= (found.highNanos ?? 0)) inside += 1;
    }
    // Four deviations of so many throws of a coin that falls well four times of five.
    expect(Math.abs(inside / months - 0.8)).toBeLessThan(4 * Math.sqrt(0.16 / months));
  });

  test("says nothing on fewer than seven days", () => {
    const facts = { spentNanos: 5, before: before.slice(0, 6), today: "2026-11-08", leftOfToday: 0, toCome: [] };
    expect(forecastOf(facts)).toMatchObject({ spentNanos: 5, expectedNanos: null, lowNanos: null, highNanos: null });
  });
});
