/**
 * Reads the regular expressions of JSON schema (ECMA 262 with the `u` flag) into a tree. Pure. What no automaton of a text
 * can hold, back references and the like, is refused with words.
 */
import { type CodePoints, charactersOf, codePoints, complement, union } from "./code-points.ts";
import { limits } from "./limits.ts";

export type RegexTree =
  | { readonly type: "characters"; readonly set: CodePoints }
  | { readonly type: "sequence"; readonly parts: readonly RegexTree[] }
  | { readonly type: "choice"; readonly branches: readonly RegexTree[] }
  /** `max` null: no end. */
  | { readonly type: "repeat"; readonly of: RegexTree; readonly min: number; readonly max: number | null }
  /** `^` and `$`. */
  | { readonly type: "start" }
  | { readonly type: "end" }
  /** `(?=…)` and `(?!…)`. */
  | { readonly type: "ahead"; readonly of: RegexTree; readonly negative: boolean };

/** The expression cannot be held; `words` say why. */
export class UnreadablePattern extends Error {
  readonly words: string;

  constructor(words: string) {
    super(words);
    this.name = "UnreadablePattern";
    this.words = words;
  }
}

const digits = codePoints([[0x30, 0x39]]);
const wordCharacters = codePoints([
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x5f, 0x5f],
  [0x61, 0x7a],
]);
const whiteSpace = codePoints([
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]);
const lineEnds = charactersOf("\n\r\u2028\u2029");

const classEscapes: Readonly<Record<string, CodePoints>> = {
  d: digits,
  D: complement(digits),
  w: wordCharacters,
  W: complement(wordCharacters),
  s: whiteSpace,
  S: complement(whiteSpace),
};
const controlEscapes: Readonly<Record<string, number>> = { t: 0x09, n: 0x0a, v: 0x0b, f: 0x0c, r: 0x0d, "0": 0 };

/** Throws UnreadablePattern. */
export function readRegex(source: string): RegexTree {
  if (source.length > limits.patternCharacters) {
    throw new UnreadablePattern(`a pattern may have at most ${limits.patternCharacters} characters`);
  }
  return new Reader(source).whole();
}

class Reader {
  readonly #characters: readonly string[];
  #at = 0;
  #depth = 0;

  constructor(source: string) {
    this.#characters = Array.from(source);
  }

  whole(): RegexTree {
    const tree = this.#choice();
    if (this.#at < this.#characters.length) throw unreadable("it has a closing bracket too many");
    return tree;
  }

  #choice(): RegexTree {
    this.#depth += 1;
    if (this.#depth > limits.patternDepth) throw unreadable("its groups are nested too deeply");
    const branches = [this.#sequence()];
    while (this.#take("|")) branches.push(this.#sequence());
    this.#depth -= 1;
    const [only] = branches;
    return branches.length === 1 && only !== undefined ? only : { type: "choice", branches };
  }

  #sequence(): RegexTree {
    const parts: RegexTree[] = [];
    for (let next = this.#peek(); next !== undefined && next !== "|" && next !== ")"; next = this.#peek()) {
      parts.push(this.#repeated(this.#atom()));
    }
    return { type: "sequence", parts };
  }

  #repeated(of: RegexTree): RegexTree {
    const count = this.#count();
    if (count === null) return of;
    if (of.type === "start" || of.type === "end" || of.type === "ahead") {
      throw unreadable("it repeats something that has no length");
    }
    // A lazy `?` changes which match is found, never which texts match.
    this.#take("?");
    if (this.#count() !== null) throw unreadable("it repeats a repetition");
    return { type: "repeat", of, ...count };
  }

  #count(): { min: number; max: number | null } | null {
    if (this.#take("*")) return { min: 0, max: null };
    if (this.#take("+")) return { min: 1, max: null };
    if (this.#take("?")) return { min: 0, max: 1 };
    if (!this.#take("{")) return null;
    const min = this.#number();
    const max = this.#take(",") ? (this.#peek() === "}" ? null : this.#number()) : min;
    if (!this.#take("}")) throw unreadable("it has a curly bracket that is no count");
    if (max !== null && max < min) throw unreadable("it has a count that ends before it begins");
    return { min, max };
  }

  #number(): number {
    let text = "";
    for (let next = this.#peek(); next !== undefined && next >= "0" && next <= "9"; next = this.#peek()) {
      text += next;
      this.#at += 1;
    }
    if (text === "") throw unreadable("it has a curly bracket that is no count");
    return Number(text);
  }

  #atom(): RegexTree {
    const character = this.#next();
    switch (character) {
      case "^":
        return { type: "start" };
      case "$":
        return { type: "end" };
      case ".":
        return { type: "characters", set: complement(lineEnds) };
      case "(":
        return this.#group();
      case "[":
        return { type: "characters", set: this.#class() };
      case "\\":
        return { type: "characters", set: this.#escape(false) };
      case "*":
      case "+":
      case "?":
      case "{":
        throw unreadable("it repeats nothing");
      case "]":
      case "}":
        throw unreadable("it has a closing bracket too many");
      default:
        return { type: "characters", set: charactersOf(character) };
    }
  }

  #group(): RegexTree {
    let ahead: { negative: boolean } | null = null;
    if (this.#take("?")) {
      const kind = this.#next();
      if (kind === "=" || kind === "!") ahead = { negative: kind === "!" };
      else if (kind === "<" && this.#peek() !== "=" && this.#peek() !== "!") {
        while (this.#next() !== ">") {
          // The name of a group means nothing here.
        }
      } else if (kind !== ":") {
        throw unreadable(kind === "<" ? "it looks behind" : "it has a group of an unknown kind");
      }
    }
    const of = this.#choice();
    if (!this.#take(")")) throw unreadable("it has a group without an end");
    return ahead === null ? of : { type: "ahead", of, ...ahead };
  }

  #class(): CodePoints {
    const negated = this.#take("^");
    const sets: CodePoints[] = [];
    for (;;) {
      if (this.#take("]")) break;
      const low = this.#classAtom();
      if (this.#peek() === "-" && this.#characters[this.#at + 1] !== "]") {
        this.#at += 1;
        const high = this.#classAtom();
        const from = single(low);
        const to = single(high);
        if (from === null || to === null || from > to) throw unreadable("it has a range that is none");
        sets.push(codePoints([[from, to]]));
      } else {
        sets.push(low);
      }
    }
    const set = union(...sets);
    return negated ? complement(set) : set;
  }

  #classAtom(): CodePoints {
    const character = this.#next();
    return character === "\\" ? this.#escape(true) : charactersOf(character);
  }

  #escape(inClass: boolean): CodePoints {
    const letter = this.#next();
    const set = classEscapes[letter];
    if (set !== undefined) return set;
    if (inClass && letter === "b") return charactersOf("\b");
    const control = controlEscapes[letter];
    if (control !== undefined) return codePoints([[control, control]]);
    switch (letter) {
      case "x":
        return this.#hex(2);
      case "u":
        return this.#unicode();
      case "c": {
        const code = this.#next().codePointAt(0) ?? 0;
        return codePoints([[code % 32, code % 32]]);
      }
      case "b":
      case "B":
        throw unreadable("it asks for the border of a word");
      case "p":
      case "P":
        throw unreadable("it names a Unicode property");
      case "k":
        throw unreadable("it refers back to a group");
    }
    if (letter >= "1" && letter <= "9") throw unreadable("it refers back to a group");
    if (/^[A-Za-z]$/.test(letter)) throw unreadable("it has an escape that is none");
    return charactersOf(letter);
  }

  #hex(length: number): CodePoints {
    const code = this.#hexNumber(length);
    return codePoints([[code, code]]);
  }

  #hexNumber(length: number): number {
    const text = this.#characters.slice(this.#at, this.#at + length).join("");
    if (text.length !== length || !/^[0-9A-Fa-f]+$/.test(text)) throw unreadable("it has an escape that is none");
    this.#at += length;
    return Number.parseInt(text, 16);
  }

  #unicode(): CodePoints {
    if (this.#take("{")) {
      const end = this.#characters.indexOf("}", this.#at);
      if (end < 0 || end - this.#at > 6) throw unreadable("it has an escape that is none");
      const code = this.#hexNumber(end - this.#at);
      this.#at += 1;
      return codePoints([[code, code]]);
    }
    const high = this.#hexNumber(4);
    const pair = high >= 0xd800 && high <= 0xdbff && this.#peek() === "\\" && this.#characters[this.#at + 1] === "u";
    if (!pair) return codePoints([[high, high]]);
    this.#at += 2;
    const code = 0x10000 + ((high - 0xd800) << 10) + (this.#hexNumber(4) - 0xdc00);
    return codePoints([[code, code]]);
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #next(): string {
    const character = this.#characters[this.#at];
    if (character === undefined) throw unreadable("it ends in the middle");
    this.#at += 1;
    return character;
  }

  #take(character: string): boolean {
    if (this.#characters[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}

/** The one member of a set, or null. */
function single(set: CodePoints): number | null {
  const [range] = set;
  return set.length === 1 && range !== undefined && range[0] === range[1] ? range[0] : null;
}

function unreadable(words: string): UnreadablePattern {
  return new UnreadablePattern(words);
}
