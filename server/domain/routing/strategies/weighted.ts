/** Drawn by weight: a target of weight 3 is first three times as often as one of weight 1. Pure. */
import type { Candidate } from "../target.ts";
import type { Strategy } from "./strategy.ts";

export const weighted: Strategy = {
  words: "drawn by weight",
  order: (candidates, facts) => {
    const left = [...candidates];
    const drawn: Candidate[] = [];
    let { random } = facts;
    while (left.length > 0) {
      const total = left.reduce((sum, candidate) => sum + candidate.weight, 0);
      // With no weight left the rest stays as it is written.
      const { index, rest } = total > 0 ? draw(left, random * total) : { index: 0, rest: random };
      random = rest;
      drawn.push(...left.splice(index, 1));
    }
    return drawn.map((candidate) => ({ candidate, reason: "weighted", detail: `weight ${candidate.weight}` }));
  },
};

/** Whose stretch of the line the point lies in. How far in it lies is as random as the point was: the next draw's number. */
function draw(candidates: readonly Candidate[], point: number): { readonly index: number; readonly rest: number } {
  let start = 0;
  let last = 0;
  for (const [index, { weight }] of candidates.entries()) {
    if (weight > 0) last = index;
    if (weight > 0 && point < start + weight) return { index, rest: (point - start) / weight };
    start += weight;
  }
  return { index: last, rest: 0 };
}
