import { expect, test } from "vitest";
import { race } from "../support/race/race.ts";

test("S-30 a hundred kills while everybody spends: rows, budgets, summary and CSV agree, and every limit held", async () => {
  const result = await race({
    ...{ keys: 4, parallel: 20, limit: "10.00", requests: 5_000, kills: 100, seed: 30, overruns: true },
  });
  expect(result.problems).toEqual([]);
  expect(result.interruptedRows).toBeGreaterThan(0);
  expect(result.kills).toBe(100);
});

test.each([1, 2, 3])("S-28 the race with seed %d", async (seed) => {
  const wishes = { keys: 4, parallel: 100, limit: "1.00", requests: 1_200, kills: 2, seed, overruns: true };
  expect((await race(wishes)).problems).toEqual([]);
});
