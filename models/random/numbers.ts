/**
 * Random weights fast enough for gigabytes: a table of normal numbers is made once, and rows are cut out of it at scattered
 * places. Seeded; the same bytes on every machine. Pure.
 */
import { float16Bytes } from "../gguf/float16.ts";

/** 32-bit numbers from a seed (xorshift). */
export class RandomSource {
  #state: number;

  constructor(seed: number) {
    // Zero would stay zero for ever.
    this.#state = Math.imul(seed, 0x9e3779b1) | 0 || 1;
  }

  next(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state >>> 0;
  }

  /** A number close to a normal one of mean 0 and deviation 1: twelve uniform ones, added. No transcendental functions. */
  normal(): number {
    let sum = -6;
    for (let count = 0; count < 12; count += 1) sum += this.next() / 0x100000000;
    return sum;
  }
}

/** Numbers in the table: several times the rows of the largest matrix, so that every row is cut at a place of its own. */
const tableLength = 1 << 20;
/** From one row's place to the next: about the golden section of the table, and odd, so that no place comes twice. */
const placeStep = 648_055;

/** Half-precision normal numbers of one deviation. */
export class NormalTable {
  /** The table, and its beginning once more, so that a row may reach over the end. */
  readonly #bytes: Uint8Array;
  #place: number;

  /** `longestRow`: in numbers. */
  constructor(standardNormals: Float32Array, deviation: number, firstPlace: number, longestRow: number) {
    const scaled = float16Bytes(standardNormals.map((value) => value * deviation));
    this.#bytes = new Uint8Array(scaled.length + 2 * longestRow);
    this.#bytes.set(scaled);
    this.#bytes.set(scaled.subarray(0, 2 * longestRow), scaled.length);
    this.#place = firstPlace % tableLength;
  }

  /** Fills `target`, whole rows of `rowBytes`, each cut out at the next place. */
  fill(target: Uint8Array, rowBytes: number): void {
    for (let at = 0; at < target.length; at += rowBytes) {
      this.#place = (this.#place + placeStep) % tableLength;
      target.set(this.#bytes.subarray(2 * this.#place, 2 * this.#place + rowBytes), at);
    }
  }
}

export function standardNormals(seed: number): Float32Array {
  const source = new RandomSource(seed);
  return new Float32Array(tableLength).map(() => source.normal());
}
