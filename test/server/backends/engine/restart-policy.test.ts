import { expect, test } from "vitest";
import { afterCrash } from "../../../../server/backends/engine/restart-policy.ts";

test("restarts wait longer each time, and stop after the fifth crash in five minutes", () => {
  const crashes: number[] = [];
  const decisions = [0, 1_000, 2_000, 3_000, 4_000].map((at) => {
    crashes.push(at);
    return afterCrash(crashes, at);
  });
  expect(decisions).toEqual([
    { type: "restart", afterMs: 250 },
    { type: "restart", afterMs: 500 },
    { type: "restart", afterMs: 1_000 },
    { type: "restart", afterMs: 2_000 },
    { type: "give-up", retryAfterMs: 300_000 },
  ]);
});

test("an old crash is forgotten", () => {
  expect(afterCrash([0, 400_000], 400_000)).toEqual({ type: "restart", afterMs: 250 });
});
