import { describe, expect, test } from "vitest";
import { expectedWaitsMs, remainingMs } from "../../../../server/domain/fairness/expected-wait.ts";
import { hasRoom } from "../../../../server/domain/fairness/line-room.ts";

const room = (caller: string, waiting: Readonly<Record<string, number>>, bound = 8, freeSlots = 0) =>
  hasRoom({ caller, waiting: new Map(Object.entries(waiting)), bound, freeSlots });

describe("room in the line", () => {
  test("one caller alone may take every place, and the free slots besides", () => {
    expect(room("a", { a: 7 })).toBe(true);
    expect(room("a", { a: 8 })).toBe(false);
    expect(room("a", { a: 9 }, 8, 2)).toBe(true);
    expect(room("a", {}, 0)).toBe(false);
  });

  test("beside others it may take half", () => {
    expect(room("a", { a: 3, b: 1 })).toBe(true);
    expect(room("a", { a: 4, b: 1 })).toBe(false);
  });

  test("what somebody holds past half takes no place from the others", () => {
    expect(room("b", { a: 8 })).toBe(true);
    expect(room("b", { a: 8, b: 3 })).toBe(true);
    expect(room("b", { a: 8, b: 4 })).toBe(false);
    expect(room("c", { a: 8, b: 4 })).toBe(false);
  });

  test("is never for more than one and a half times the bound", () => {
    for (let bound = 1; bound <= 40; bound += 1) {
      const counts = new Map<string, number>();
      // One caller fills the line alone, then twenty others try.
      for (const caller of ["first", ...Array.from({ length: 20 }, (_, at) => `other ${at}`)]) {
        while (hasRoom({ caller, waiting: counts, bound, freeSlots: 0 }))
          counts.set(caller, (counts.get(caller) ?? 0) + 1);
      }
      const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
      expect(total).toBeLessThanOrEqual(Math.ceil(bound * 1.5));
      expect(counts.get("first")).toBe(bound);
    }
  });
});

describe("the expected wait", () => {
  test("is until a slot is free, one after the other", () => {
    expect(expectedWaitsMs([300, 100], [1_000, 50, 1_000])).toEqual([100, 300, 350]);
    expect(expectedWaitsMs([0, 500], [1_000, 1_000])).toEqual([0, 500]);
  });

  test("an answer that takes longer than usual is not expected to end at once", () => {
    expect(remainingMs(1_000, 400)).toBe(600);
    expect(remainingMs(1_000, 5_000)).toBe(250);
  });
});
