/**
 * Which sums make up a stretch of time: few long ones in the middle, shorter ones towards the ends, and single rows for the parts of
 * an hour at both ends. Pure; runs on the reader thread, and the lengths also where changes are folded.
 */

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/**
 * Lengths that are summed, in hours; each divides the next. Of each caller apart there are no sums by the hour: they would be about
 * as many as the rows, and a caller's rows of a day are few.
 */
export const spanHours = Object.freeze([1, 24, 384] as const);
export const callerSpanHours = Object.freeze([24, 384] as const);

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
  /** Of these the single rows are read: never more than two, each shorter than two of the shortest sums. */
  readonly edges: readonly Stretch[];
}

function piecesOf(first: number, until: number, spans: readonly number[], level = spans.length - 1): readonly Piece[] {
  if (first >= until) return [];
  const hours = spans[level] ?? 1;
  if (level === 0) return [{ hours, first, until }];
  const from = Math.ceil(first / hours) * hours;
  const to = Math.floor(until / hours) * hours;
  if (from >= to) return piecesOf(first, until, spans, level - 1);
  return [
    ...piecesOf(first, from, spans, level - 1),
    { hours, first: from, until: to },
    ...piecesOf(to, until, spans, level - 1),
  ];
}

/**
 * Absent ends are open. `keptFromMs`, a multiple of the shortest sum: single rows from before may be gone, so there each sum counts
 * as a whole, where it begins inside the time asked for.
 */
export function reportParts(
  range: { readonly fromMs?: number | undefined; readonly toMs?: number | undefined },
  keptFromMs: number,
  spans: readonly number[] = spanHours,
): ReportParts {
  const shortest = spans[0] ?? 1;
  const shortestMs = shortest * hourMs;
  const fromMs = range.fromMs ?? 0;
  const untilMs = Math.min(range.toMs ?? lastHour * hourMs, lastHour * hourMs);
  const first = Math.ceil(fromMs / shortestMs) * shortest;
  const until = (untilMs < keptFromMs ? Math.ceil(untilMs / shortestMs) : Math.floor(untilMs / shortestMs)) * shortest;
  const kept = (edge: Stretch): Stretch => ({ ...edge, fromMs: Math.max(edge.fromMs, keptFromMs) });
  const edges =
    first >= until
      ? [{ fromMs, untilMs }]
      : [
          { fromMs, untilMs: first * hourMs },
          { fromMs: until * hourMs, untilMs },
        ];
  return {
    pieces: piecesOf(first, until, spans),
    covered: first >= until ? null : { fromMs: first * hourMs, untilMs: until * hourMs },
    edges: edges.map(kept).filter((edge) => edge.fromMs < edge.untilMs),
  };
}

/** The pieces as SQL takes them: JSON, `[[hours, first, until], …]`. */
export function piecesText({ pieces }: ReportParts): string {
  return JSON.stringify(pieces.map(({ hours, first, until }) => [hours, first, until]));
}
