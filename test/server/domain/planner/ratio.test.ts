/** Exact fractions: what floats get wrong, and the one rounding. */
import { expect, test } from "vitest";
import {
  ceilingOf,
  floorOf,
  minus,
  nanosOf,
  numberOf,
  over,
  plus,
  ratio,
  roundedTo,
  times,
  usd,
} from "../../../../server/domain/planner/ratio.ts";

test("decimals are what is written, not what a float holds", () => {
  expect(plus(ratio(0.1), ratio(0.2))).toEqual(ratio(0.3));
  expect(ratio(0.526)).toEqual(ratio(526, 1000));
  expect(ratio(1e-7)).toEqual(ratio(1, 10_000_000));
  expect(ratio(-2, -4)).toEqual(ratio(1, 2));
  expect(over(minus(ratio(1), ratio(3)), ratio(4))).toEqual(ratio(-1, 2));
});

test("down, up and half up, below zero as well", () => {
  expect([floorOf(ratio(-1, 2)), ceilingOf(ratio(-1, 2)), floorOf(ratio(7, 2)), ceilingOf(ratio(7, 2))]).toEqual([
    -1n,
    0n,
    3n,
    4n,
  ]);
  expect(roundedTo(ratio(474.5), ratio(1))).toEqual(ratio(475));
  expect(nanosOf(ratio(5, 10))).toBe(1);
  expect(nanosOf(times(usd(0.752), ratio(730)))).toBe(548_960_000_000);
});

test("nothing, and more than safe integers hold, are refused", () => {
  expect(() => ratio(1, 0)).toThrow(RangeError);
  expect(() => ratio(Number.NaN)).toThrow(RangeError);
  expect(() => nanosOf(usd(9_100_000))).toThrow(/nine million/u);
  expect(numberOf(ratio(1, 3))).toBeCloseTo(1 / 3, 15);
});
