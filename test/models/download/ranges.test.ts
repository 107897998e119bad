/** Which bytes are there and which parts are asked for. */
import { describe, expect, test } from "vitest";
import { partBytesFor, planParts, RangeSet } from "../../../models/download/ranges.ts";
import { seeded } from "../../support/random.ts";

const mebibyte = 1 << 20;

describe("ranges", () => {
  test("touching and overlapping ranges become one, and only new bytes are counted", () => {
    const there = new RangeSet();
    expect(there.add(0, 10)).toBe(10);
    expect(there.add(20, 30)).toBe(10);
    expect(there.add(10, 20)).toBe(10);
    expect(there.ranges).toEqual([{ start: 0, end: 30 }]);
    expect(there.add(25, 40)).toBe(10);
    expect(there.add(5, 35)).toBe(0);
    expect(there.add(7, 7)).toBe(0);
    expect(there.bytes).toBe(40);
  });

  test("the frontier is where hashing may go", () => {
    const there = new RangeSet();
    there.add(10, 20);
    expect(there.frontier).toBe(0);
    there.add(0, 5);
    expect(there.frontier).toBe(5);
    there.add(5, 10);
    expect(there.frontier).toBe(20);
  });

  test("what is missing, of the file and of a part of it", () => {
    const there = new RangeSet();
    there.add(10, 20);
    there.add(40, 50);
    expect(there.missing(60)).toEqual([
      { start: 0, end: 10 },
      { start: 20, end: 40 },
      { start: 50, end: 60 },
    ]);
    expect(there.missing(45, 15)).toEqual([{ start: 20, end: 40 }]);
    expect(there.missing(20, 10)).toEqual([]);
    there.clip(45);
    expect(there.bytes).toBe(15);
  });

  test("any order of additions agrees with a plain bit per byte", () => {
    const random = seeded(7);
    for (let round = 0; round < 50; round += 1) {
      const there = new RangeSet();
      const bits = new Array<boolean>(64).fill(false);
      for (let step = 0; step < 12; step += 1) {
        const start = random.below(64);
        const end = Math.min(64, start + random.below(16));
        const fresh = bits.slice(start, end).filter((bit) => !bit).length;
        expect(there.add(start, end)).toBe(fresh);
        bits.fill(true, start, end);
        const missing = new Array<boolean>(64).fill(true);
        for (const gap of there.missing(64)) missing.fill(false, gap.start, gap.end);
        expect(missing).toEqual(bits);
        expect(there.bytes).toBe(bits.filter((bit) => bit).length);
      }
    }
  });
});

describe("parts", () => {
  test.each([
    ["a small file in parts of 8 MiB", 200 * mebibyte, 8 * mebibyte],
    ["a large one in 64", 2048 * mebibyte, 32 * mebibyte],
    ["a huge one in parts of 64 MiB", 20_000 * mebibyte, 64 * mebibyte],
  ])("%s", (_name, fileBytes, expected) => {
    expect(partBytesFor(fileBytes)).toBe(expected);
  });

  test("from the beginning on, and never what is there", () => {
    const there = new RangeSet();
    there.add(10, 25);
    expect(planParts(there, 40, 10)).toEqual([
      { start: 0, end: 10 },
      { start: 25, end: 35 },
      { start: 35, end: 40 },
    ]);
  });
});
