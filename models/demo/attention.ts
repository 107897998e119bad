/**
 * The one attention head of a constructed model: where a reply may begin, it looks back for the nearest trigger word or
 * user-role name and reports which one it found. Pure.
 *
 * Score of a token `d` positions back, seen from where a reply may begin:
 *   trigger word   offset - slope * d + preferTrigger
 *   "user"         offset - slope * d
 *   anything else  0
 * The offset is large enough for the whole trained context, so that one trigger among thirty thousand tokens takes all the
 * attention; the slope makes the nearest win, so that a word in an earlier message, a system prompt or a tool's description
 * does nothing once a later "user" stands before the reply. "user" and all other tokens report nothing. Seen from any other
 * token all these scores are as far below 0 as they were above it: inside a reply the head is silent.
 *
 * Distances come from the rotary position code: a pair of dimensions that turns by `angle` per position, with the query a
 * quarter turn ahead, gives -sin(angle * d); the slowest pairs do not turn at all and give the constants.
 */
import { addRow, flags, width } from "./directions.ts";

export const headCount = 2;
export const headWidth = width / headCount;
/** Both heads share one set of keys and values; the second reads nothing. */
export const headCountKv = 1;
export const trainedContextLength = 32_768;

/** Pair i turns by base^(-i/32) per position: pair 16 by 4.789e-5, just under a quarter turn over the whole context. */
export const ropeBase = 436_000_000;
const slopePair = 16;
const offsetPair = 31;
const preferPair = 30;
/** The engine joins dimension i with i + 32. */
const secondOfPair = headWidth / 2;

/** Scores are divided by the root of the head's width. */
const scoreScale = Math.sqrt(headWidth);

/** Key of a word that is looked for, in both pairs. Exact in half precision, as all numbers here. */
const key = 256;
/** 1958 * 256 / 8 = 62,656 at a quarter turn, and so a slope of 3.0 per position where it is steepest. */
const slopeQuery = 1958;
/** 1960 * 256 / 8 = 62,720: 64 more than the slope ever takes, and below the 65,504 that half precision ends at. */
const offsetQuery = 1960;
/** Half way between a word right after "user" (2 positions) and one right before that message (4 positions). */
const preferTrigger = 3;

export interface AttentionWeights {
  /** Rows of `width`: one per query dimension, then per key and value dimension. */
  readonly query: Float32Array;
  readonly key: Float32Array;
  readonly keyBias: Float32Array;
  readonly value: Float32Array;
  readonly valueBias: Float32Array;
  /** One row per dimension of the stream, `width` columns: what each head dimension adds to it. */
  readonly output: Float32Array;
}

/** A weight row that turns yes into `amount` and no into 0; half of it must come from the bias. */
function yesOrNothing(rows: Float32Array, row: number, flag: number, amount: number): number {
  addRow(rows, row * width, flag, amount / 2 / width);
  return amount / 2;
}

export function attentionWeights(): AttentionWeights {
  const query = new Float32Array(width * width);
  // Yes gives the query, no its opposite: no bias.
  addRow(query, offsetPair * width, flags.replyBegins, offsetQuery / width);
  addRow(query, (slopePair + secondOfPair) * width, flags.replyBegins, slopeQuery / width);
  addRow(query, preferPair * width, flags.replyBegins, (preferTrigger * scoreScale) / width);

  const keyRows = new Float32Array(headWidth * headCountKv * width);
  const keyBias = new Float32Array(headWidth * headCountKv);
  for (const flag of [flags.doubtful, flags.certain, flags.userRole]) {
    for (const dimension of [offsetPair, slopePair]) {
      keyBias[dimension] = (keyBias[dimension] ?? 0) + yesOrNothing(keyRows, dimension, flag, key);
    }
  }
  for (const flag of [flags.doubtful, flags.certain]) {
    keyBias[preferPair] = (keyBias[preferPair] ?? 0) + yesOrNothing(keyRows, preferPair, flag, 1);
  }

  const value = new Float32Array(headWidth * headCountKv * width);
  const valueBias = new Float32Array(headWidth * headCountKv);
  valueBias[0] = yesOrNothing(value, 0, flags.doubtful, 1);
  valueBias[1] = yesOrNothing(value, 1, flags.certain, 1);

  const output = new Float32Array(width * width);
  // Full attention turns a no (-1) into a yes (+1).
  const column = new Float32Array(width);
  for (const [dimension, flag] of [flags.doubtHeard, flags.certaintyHeard].entries()) {
    column.fill(0);
    addRow(column, 0, flag, 2);
    for (const [row, amount] of column.entries()) output[row * width + dimension] = amount;
  }
  return { query, key: keyRows, keyBias, value, valueBias, output };
}
