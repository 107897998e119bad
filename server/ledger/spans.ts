/**
 * Which sums make up a stretch of time: few long ones in the middle, shorter ones towards the ends, and single rows for the parts of
 * an hour at both ends. Pure; runs on the reader thread, and the lengths also where changes are folded.
 */

export const hourMs = 3_600_000;

/** Lengths that are summed, in hours; each divides the next. */
export const spanHours = Object.freeze([1, 24, 384] as const);

/** Beyond any clock, and a multiple of every length. */
const lastHour = 384 * 6_000_000;

/** Sums of one length, from an hour since 1970 (UTC) up to, and without, another. */
export interface Piece {
  readonly hours: number;
  readonly first: number;
  readonly until: number;
}

/** Epoch milliseconds; the end is not in it. */
export interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface ReportParts {
  readonly pieces: readonly Piece[];
  /** What the pieces cover; null: nothing. */
  readonly covered: Stretch | null;
  /** Of these the single rows are read: never more than two, each shorter than two hours. */
  readonly edges: readonly Stretch[];
}

function piecesOf(first: number, until: number, level: number): readonly Piece[] {
  if (first >= until) return [];
  const hours = spanHours[level] ?? 1;
  if (level === 0) return [{ hours, first, until }];
  const from = Math.ceil(first / hours) * hours;
  const to = Math.floor(until / hours) * hours;
  if (from >= to) return piecesOf(first, until, level - 1);
  return [...piecesOf(first, from, level - 1), { hours, first: from, until: to }, ...piecesOf(to, until, level - 1)];
}

/**
 * Absent ends are open. `keptFromMs`, a whole hour: single rows from before may be gone, so there an hour counts as a whole, where
 * it begins inside the time asked for.
 */
export function reportParts(
  range: { readonly fromMs?: number | undefined; readonly toMs?: number | undefined },
  keptFromMs: number,
): ReportParts {
  const fromMs = range.fromMs ?? 0;
  const untilMs = Math.min(range.toMs ?? lastHour * hourMs, lastHour * hourMs);
  const first = Math.ceil(fromMs / hourMs);
  const until = untilMs < keptFromMs ? Math.ceil(untilMs / hourMs) : Math.floor(untilMs / hourMs);
  const kept = (edge: Stretch): Stretch => ({ ...edge, fromMs: Math.max(edge.fromMs, keptFromMs) });
  const edges =
    first >= until
      ? [{ fromMs, untilMs }]
      : [
          { fromMs, untilMs: first * hourMs },
          { fromMs: until * hourMs, untilMs },
        ];
  return {
    pieces: piecesOf(first, until, spanHours.length - 1),
    covered: first >= until ? null : { fromMs: first * hourMs, untilMs: until * hourMs },
    edges: edges.map(kept).filter((edge) => edge.fromMs < edge.untilMs),
  };
}
