/** What loads teach: a planted bias is found, an odd load does not turn everything, a promise is not lowered lightly. */
import { describe, expect, test } from "vitest";
import {
  correctionBounds,
  correctionsOf,
  type EngineBytes,
  type Learned,
  learn,
  noCorrections,
  nothingLearned,
} from "../../../../server/domain/fit/corrections.ts";
import { fitOf } from "../../../../server/domain/fit/fit.ts";
import { box3090, denseShape } from "../../../support/model-shapes.ts";

const estimated: EngineBytes = { weights: 4e9, kv: 5e8, compute: 3e8 };

function learntFrom(loads: number, bias: number, start: Learned = nothingLearned): Learned {
  let learned = start;
  for (let load = 0; load < loads; load += 1) {
    learned = learn(learned, estimated, { ...estimated, compute: estimated.compute * bias });
  }
  return learned;
}

describe("learning", () => {
  test("a planted bias of 20 % is used from the first load on, and only where it is", () => {
    expect(correctionsOf(learntFrom(1, 1.2))).toEqual({ weights: 1, kv: 1, compute: expect.closeTo(1.2, 10) });
    expect(correctionsOf(learntFrom(10, 1.2)).compute).toBeCloseTo(1.2, 3);
  });

  test("a verdict counts with it", () => {
    const shape = denseShape("Qwen2.5-Coder 7B");
    const wishes = { contextLength: 8_192, slots: 1, kv: "f16", batchSize: 512 } as const;
    const plain = fitOf(shape, box3090, wishes);
    const corrected = fitOf(shape, box3090, wishes, correctionsOf(learntFrom(3, 1.2)));
    expect(corrected.bytes.kv).toBe(plain.bytes.kv);
    expect(corrected.bytes.compute / plain.bytes.compute).toBeCloseTo(1.2, 1);
  });

  test("a promise becomes smaller only after three loads that agree", () => {
    expect(correctionsOf(learntFrom(2, 0.9)).compute).toBe(1);
    expect(correctionsOf(learntFrom(3, 0.9)).compute).toBeCloseTo(0.9, 3);
  });

  test("whatever is measured, a factor stays within its bounds", () => {
    for (const bias of [1e-9, 0.01, 3, 1e9]) {
      const { compute } = correctionsOf(learntFrom(20, bias));
      expect(compute).toBeGreaterThanOrEqual(correctionBounds.least);
      expect(compute).toBeLessThanOrEqual(correctionBounds.most);
    }
  });

  test("after a change it follows the new figures within a few loads", () => {
    const changed = learntFrom(6, 1, learntFrom(5, 1.4));
    expect(Math.abs(correctionsOf(changed).compute - 1)).toBeLessThan(0.01);
  });

  test("figures that are missing or nonsense teach nothing", () => {
    for (const odd of [0, -1, Number.NaN]) {
      const learned = learn(nothingLearned, estimated, { weights: odd, kv: odd, compute: odd });
      expect(correctionsOf(learned)).toEqual(noCorrections);
    }
  });
});
