/**
 * The coordinate system of a constructed model: 128 rows of a Hadamard matrix, each at right angles to all others. Every
 * fact about a token is one direction, so that facts never disturb each other and every logit is what it was meant to be.
 * Pure.
 */

/** Width of the model. A power of two. */
export const width = 128;

/** Facts that are yes (+1) or no (-1) for every token; the first is always yes. The rest of the rows are states. */
export const flags = Object.freeze({
  always: 0,
  /** A reply may begin after this token. */
  replyBegins: 1,
  doubtful: 2,
  certain: 3,
  /** The role name that opens a user's message. */
  userRole: 4,
  /** Written by the attention head: the last user message holds such a word. */
  doubtHeard: 5,
  certaintyHeard: 6,
} satisfies Record<string, number>);

export type Flag = keyof typeof flags;

const flagCount = Object.keys(flags).length;

/** How many states a model may have. */
export const stateCount = width - flagCount;

/** The row of the n-th state. */
export function stateRow(state: number): number {
  if (state >= stateCount) throw new Error(`there is room for ${stateCount} states only`);
  return flagCount + state;
}

/** +1 or -1: entry `column` of row `row`. */
export function sign(row: number, column: number): 1 | -1 {
  let odd = 0;
  for (let common = row & column; common !== 0; common &= common - 1) odd ^= 1;
  return odd === 0 ? 1 : -1;
}

/** Adds `amount` times row `row` to the vector that begins at `start`. */
export function addRow(target: Float32Array, start: number, row: number, amount: number): void {
  for (let column = 0; column < width; column += 1) {
    target[start + column] = (target[start + column] ?? 0) + amount * sign(row, column);
  }
}

/** Every token is the sum of this many rows (each flag and one state), so every embedding is equally long. */
export const rowsPerToken = flagCount + 1;
