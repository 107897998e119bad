import { expect, test } from "vitest";
import { unitVector } from "../../../../server/backends/engine/unit-vector.ts";

test("vectors get length 1, cut ones too; zeros stay zeros", () => {
  expect([...unitVector(Float32Array.of(3, 4))]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
  expect([...unitVector(Float32Array.of(3, 4, 12), 2)]).toEqual([Math.fround(0.6), Math.fround(0.8)]);
  expect([...unitVector(Float32Array.of(0, 0))]).toEqual([0, 0]);
});
