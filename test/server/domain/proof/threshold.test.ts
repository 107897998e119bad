/** Thresholds from drafts whose rightness is known; figures of evaluations. */
import { describe, expect, test } from "vitest";
import { wrongness } from "../../../../server/domain/proof/check.ts";
import { evaluationOf } from "../../../../server/domain/proof/evaluation.ts";
import { percentile, wilson } from "../../../../server/domain/proof/statistics.ts";
import { bestThreshold, type Sample } from "../../../../server/domain/proof/threshold.ts";
import { confidenceOf } from "../../../../server/domain/routing/modes/confidence.ts";
import { seeded } from "../../../support/random.ts";

describe("a threshold on a planted set", () => {
  /** Sure drafts are right with a chance that is their confidence, so the least cost is known. */
  const drafts = (count: number): readonly Sample[] => {
    const seed = seeded(7);
    const random = () => seed.number();
    return Array.from({ length: count }, () => {
      const logprob = Math.log(random());
      const confidence = confidenceOf([logprob, logprob, logprob])?.value ?? null;
      return { confidence, isRight: random() < (confidence ?? 0) };
    });
  };

  test("for a precision is where the planted boundary lies, within 2 %", () => {
    const samples = Array.from({ length: 500 }, (_, index): Sample => {
      const confidence = confidenceOf(Array(5).fill(Math.log((index + 0.5) / 500)))?.value ?? 0;
      return { confidence, isRight: confidence >= 0.7 };
    });
    const best = bestThreshold(samples, { precision: 1 });
    expect(Math.abs((best?.threshold ?? 0) - 0.7)).toBeLessThan(0.02 * 0.7);
    expect(best).toMatchObject({ acceptedShare: 0.3, precision: 1, cost: null });
  });

  test("costs within 2 % of the best that was planted", () => {
    const samples = drafts(20_000);
    const aim = { escalationCosts: 1, wrongCosts: 4 };
    // Giving pays where 4 × (1 - confidence) is less than 1.
    const planted = 0.75;
    const costAt = (threshold: number) =>
      samples.reduce((sum, one) => sum + ((one.confidence ?? 0) >= threshold ? (one.isRight ? 0 : 4) : 1), 0) /
      samples.length;
    const best = bestThreshold(samples, aim);
    expect(best?.cost).toBeCloseTo(costAt(best?.threshold ?? 0), 9);
    expect(best?.cost ?? 9).toBeLessThanOrEqual(costAt(planted));
    expect(best?.cost ?? 0).toBeGreaterThan(costAt(planted) * 0.98);
  });

  test("is none where no draft is good enough, and drafts without a confidence are never given", () => {
    expect(bestThreshold([{ confidence: 0.9, isRight: false }], { precision: 0.9 })).toBeNull();
    expect(bestThreshold([{ confidence: null, isRight: true }], { precision: 0.9 })).toBeNull();
    expect(bestThreshold([{ confidence: 0.9, isRight: false }], { escalationCosts: 1, wrongCosts: 5 })).toBeNull();
  });
});

describe("confidence", () => {
  test("is that of the tokens, and less where a run of them is weak", () => {
    const sure = Array(40).fill(Math.log(0.9));
    expect(confidenceOf(sure)?.value).toBeCloseTo(0.9, 9);
    const guessed = [...sure.slice(0, 20), ...Array(8).fill(Math.log(0.1)), ...sure.slice(28)];
    const weak = confidenceOf(guessed);
    expect(weak?.weakest).toBeCloseTo(0.1, 9);
    expect(weak?.value).toBeLessThan(weak?.mean ?? 0);
  });

  test("bears what backends write for impossible tokens, and none where there are no tokens", () => {
    expect(confidenceOf([])).toBeNull();
    expect(confidenceOf([-Infinity, -9999, 0.1])?.value).toBeGreaterThanOrEqual(0);
    expect(confidenceOf([0.0000001])?.value).toBe(1);
  });
});

test("Wilson's interval at 95 % and percentiles are the known figures", () => {
  const { low, high } = wilson(8, 10);
  expect([low, high].map((one) => one.toFixed(4))).toEqual(["0.4902", "0.9433"]);
  expect(wilson(0, 10).low).toBe(0);
  expect(wilson(0, 0)).toEqual({ low: 0, high: 1 });
  expect(percentile([5, 1, 4, 2, 3], 0.5)).toBe(3);
  expect(percentile([5, 1, 4, 2, 3], 0.95)).toBe(5);
  expect(percentile([], 0.5)).toBeNull();
});

test("a right answer pays for the wrong ones too; one unknown cost makes it unknown", () => {
  const outcome = { durationMs: 10, costNanos: 100, knownNanos: 100 };
  const wrong = { ...outcome, why: "another answer" };
  expect(evaluationOf("a", [{ ...outcome, why: null }, wrong, wrong])).toMatchObject({
    passed: 1,
    costPerSuccessNanos: 300,
    failures: [{ why: "another answer", count: 2 }],
  });
  expect(evaluationOf("a", [{ ...outcome, why: null, costNanos: null }])).toMatchObject({ costPerSuccessNanos: null });
});

test.each([
  ["Four. ", { exact: "four" }, null],
  ['{"b":1,"a":2}', { exact: '{"a":2,"b":1}' }, null],
  ["five", { exact: "four" }, "another answer"],
  ["it is 42", { regex: "\\b42\\b" }, null],
  ['{"n":1}', { schema: { type: "object", required: ["n"], properties: { n: { type: "integer" } } } }, null],
  ['{"n":"1"}', { schema: { type: "object", properties: { n: { type: "integer" } } } }, "n: is no integer"],
  ["one", { schema: { type: "object" } }, "no JSON"],
])("%s judged by %o", (answer, check, why) => {
  expect(wrongness(answer, check)).toBe(why);
});

test("a schema with a keyword that is not judged is refused, not waved through", () => {
  expect(() => wrongness("{}", { schema: { anyOf: [] } })).toThrow('"anyOf"');
});
