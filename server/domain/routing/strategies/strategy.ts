/**
 * The contract of a strategy: the targets of one group in the order they are tried. One suite in `test/contracts/` runs over
 * the registry: it never invents a target, never drops one, and gives the same order for the same facts. Pure types.
 */
import type { ReasonCode } from "../reasons.ts";
import type { Candidate } from "../target.ts";

export interface StrategyFacts {
  /** From 0 up to, and without, 1; one for the whole order. */
  readonly random: number;
  /** How many requests this group has ordered before. */
  readonly turn: number;
  /** Regions, the most wanted first. */
  readonly prefer: readonly string[];
}

export interface Placed {
  readonly candidate: Candidate;
  readonly reason: ReasonCode;
  /** The figure it was chosen by, for people; empty: there is none. */
  readonly detail: string;
}

export interface Strategy {
  /** One sentence for help and pages. */
  readonly words: string;
  order(candidates: readonly Candidate[], facts: StrategyFacts): readonly Placed[];
}

/** Smaller first; equal ones stay in the route's order. `Infinity` is last. */
export function orderedBy(
  candidates: readonly Candidate[],
  figure: (candidate: Candidate) => number,
): readonly Candidate[] {
  return candidates
    .map((candidate, index) => ({ candidate, index, value: figure(candidate) }))
    .sort((left, right) => (left.value === right.value ? left.index - right.index : left.value - right.value))
    .map(({ candidate }) => candidate);
}
