/**
 * What real loads taught: how far the arithmetic was off, per architecture and engine build, as factors on its figures. Pure.
 * A factor is bounded, so that one odd load cannot turn every later promise; and it makes a promise smaller only after
 * several loads agree, because a model that then does not fit is worse than one that is not offered.
 */

/** Factors on the arithmetic's own figures. */
export interface Corrections {
  readonly weights: number;
  readonly kv: number;
  readonly compute: number;
}

export const noCorrections: Corrections = Object.freeze({ weights: 1, kv: 1, compute: 1 });

/** Bytes, as estimated before a load and as the engine reports them after it. */
export interface EngineBytes {
  readonly weights: number;
  readonly kv: number;
  readonly compute: number;
}

/** What is remembered of the loads of one architecture with one build of the engine. */
export interface Learned {
  readonly factors: Corrections;
  readonly loads: number;
}

export const nothingLearned: Learned = Object.freeze({ factors: noCorrections, loads: 0 });

/** The least and the most a correction may do. */
export const correctionBounds = Object.freeze({ least: 0.85, most: 1.5 });
/** How much the newest load counts against all before it. */
const newestShare = 0.5;
/** Loads before a promise may become smaller. */
const loadsToLower = 3;
/** A difference as small as this is rounding, not a lesson. */
const ignoredDifference = 0.01;

/**
 * What is known after one more load. `estimated` is the arithmetic's own figure, without corrections: otherwise each load
 * would learn from what the last one taught.
 */
export function learn(before: Learned, estimated: EngineBytes, measured: EngineBytes): Learned {
  const next = (kind: keyof Corrections): number => {
    const old = before.factors[kind];
    const [guess, found] = [estimated[kind], measured[kind]];
    if (!(guess > 0) || !(found > 0)) return old;
    const ratio = Math.min(correctionBounds.most, Math.max(correctionBounds.least, found / guess));
    const seen = Math.abs(ratio - 1) < ignoredDifference ? 1 : ratio;
    return before.loads === 0 ? seen : old + (seen - old) * newestShare;
  };
  return {
    factors: { weights: next("weights"), kv: next("kv"), compute: next("compute") },
    loads: Math.min(before.loads + 1, 1_000_000),
  };
}

/** The factors to use: above 1 at once, below 1 after several loads, always within the bounds. */
export function correctionsOf(learned: Learned): Corrections {
  const use = (factor: number): number => {
    const bounded = Math.min(correctionBounds.most, Math.max(correctionBounds.least, factor));
    return bounded < 1 && learned.loads < loadsToLower ? 1 : bounded;
  };
  const { weights, kv, compute } = learned.factors;
  return { weights: use(weights), kv: use(kv), compute: use(compute) };
}
