/** Which bytes of a file are there, as sorted ranges; and which parts are asked for next. Pure. */

/** From `start` to before `end`. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const mebibyte = 1 << 20;
const smallestPartBytes = 8 * mebibyte;
const largestPartBytes = 64 * mebibyte;
/** A file is asked for in about so many requests, within the two bounds. */
const partsPerFile = 64;

/** What one request asks for: large enough that a request costs nothing, small enough that a lost one does not hurt. */
export function partBytesFor(fileBytes: number): number {
  const wanted = Math.ceil(fileBytes / partsPerFile / mebibyte) * mebibyte;
  return Math.min(largestPartBytes, Math.max(smallestPartBytes, wanted));
}

/** Ranges that neither touch nor overlap, in order. */
export class RangeSet {
  #ranges: ByteRange[] = [];

  /** Bytes in all ranges. */
  get bytes(): number {
    return this.#ranges.reduce((sum, range) => sum + range.end - range.start, 0);
  }

  get ranges(): readonly ByteRange[] {
    return this.#ranges;
  }

  /** Bytes from the file's beginning without a gap. */
  get frontier(): number {
    const [first] = this.#ranges;
    return first?.start === 0 ? first.end : 0;
  }

  /** How many of them were not there before. */
  add(start: number, end: number): number {
    if (end <= start) return 0;
    const before: ByteRange[] = [];
    const after: ByteRange[] = [];
    let merged: ByteRange = { start, end };
    let overlap = 0;
    for (const range of this.#ranges) {
      if (range.end < start) before.push(range);
      else if (range.start > end) after.push(range);
      else {
        overlap += Math.max(0, Math.min(range.end, end) - Math.max(range.start, start));
        merged = { start: Math.min(merged.start, range.start), end: Math.max(merged.end, range.end) };
      }
    }
    this.#ranges = [...before, merged, ...after];
    return end - start - overlap;
  }

  /** Only what lies below `end`. */
  clip(end: number): void {
    this.#ranges = this.#ranges
      .filter((range) => range.start < end)
      .map((range) => ({ start: range.start, end: Math.min(range.end, end) }));
  }

  /** What is not there between `start` and `end`. */
  missing(end: number, start = 0): ByteRange[] {
    const gaps: ByteRange[] = [];
    let next = start;
    for (const range of this.#ranges) {
      if (range.start >= end) break;
      if (range.start > next) gaps.push({ start: next, end: range.start });
      next = Math.max(next, range.end);
    }
    if (next < end) gaps.push({ start: next, end });
    return gaps;
  }
}

/** The missing bytes in parts of at most `partBytes`, from the file's beginning on, so that hashing can follow. */
export function planParts(there: RangeSet, fileBytes: number, partBytes: number): ByteRange[] {
  return there.missing(fileBytes).flatMap((gap) => {
    const parts: ByteRange[] = [];
    for (let start = gap.start; start < gap.end; start += partBytes) {
      parts.push({ start, end: Math.min(start + partBytes, gap.end) });
    }
    return parts;
  });
}
