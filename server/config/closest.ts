/** Finds what was probably meant. Pure. */

/** Edits (one character put in, left out, changed, or two neighbours swapped) that turn `from` into `to`. */
function distance(from: string, to: string): number {
  // Three rows of the usual table are enough; the one before last is for swapped neighbours.
  let beforeLast: number[] = [];
  let last = Array.from({ length: to.length + 1 }, (_, column) => column);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const same = from[row - 1] === to[column - 1];
      let best = Math.min(
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + (same ? 0 : 1),
      );
      const swapped = row > 1 && column > 1 && from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1];
      if (swapped) best = Math.min(best, (beforeLast[column - 2] ?? 0) + 1);
      current.push(best);
    }
    beforeLast = last;
    last = current;
  }
  return last[to.length] ?? 0;
}

/** The nearest of `candidates`, ignoring case; null when none is near enough to be worth naming. */
export function closest(word: string, candidates: readonly string[]): string | null {
  const asked = word.slice(0, 100).toLowerCase();
  let best: { readonly name: string; readonly edits: number } | null = null;
  for (const name of candidates) {
    const edits = distance(asked, name.toLowerCase());
    if (best === null || edits < best.edits) best = { name, edits };
  }
  return best !== null && best.edits <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : null;
}
