/** The rules of a lease, in random stories. `lease-faults.test.ts` of the rental room has the cases by name. */
import { expect, test } from "vitest";
import { full } from "../../../support/full.ts";
import { leaseStory } from "../../../support/rental/lease-story.ts";

const stories = full ? 20_000 : 600;

test(`${stories} random stories: never two instances, none forgotten, every wanted end reached`, () => {
  const states = new Set<string>();
  let orders = 0;
  for (let seed = 1; seed <= stories; seed += 1) {
    try {
      const figures = leaseStory(seed, 60);
      for (const state of figures.states) states.add(state);
      orders += figures.orders;
    } catch (error) {
      throw new Error(`seed ${seed}`, { cause: error });
    }
  }
  expect([...states].sort()).toEqual([
    "destroying",
    "ended",
    "intended",
    "interrupted",
    "ready",
    "starting",
    "stopped",
    "stopping",
  ]);
  expect(orders).toBeGreaterThan(stories);
});
