/**
 * Which sums make up a stretch of time: few long ones in the middle, shorter ones towards the ends, and single rows for the parts of
 * an hour at both ends; a longer one less shorter ones where those are fewer. Pure; runs on the reader thread, and the lengths also where changes are folded and sums put together.
 */

export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

/**
 * Lengths that are summed over all callers, in hours; each divides the next. Only the shortest is kept as requests end. The others are put
 * together from it once an hour is over (`roll-up.ts`), so that a request costs no more for there being many of them.
 */
export const spanHours = Object.freeze([1, 6, 24, 96, 384, 1536] as const);
export const shortestHours = spanHours[0];
/** Of each caller apart there are no sums by the hour: they would be about as many as the rows, and a caller's rows of a day are few. */
export const callerSpanHours = Object.freeze([24, 384] as const);

/** Beyond any clock, and a multiple of every length. */
const lastHour = 1536 * 1_500_000;

/** Sums of one length, from an hour since 1970 (UTC) up to, and without, another. */
export interface Piece {
  /** -1: a longer sum before it has this too, and it is taken off again. */
  readonly sign: 1 | -1;
  readonly hours: number;
  readonly first: number;
  readonly until: number;
}

/** Epoch milliseconds; the end is not in it. */
export interface Stretch {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Edge extends Stretch {
  readonly sign: 1 | -1;
}

export interface ReportParts {
  readonly pieces: readonly Piece[];
  /** What the pieces cover; null: nothing. */
  readonly covered: Stretch | null;
  /** Of it, what was asked for. */
  readonly asked: Stretch;
  /** Of these the single rows are read, or taken off: never more than two, neither longer than half of the shortest sum, unless that is all. */
  readonly edges: readonly Edge[];
}

/** Pieces that come to the time between, and how many sums they are. */
interface Cover {
  readonly pieces: readonly Piece[];
  readonly count: number;
}

const nothing: Cover = { pieces: [], count: 0 };

/**
 * The fewest sums: a day that begins one hour in is the whole of it less an hour. `first` may be after `until`: then it is what has to be
 * taken off. Both are multiples of the shortest length, and not after `rolled`: no longer sum has anything from there on.
 */
function coverOf(first: number, until: number, spans: readonly number[], rolled: number, level: number): Cover {
  if (first === until) return nothing;
  const hours = spans[level] ?? 1;
  const lower = level === 0 ? null : coverOf(first, until, spans, rolled, level - 1);
  const [low, high] = first < until ? [first, until] : [until, first];
  const sign = first < until ? 1 : -1;
  const begins = [Math.floor(low / hours) * hours, Math.ceil(low / hours) * hours];
  const ends = [Math.floor(high / hours) * hours, Math.ceil(high / hours) * hours];
  let best = lower;
  for (const from of new Set(begins)) {
    for (const to of new Set(ends)) {
      const count = (to - from) / hours;
      if (count <= 0 || (best !== null && count >= best.count)) continue;
      const turned = (one: number, other: number) =>
        sign === 1 ? coverOf(one, other, spans, rolled, level - 1) : coverOf(other, one, spans, rolled, level - 1);
      const [before, after] = [turned(low, from), turned(Math.min(to, rolled), high)];
      const all = count + before.count + after.count;
      if (best !== null && all >= best.count) continue;
      best = { pieces: [...before.pieces, { sign, hours, first: from, until: to }, ...after.pieces], count: all };
    }
  }
  return best ?? nothing;
}

function piecesOf(first: number, until: number, spans: readonly number[], rolled: number): readonly Piece[] {
  const end = Math.min(until, rolled);
  const long = first < end ? coverOf(first, end, spans, rolled, spans.length - 1).pieces : [];
  const begin = Math.max(first, end);
  return begin < until ? [...long, { sign: 1, hours: spans[0] ?? 1, first: begin, until }] : long;
}

/**
 * Absent ends are open. `keptFromMs`, a multiple of the shortest sum: single rows from before may be gone, so there each sum counts
 * as a whole, where it begins inside the time asked for. `rolledHour`: from there on only the shortest sums are there, and longer ones that
 * go beyond have what was before it.
 */
export function reportParts(
  range: { readonly fromMs?: number | undefined; readonly toMs?: number | undefined },
  keptFromMs: number,
  spans: readonly number[] = spanHours,
  rolledHour = Number.POSITIVE_INFINITY,
): ReportParts {
  const shortest = spans[0] ?? 1;
  const shortestMs = shortest * hourMs;
  const fromMs = range.fromMs ?? 0;
  const untilMs = Math.min(range.toMs ?? lastHour * hourMs, lastHour * hourMs);
  const before = (ms: number) => Math.floor(ms / shortestMs) * shortestMs;
  const after = (ms: number) => Math.ceil(ms / shortestMs) * shortestMs;
  const [outerFrom, innerFrom] = [before(fromMs), after(fromMs)];
  const [innerUntil, outerUntil] = [before(untilMs), after(untilMs)];
  // What is taken off must have its rows still.
  const fromOuter = fromMs - outerFrom < innerFrom - fromMs && outerFrom >= keptFromMs;
  const untilOuter = untilMs < keptFromMs || outerUntil - untilMs < untilMs - innerUntil;
  const coveredFrom = fromOuter ? outerFrom : innerFrom;
  const coveredUntil = untilOuter ? outerUntil : innerUntil;
  const keptOf = (edges: readonly Edge[]) =>
    edges
      .map((edge): Edge => ({ ...edge, fromMs: Math.max(edge.fromMs, keptFromMs) }))
      .filter((edge) => edge.fromMs < edge.untilMs);
  const edges = keptOf([
    fromOuter ? { sign: -1, fromMs: outerFrom, untilMs: fromMs } : { sign: 1, fromMs, untilMs: innerFrom },
    untilOuter ? { sign: -1, fromMs: untilMs, untilMs: outerUntil } : { sign: 1, fromMs: innerUntil, untilMs },
  ]);
  const edgesMs = edges.reduce((sum, edge) => sum + edge.untilMs - edge.fromMs, 0);
  const isShort = fromMs >= keptFromMs && untilMs - fromMs <= edgesMs;
  if (coveredFrom >= coveredUntil || isShort) {
    const whole = { fromMs, untilMs };
    return { pieces: [], covered: null, asked: whole, edges: keptOf([{ sign: 1, ...whole }]) };
  }
  return {
    pieces: piecesOf(coveredFrom / hourMs, coveredUntil / hourMs, spans, rolledHour),
    covered: { fromMs: coveredFrom, untilMs: coveredUntil },
    asked: { fromMs: Math.max(fromMs, coveredFrom), untilMs: Math.min(untilMs, coveredUntil) },
    edges,
  };
}

/** The pieces as SQL takes them: JSON, `[[sign, hours, first, until], …]`. */
export function piecesText({ pieces }: ReportParts): string {
  return JSON.stringify(pieces.map(({ sign, hours, first, until }) => [sign, hours, first, until]));
}
