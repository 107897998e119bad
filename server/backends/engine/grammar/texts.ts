/** Patterns and formats of one schema as automata, each made once. Pure. */
import { type Automaton, automatonOf, wholly } from "./automaton.ts";
import type { TextWish } from "./facts.ts";
import { freeFormats, stringFormats } from "./formats.ts";
import { type Allowance, TooLarge } from "./limits.ts";
import type { Notes } from "./notes.ts";
import { UnreadablePattern } from "./regex-syntax.ts";

export class Texts {
  readonly allowance: Allowance;
  readonly #notes: Notes;
  readonly #known = new Map<string, Automaton | { readonly words: string }>();

  constructor(notes: Notes, allowance: Allowance) {
    this.allowance = allowance;
    this.#notes = notes;
  }

  /** null: it allows every text, or cannot be kept, which is then noted. `besides`: a pattern says the same more exactly. */
  automaton(wish: TextWish, besides = false): Automaton | null {
    if (wish.kind === "format") {
      const source = stringFormats.get(wish.text);
      if (source !== undefined) return this.#made(wish, source);
      if (!freeFormats.has(wish.text) && !besides) this.#notes.leave(wish.at, "no such format is known here");
      return null;
    }
    return this.#made(wish, wish.text);
  }

  /** Runs `make`; what turns out to be too large is noted at `at` and gives null. */
  within<Result>(at: string, make: () => Result): Result | null {
    try {
      return make();
    } catch (thrown) {
      if (!(thrown instanceof TooLarge)) throw thrown;
      this.#notes.leave(at, `it ${thrown.words}`);
      return null;
    }
  }

  #made(wish: TextWish, source: string): Automaton | null {
    const key = `${wish.kind} ${source}`;
    const known = this.#known.get(key) ?? this.#make(wish.kind, source);
    this.#known.set(key, known);
    if ("edges" in known) return known;
    this.#notes.leave(wish.at, known.words);
    return null;
  }

  #make(kind: TextWish["kind"], source: string): Automaton | { readonly words: string } {
    try {
      return kind === "pattern" ? automatonOf(source, this.allowance) : wholly(source, this.allowance);
    } catch (thrown) {
      if (thrown instanceof UnreadablePattern) return { words: thrown.words };
      if (thrown instanceof TooLarge) return { words: `it ${thrown.words}` };
      throw thrown;
    }
  }
}
