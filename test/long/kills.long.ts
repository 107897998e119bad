import { expect, test } from "vitest";
import { killLoop } from "../support/kill-loop.ts";

test("S-30 a hundred kills of fifty requests each", async () => {
  const { seenWhole, rowsOf, statuses, longestStartMs } = await killLoop(100, 10);
  expect(seenWhole.filter((id) => rowsOf.get(id) !== 1)).toEqual([]);
  expect([...rowsOf].filter(([, rows]) => rows !== 1)).toEqual([]);
  expect(statuses.has("open")).toBe(false);
  expect(longestStartMs).toBeLessThan(25_000);
});
