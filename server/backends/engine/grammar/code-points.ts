/**
 * Sets of code points as sorted ranges. Pure. The alphabet is what UTF-8 can carry: lone surrogates are not in it, and
 * neither end of a class ever reaches into them, so that the engine can judge half a character by its first bytes.
 */

/** Both ends belong to it. Sorted, apart from each other by at least one. */
export type CodePoints = readonly (readonly [number, number])[];

export const everyCodePoint: CodePoints = [
  [0, 0xd7ff],
  [0xe000, 0x10ffff],
];

/** Sorts and joins ranges, and cuts them to the alphabet. */
export function codePoints(ranges: Iterable<readonly [number, number]>): CodePoints {
  const sorted = [...ranges].filter(([from, to]) => from <= to).sort((left, right) => left[0] - right[0]);
  const joined: [number, number][] = [];
  for (const [from, to] of sorted) {
    const last = joined.at(-1);
    if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else joined.push([from, to]);
  }
  return intersection(joined, everyCodePoint);
}

export function charactersOf(text: string): CodePoints {
  return codePoints(Array.from(text, (character) => [character.codePointAt(0) ?? 0, character.codePointAt(0) ?? 0]));
}

export function intersection(left: CodePoints, right: CodePoints): CodePoints {
  const common: (readonly [number, number])[] = [];
  let at = 0;
  for (const [from, to] of left) {
    while (at > 0 && (right[at - 1]?.[1] ?? 0) >= from) at -= 1;
    for (; at < right.length; at += 1) {
      const other = right[at];
      if (other === undefined || other[0] > to) break;
      if (other[1] >= from) common.push([Math.max(from, other[0]), Math.min(to, other[1])]);
    }
  }
  return common;
}

export function complement(set: CodePoints): CodePoints {
  const gaps: [number, number][] = [];
  let from = 0;
  for (const range of set) {
    gaps.push([from, range[0] - 1]);
    from = range[1] + 1;
  }
  gaps.push([from, 0x10ffff]);
  return codePoints(gaps);
}

export function union(...sets: readonly CodePoints[]): CodePoints {
  return codePoints(sets.flat());
}

export function without(set: CodePoints, removed: CodePoints): CodePoints {
  return intersection(set, complement(removed));
}

export function holds(set: CodePoints, point: number): boolean {
  return set.some(([from, to]) => from <= point && point <= to);
}
