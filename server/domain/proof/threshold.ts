/** The confidence from which drafts are good enough, found from drafts whose rightness is known. Pure. */

export interface Sample {
  /** Null: the draft has none, and is never given for its confidence. */
  readonly confidence: number | null;
  readonly isRight: boolean;
}

/** Precision: the most drafts that are so often right. Cost: the least of what asking on and a wrong answer cost together. */
export type Aim = { readonly precision: number } | { readonly escalationCosts: number; readonly wrongCosts: number };

export interface Threshold {
  readonly threshold: number;
  /** Part of all drafts that would be given. */
  readonly acceptedShare: number;
  /** Part of those that are right; null: none would be given. */
  readonly precision: number | null;
  /** Per request, beside the draft, in the unit of the aim; null: the aim is a precision. */
  readonly cost: number | null;
}

/** Null: no threshold reaches the precision, so no draft should be given. */
export function bestThreshold(samples: readonly Sample[], aim: Aim): Threshold | null {
  const sorted = samples
    .flatMap(({ confidence, isRight }) => (confidence === null ? [] : [{ confidence, isRight }]))
    .sort((left, right) => right.confidence - left.confidence);
  let best: Threshold | null = null;
  let right = 0;
  for (const [index, sample] of sorted.entries()) {
    if (sample.isRight) right += 1;
    const next = sorted[index + 1];
    // Drafts that are equally sure are given together.
    if (next !== undefined && next.confidence === sample.confidence) continue;
    const given = index + 1;
    const found: Threshold = {
      // In the middle between the least sure that is given and the surest that is not: new drafts fall between.
      threshold: next === undefined ? sample.confidence : (sample.confidence + next.confidence) / 2,
      acceptedShare: given / samples.length,
      precision: right / given,
      cost: costOf(samples.length, given, right, aim),
    };
    if (isBetter(found, best, aim)) best = found;
  }
  if ("precision" in aim) return best;
  const none = aim.escalationCosts;
  return best === null || best.cost === null || best.cost > none ? null : best;
}

function costOf(all: number, given: number, right: number, aim: Aim): number | null {
  if ("precision" in aim) return null;
  return ((all - given) * aim.escalationCosts + (given - right) * aim.wrongCosts) / all;
}

function isBetter(found: Threshold, best: Threshold | null, aim: Aim): boolean {
  if ("precision" in aim) return (found.precision ?? 0) >= aim.precision;
  return best === null || (found.cost ?? Infinity) <= (best.cost ?? Infinity);
}
