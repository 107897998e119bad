import { describe, expect, test } from "vitest";
import { averageOf, measured, nothingMeasured } from "../../../../server/domain/routing/decayed.ts";
import { type StrategyId, strategies } from "../../../../server/domain/routing/strategies/index.ts";
import type { StrategyFacts } from "../../../../server/domain/routing/strategies/strategy.ts";
import { type Candidate, targetName } from "../../../../server/domain/routing/target.ts";
import { seeded } from "../../../support/random.ts";
import { candidate } from "../../../support/routing-facts.ts";

const facts: StrategyFacts = { random: 0, turn: 0, prefer: [] };

function order(id: StrategyId, candidates: readonly Candidate[], more: Partial<StrategyFacts> = {}) {
  return strategies[id].order(candidates, { ...facts, ...more }).map((placed) => targetName(placed.candidate.target));
}

describe("weighted", () => {
  const three = [candidate("a/m", { weight: 6 }), candidate("b/m", { weight: 3 }), candidate("c/m", { weight: 1 })];

  test("each is first as often as its weight says, and second as often as what is left says", () => {
    const random = seeded(7);
    const draws = 20_000;
    const first = new Map<string, number>();
    let secondAfterA = 0;
    for (let index = 0; index < draws; index += 1) {
      const [one = "", two] = order("weighted", three, { random: random.number() });
      first.set(one, (first.get(one) ?? 0) + 1);
      if (one === "a/m" && two === "b/m") secondAfterA += 1;
    }
    // Five standard deviations of 20,000 draws are below 0.018.
    expect((first.get("a/m") ?? 0) / draws).toBeCloseTo(0.6, 1);
    expect(Math.abs((first.get("a/m") ?? 0) / draws - 0.6)).toBeLessThan(0.018);
    expect(Math.abs((first.get("b/m") ?? 0) / draws - 0.3)).toBeLessThan(0.018);
    expect(Math.abs((first.get("c/m") ?? 0) / draws - 0.1)).toBeLessThan(0.018);
    expect(Math.abs(secondAfterA / (first.get("a/m") ?? 1) - 0.75)).toBeLessThan(0.025);
  });

  test("a target without weight is last, and is there", () => {
    const withNone = [candidate("a/m", { weight: 0 }), ...three];
    for (const random of [0, 0.3, 0.999_999]) expect(order("weighted", withNone, { random }).at(-1)).toBe("a/m");
  });
});

test("round robin: over one round each is first once", () => {
  const three = ["a/m", "b/m", "c/m"].map((name) => candidate(name));
  expect([0, 1, 2, 3].map((turn) => order("round-robin", three, { turn })[0])).toEqual(["a/m", "b/m", "c/m", "a/m"]);
  expect(order("round-robin", three, { turn: 1 })).toEqual(["b/m", "c/m", "a/m"]);
});

test("least busy: the fewest requests first, equals as they are written", () => {
  const three = [
    candidate("a/m", { inFlight: 2 }),
    candidate("b/m", { inFlight: 1 }),
    candidate("c/m", { inFlight: 1 }),
  ];
  expect(order("least-busy", three)).toEqual(["b/m", "c/m", "a/m"]);
});

describe("lowest latency", () => {
  test("the fastest first; what is not measured is tried before, by one request at a time", () => {
    const slow = candidate("a/m", { ttftMs: 900, totalMs: 1_000 });
    const fast = candidate("b/m", { ttftMs: 100, totalMs: 2_000 });
    expect(order("lowest-latency", [slow, fast])).toEqual(["b/m", "a/m"]);
    expect(order("lowest-total-latency", [slow, fast])).toEqual(["a/m", "b/m"]);
    expect(order("lowest-latency", [slow, fast, candidate("c/m")])).toEqual(["c/m", "b/m", "a/m"]);
    expect(order("lowest-latency", [slow, fast, candidate("c/m", { inFlight: 1 })])).toEqual(["b/m", "a/m", "c/m"]);
  });

  test("old measurements count less, and after a while not at all", () => {
    const minute = 60_000;
    let average = measured(nothingMeasured, 100, 0);
    for (let index = 1; index < 50; index += 1) average = measured(average, 100, index);
    expect(averageOf(average, 50)).toBeCloseTo(100, 6);
    average = measured(measured(measured(average, 900, 20 * minute), 900, 20 * minute), 900, 20 * minute);
    expect(averageOf(average, 20 * minute)).toBeGreaterThan(700);
    expect(averageOf(average, 21 * minute)).not.toBeNull();
    expect(averageOf(average, 90 * minute)).toBeNull();
    expect(averageOf(nothingMeasured, 0)).toBeNull();
  });
});

test("lowest cost: an unknown price is never taken for a low one", () => {
  const three = [candidate("a/m"), candidate("b/m", { expectedNanos: 900 }), candidate("c/m", { expectedNanos: 100 })];
  expect(order("lowest-cost", three)).toEqual(["c/m", "b/m", "a/m"]);
  expect(order("lowest-cost", [...three, candidate("engine/m", { expectedNanos: 0 })])[0]).toBe("engine/m");
});

test("local first: this box, then its peers, then the cloud", () => {
  const all = ["a/m", "peer/m", "engine/m", "b/m"].map((name) => candidate(name));
  expect(order("local-first", all)).toEqual(["engine/m", "peer/m", "a/m", "b/m"]);
});

test("region: the most wanted first, what is nowhere last", () => {
  const all = [candidate("a/m"), candidate("b/m", { region: "us" }), candidate("c/m", { region: "eu" })];
  expect(order("region", all, { prefer: ["eu", "us"] })).toEqual(["c/m", "b/m", "a/m"]);
});
