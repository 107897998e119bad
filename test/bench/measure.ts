/**
 * The arithmetic of the benches: medians, spread, paired ratios, the order of an interleaved run, and a row's verdict.
 * Pure: no clock, no I/O. Tested in test/support/measure.test.ts.
 */

/** Which direction is good: tokens per second are `higher`, milliseconds are `lower`. */
export type Better = "higher" | "lower";

/** Which side of a pair a sample belongs to. */
export type Side = "ours" | "peer";

/** One row of `--json`, the shape every bench of the project prints. */
export interface BenchRow {
  readonly name: string;
  readonly unit: string;
  readonly better: Better;
  /** Median of our samples, in `unit`. */
  readonly ours: number;
  /** Median of the peer's samples; null where the row measures only us. */
  readonly peer: number | null;
  /** Median of the paired ratios ours / peer; null where there is no peer. */
  readonly ratio: number | null;
  /** Bound of `ratio`, or of `ours` where there is no peer; null: reported, without a target. */
  readonly target: number | null;
  readonly holds: boolean | null;
  readonly samples: { readonly ours: readonly number[]; readonly peer: readonly number[] };
}

export interface RowDefinition {
  readonly name: string;
  readonly unit: string;
  readonly better: Better;
  readonly target: number | null;
  /** The target is a bound of our own figure, also where a peer stands beside it. */
  readonly absolute?: boolean;
}

/** The middle value, or the mean of the two middle ones. Throws for no values: a row without samples is a bug. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[Math.floor(sorted.length / 2)];
  const lower = sorted[Math.floor((sorted.length - 1) / 2)];
  if (upper === undefined || lower === undefined) throw new RangeError("median of no values");
  return (upper + lower) / 2;
}

/** The smallest value that at least `share` (0 to 1) of the values do not exceed. Throws for no values. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
  if (value === undefined) throw new RangeError("percentile of no values");
  return value;
}

/** Widest distance from the median, as a share of it: 0.05 means every sample lies within 5 % of the median. */
export function spread(values: readonly number[]): number {
  const middle = median(values);
  if (middle === 0) return 0;
  return Math.max(...values.map((value) => Math.abs(value - middle))) / Math.abs(middle);
}

/**
 * Median of ours[i] / peer[i]. Sample i of both sides was taken back to back, so a machine that slows down for a minute
 * slows both halves of a pair and leaves their ratio alone.
 */
export function pairedRatio(ours: readonly number[], peer: readonly number[]): number {
  if (ours.length !== peer.length) throw new RangeError(`pairs need equal counts: ${ours.length} and ${peer.length}`);
  return median(ours.map((value, index) => value / (peer[index] ?? Number.NaN)));
}

/** The order of sides in run `index`: A B, then B A, so that neither side always goes first. */
export function orderOfRun(index: number): readonly [Side, Side] {
  return index % 2 === 0 ? ["ours", "peer"] : ["peer", "ours"];
}

/** Judges the samples of one row. An empty `peer` makes the target a bound of our own figure. */
export function judge(row: RowDefinition, ours: readonly number[], peer: readonly number[]): BenchRow {
  const ratio = peer.length === 0 ? null : pairedRatio(ours, peer);
  const judged = row.absolute === true || ratio === null ? median(ours) : ratio;
  const holds = row.target === null ? null : row.better === "higher" ? judged >= row.target : judged <= row.target;
  return {
    name: row.name,
    unit: row.unit,
    better: row.better,
    ours: median(ours),
    peer: peer.length === 0 ? null : median(peer),
    ratio,
    target: row.target,
    holds,
    samples: { ours: [...ours], peer: [...peer] },
  };
}

/** Largest distance between neighbouring arrivals whose later one is at or after `fromMs`; 0 for fewer than two. */
export function worstGapMs(arrivalsMs: readonly number[], fromMs: number): number {
  let worst = 0;
  for (let index = 1; index < arrivalsMs.length; index += 1) {
    const earlier = arrivalsMs[index - 1] ?? 0;
    const later = arrivalsMs[index] ?? 0;
    if (later >= fromMs) worst = Math.max(worst, later - earlier);
  }
  return worst;
}
