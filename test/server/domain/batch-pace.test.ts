/** How many lines of batches go at once, and how long one that met something passing waits. */
import { expect, test } from "vitest";
import { linesAtOnce, pauseMs } from "../../../server/domain/batch-pace.ts";

test.each([
  ["nobody else asks", { most: 4, interactive: 0, waiting: 0 }, 4],
  ["somebody asks", { most: 4, interactive: 3, waiting: 0 }, 1],
  ["somebody waits for a slot", { most: 4, interactive: 3, waiting: 1 }, 0],
  ["a line waits for a slot: more would wait too", { most: 4, interactive: 0, waiting: 1 }, 0],
])("%s", (_name, facts, lines) => {
  expect(linesAtOnce(facts)).toBe(lines);
});

test("pauses double and have an end", () => {
  expect([1, 2, 3].map((tries) => pauseMs(5, tries))).toEqual([5_000, 10_000, 20_000]);
  expect(pauseMs(60, 9)).toBe(300_000);
});
