/**
 * The two large matrices of a constructed model, filled fact by fact: a token's embedding says what is true after it, a
 * token's output row says where it is wanted. Pure.
 */
import { addRow, type Flag, flags, stateRow, width } from "./directions.ts";

/** Small, repeatable and different for neighbours: 0 up to 0.04. Integer mixing, the same on every machine. */
function tilt(id: number): number {
  let mixed = Math.imul(id + 1, 0x9e3779b1);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 0x100000000 / 25;
}

export class Matrices {
  /** Rows of `width` per token. */
  readonly embedding: Float32Array;
  readonly output: Float32Array;
  /** Each token's logit where nothing asks for it. */
  readonly #everywhere: readonly number[];

  /** `preferences`: each token's logit where nothing asks for it; tilted a little, so that no two are equal. */
  constructor(preferences: readonly number[]) {
    this.embedding = new Float32Array(preferences.length * width);
    this.output = new Float32Array(preferences.length * width);
    this.#everywhere = preferences.map((logit, id) => logit + tilt(id));
    for (const [id, logit] of this.#everywhere.entries()) {
      addRow(this.output, id * width, flags.always, logit / width);
    }
  }

  /** What is true after token `id`: the flags in `yes`, and that the reply is in `state`. */
  embed(id: number, state: number, yes: ReadonlySet<Flag>): void {
    for (const flag of Object.keys(flags) as Flag[]) {
      addRow(this.embedding, id * width, flags[flag], yes.has(flag) ? 1 : -1);
    }
    addRow(this.embedding, id * width, stateRow(state), 1);
  }

  /** Token `id` has exactly this logit after a token in `state`. */
  after(state: number, id: number, logit: number): void {
    addRow(this.output, id * width, stateRow(state), this.#missing(id, logit) / width);
  }

  /** Token `id` has exactly this logit where the flag is yes; where it is no, nothing changes. */
  where(flag: Flag, id: number, logit: number): void {
    const half = this.#missing(id, logit) / 2 / width;
    addRow(this.output, id * width, flags[flag], half);
    addRow(this.output, id * width, flags.always, half);
  }

  #missing(id: number, logit: number): number {
    return logit - (this.#everywhere[id] ?? 0);
  }
}
