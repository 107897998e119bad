/** An average that forgets: what was measured long ago counts less, and after a while not at all. Pure. */

export interface Decayed {
  readonly sum: number;
  /** How many measurements it stands for, old ones counting less. */
  readonly weight: number;
  /** Monotonic milliseconds of the last one. */
  readonly atMs: number;
}

export const nothingMeasured: Decayed = Object.freeze({ sum: 0, weight: 0, atMs: 0 });

/** After this long a measurement counts half. */
const halfLifeMs = 300_000;
/** Many old measurements must not outlive a change by hours. */
const mostWeight = 10;
/** Below it there is no average: twenty minutes after a single measurement. */
const leastWeight = 0.06;

function faded(average: Decayed, nowMs: number): number {
  return 0.5 ** (Math.max(0, nowMs - average.atMs) / halfLifeMs);
}

export function measured(average: Decayed, value: number, nowMs: number): Decayed {
  const fade = faded(average, nowMs);
  const weight = average.weight * fade + 1;
  const sum = average.sum * fade + value;
  const share = Math.min(1, mostWeight / weight);
  return { sum: sum * share, weight: weight * share, atMs: nowMs };
}

/** Null: not measured, or too long ago. */
export function averageOf(average: Decayed, nowMs: number): number | null {
  return average.weight * faded(average, nowMs) < leastWeight ? null : average.sum / average.weight;
}
