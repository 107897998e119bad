/** Budgets over a server that is killed in the middle: the race, small. `npm run race` and `npm run test:long` run it large. */
import { expect, test } from "vitest";
import { race } from "../support/race/race.ts";

test("S-28 spent and held stay within the limits, and no reservation outlives a kill", async () => {
  const wishes = { keys: 2, parallel: 16, limit: "0.15", requests: 70, kills: 1, seed: 28, overruns: true };
  const result = await race(wishes);
  expect(result.problems).toEqual([]);
  expect(result.upstreamHits).toBeGreaterThan(0);
  expect(result.maxSpentPlusHeld).toBeGreaterThan(0.05);
  expect(result.maxSpentPlusHeld).toBeLessThanOrEqual(result.limit);
});
