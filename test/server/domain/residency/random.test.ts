/** Random stories: whatever happens in whatever order, nobody in use is unloaded, memory holds, and everybody ends. */
import { expect, test } from "vitest";
import { residencyStory, type WorldFigures } from "../../../support/residency-world.ts";

test("S-20 two thousand random stories of 150 events keep every rule", () => {
  const sums: Record<keyof WorldFigures, number> = {
    asked: 0,
    served: 0,
    refused: 0,
    left: 0,
    loads: 0,
    pushedOut: 0,
  };
  for (let seed = 1; seed <= 2_000; seed += 1) {
    let figures: WorldFigures;
    try {
      figures = residencyStory(seed, 150);
    } catch (cause) {
      throw new Error(`story ${seed}`, { cause });
    }
    for (const name of Object.keys(sums) as (keyof WorldFigures)[]) sums[name] += figures[name];
  }
  expect(sums.served + sums.refused + sums.left).toBe(sums.asked);
  // The stories are about something: requests are served, and models push each other out.
  expect(sums.served).toBeGreaterThan(10_000);
  expect(sums.pushedOut).toBeGreaterThan(2_000);
  expect(sums.loads).toBeGreaterThan(sums.pushedOut);
});
