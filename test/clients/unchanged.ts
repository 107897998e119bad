/** What two prompts of one conversation have in common, in tokens. Pure. */

/** How many tokens stand at the same places from the start. */
export function commonPrefix(left: readonly number[], right: readonly number[]): number {
  const most = Math.min(left.length, right.length);
  let length = 0;
  while (length < most && left[length] === right[length]) length += 1;
  return length;
}

/**
 * Indexes of the lines of `now` that `before` has too, in the same order: what a person would call unchanged, wherever a changed line
 * stands. A longest common subsequence; quadratic in what lies between the common ends.
 */
export function unchangedLines(before: readonly string[], now: readonly string[]): readonly number[] {
  let start = 0;
  while (start < before.length && start < now.length && before[start] === now[start]) start += 1;
  let end = 0;
  while (end < before.length - start && end < now.length - start && before.at(-1 - end) === now.at(-1 - end)) end += 1;
  const left = before.slice(start, before.length - end);
  const right = now.slice(start, now.length - end);
  // best[i][j]: the most lines that left from i on and right from j on have in common.
  const best = Array.from({ length: left.length + 1 }, () => new Uint32Array(right.length + 1));
  const at = (row: number, column: number): number => best[row]?.[column] ?? 0;
  for (let i = left.length - 1; i >= 0; i -= 1) {
    const row = best[i];
    if (row === undefined) continue;
    for (let j = right.length - 1; j >= 0; j -= 1) {
      row[j] = left[i] === right[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const middle: number[] = [];
  for (let i = 0, j = 0; i < left.length && j < right.length; ) {
    if (left[i] === right[j]) {
      middle.push(start + j);
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  const head = Array.from({ length: start }, (_, index) => index);
  const tail = Array.from({ length: end }, (_, index) => now.length - end + index);
  return [...head, ...middle, ...tail];
}
