/** What every strategy promises, tried on each of them over random groups. A new one is tested by its line in the registry. */
import { describe, expect, test } from "vitest";
import { strategies } from "../../server/domain/routing/strategies/index.ts";
import type { StrategyFacts } from "../../server/domain/routing/strategies/strategy.ts";
import { type Candidate, targetName } from "../../server/domain/routing/target.ts";
import { seeded } from "../support/random.ts";
import { candidate } from "../support/routing-facts.ts";

const backends = ["engine", "peer", "a", "b"];

function someGroup(seed: number): { readonly candidates: readonly Candidate[]; readonly facts: StrategyFacts } {
  const random = seeded(seed);
  const maybe = <Value>(value: Value) => (random.chance(0.3) ? null : value);
  const candidates = Array.from({ length: random.below(6) }, (_, index) =>
    candidate(`${random.pick(backends)}/m${index}`, {
      inFlight: random.below(4),
      ttftMs: maybe(random.below(3) * 100),
      totalMs: maybe(random.below(3) * 1_000),
      expectedNanos: maybe(random.below(3) * 1_000_000),
      region: maybe(random.pick(["eu", "us"])),
      weight: random.below(3),
    }),
  );
  return { candidates, facts: { random: random.number(), turn: random.below(100), prefer: ["eu", "us"] } };
}

describe.each(Object.entries(strategies))("strategy %s", (_, strategy) => {
  test("never invents a target and never drops one", () => {
    for (let seed = 1; seed <= 300; seed += 1) {
      const { candidates, facts } = someGroup(seed);
      const ordered = strategy.order(candidates, facts).map((placed) => placed.candidate);
      expect(ordered.map(({ target }) => targetName(target)).sort()).toEqual(
        candidates.map(({ target }) => targetName(target)).sort(),
      );
      for (const one of ordered) expect(candidates).toContain(one);
    }
  });

  test("gives the same order for the same facts, and leaves them as they are", () => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const { candidates, facts } = someGroup(seed);
      const before = structuredClone(candidates);
      const first = strategy.order(candidates, facts);
      expect(strategy.order(Object.freeze([...candidates]), facts)).toEqual(first);
      expect(candidates).toEqual(before);
    }
  });

  test("says what it does in a sentence", () => {
    expect(strategy.words.length).toBeGreaterThan(10);
  });
});
