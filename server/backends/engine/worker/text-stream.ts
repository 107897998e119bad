/**
 * Tokens of one answer → text that may leave. Holds back half a character and half a stop string. Pure state, no I/O.
 */

/** Text of tokens; an incomplete character shows as U+FFFD at the end. */
export type Detokenize = (tokens: readonly number[], before: readonly number[]) => string;

const incomplete = "\uFFFD";
/** A character has at most four bytes; after that many tokens a U+FFFD is what the model really said. */
const longestCharacterTokens = 4;
/** Tokens of context that spacing rules of SentencePiece need. */
const contextTokens = 3;

export interface TextPiece {
  /** May be sent now. */
  readonly text: string;
  /** The stop string that has been completed: it and what follows are left out. Null: none. */
  readonly stop: string | null;
}

export class TextStream {
  readonly #detokenize: Detokenize;
  readonly #stops: readonly string[];
  readonly #longestStop: number;
  readonly #markers: ReadonlyMap<number, string>;
  #pending: number[] = [];
  #before: number[] = [];
  /** Decoded, but possibly the beginning of a stop string. */
  #held = "";

  /** `markers`: control tokens that show, and the text they show as. */
  constructor(detokenize: Detokenize, stops: readonly string[], markers: ReadonlyMap<number, string> = new Map()) {
    this.#markers = markers;
    this.#detokenize = detokenize;
    this.#stops = stops.filter((stop) => stop !== "");
    this.#longestStop = this.#stops.reduce((most, stop) => Math.max(most, stop.length), 0);
  }

  push(token: number): TextPiece {
    const marker = this.#markers.get(token);
    if (marker !== undefined) {
      const before = this.#pending.length > 0 ? this.#detokenize(this.#pending, this.#before) : "";
      this.#pending.push(token);
      this.#settle();
      return this.#release(before + marker);
    }
    this.#pending.push(token);
    const text = this.#detokenize(this.#pending, this.#before);
    if (text.endsWith(incomplete) && this.#pending.length < longestCharacterTokens) return { text: "", stop: null };
    this.#settle();
    return this.#release(text);
  }

  /** The answer is over: what was held back, which was no stop string after all. */
  flush(): string {
    const rest = this.#pending.length > 0 ? this.#detokenize(this.#pending, this.#before) : "";
    this.#settle();
    const text = this.#held + rest;
    this.#held = "";
    return text;
  }

  #settle(): void {
    this.#before = [...this.#before, ...this.#pending].slice(-contextTokens);
    this.#pending = [];
  }

  #release(text: string): TextPiece {
    if (this.#longestStop === 0) return { text, stop: null };
    const all = this.#held + text;
    const first = firstStop(all, this.#stops);
    if (first !== null) {
      this.#held = "";
      return { text: all.slice(0, first.at), stop: first.stop };
    }
    const kept = heldBack(all, this.#stops, this.#longestStop);
    this.#held = all.slice(all.length - kept);
    return { text: all.slice(0, all.length - kept), stop: null };
  }
}

function firstStop(text: string, stops: readonly string[]): { readonly at: number; readonly stop: string } | null {
  let first: { readonly at: number; readonly stop: string } | null = null;
  for (const stop of stops) {
    const at = text.indexOf(stop);
    if (at !== -1 && (first === null || at < first.at)) first = { at, stop };
  }
  return first;
}

/** Length of the longest end of `text` that begins some stop string. */
function heldBack(text: string, stops: readonly string[], longestStop: number): number {
  for (let length = Math.min(text.length, longestStop - 1); length > 0; length -= 1) {
    const tail = text.slice(text.length - length);
    if (stops.some((stop) => stop.length > length && stop.startsWith(tail))) return length;
  }
  return 0;
}
