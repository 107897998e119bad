/**
 * JSON text in pieces → the same value as compact JSON, as far as it has been read. Pure state.
 *
 * Clients parse the arguments of a call and write them again with `JSON.stringify` when they send the history back, so that
 * is the form they are given: no space, the shortest escapes, numbers as JavaScript writes them, keys in the order written.
 * Small models leave line breaks in strings unescaped and write Python's `True`; both are read for what they mean.
 */

/** One member of the outermost object, as offsets into the compact text; `to` is null while its value is being read. */
export interface Member {
  readonly key: string;
  readonly from: number;
  to: number | null;
}

const numberForm = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const literals: ReadonlyMap<string, string> = new Map([
  ["true", "true"],
  ["false", "false"],
  ["null", "null"],
  ["True", "true"],
  ["False", "false"],
  ["None", "null"],
]);
const escapes: Readonly<Record<string, string>> = Object.freeze({
  '"': '"',
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
});

type Expecting =
  | "value"
  | "value-or-end"
  | "key"
  | "key-or-end"
  | "colon"
  | "comma-or-end"
  | "string"
  | "escape"
  | "scalar";

export class CompactJson {
  /** Compact text of what has been read, behind what was forgotten. */
  #out = "";
  #forgotten = 0;
  state: "more" | "done" | "failed" = "more";
  /** Members of the outermost object whose key is complete. */
  readonly members: Member[] = [];
  #expecting: Expecting = "value";
  /** Open brackets, outermost first. */
  readonly #open: ("{" | "[")[] = [];
  #isKey = false;
  /** Where in the compact text the string being read begins. */
  #stringAt = 0;
  /** Decoded characters of a string that are not written yet: at most one half of a surrogate pair. */
  #half = "";
  /** What follows a backslash, or the characters of a number or a word. */
  #held = "";

  /** Length of the compact text so far. */
  get length(): number {
    return this.#forgotten + this.#out.length;
  }

  /** Part of the compact text; nothing of what was forgotten. */
  slice(from: number, to = this.length): string {
    return this.#out.slice(from - this.#forgotten, to - this.#forgotten);
  }

  /** What stands before `offset` is not needed any more: a long value is not kept twice. */
  forget(offset: number): void {
    // A key that is being read is looked at once more when it is complete.
    const upTo = this.#isKey ? Math.min(offset, this.#stringAt) : offset;
    this.#out = this.slice(upTo);
    this.#forgotten = upTo;
  }

  /** Reads from `from`; gives the index behind the last character read. The outermost value must be an object or a list. */
  push(text: string, from: number): number {
    let at = from;
    while (at < text.length && this.state === "more") {
      if (this.#expecting === "string") at = this.#string(text, at);
      else if (this.#expecting === "scalar" && /[\w+.-]/.test(text.charAt(at))) {
        this.#held += text.charAt(at);
        at += 1;
      } else {
        if (this.#expecting === "scalar") this.#endScalar();
        // Nothing more is read once it has failed: the character belongs to whatever stands there.
        if (this.state === "more" && this.#character(text.charAt(at))) at += 1;
      }
    }
    return at;
  }

  #character(character: string): boolean {
    if (this.#expecting === "escape") return this.#escape(character);
    if (/\s/.test(character)) return this.#open.length > 0 ? true : this.#fail();
    switch (this.#expecting) {
      case "colon":
        if (character !== ":") return this.#fail();
        this.#out += ":";
        if (this.#open.length === 1) this.#beginMember();
        this.#expecting = "value";
        return true;
      case "comma-or-end":
        if (character !== ",") return this.#close(character);
        this.#out += ",";
        this.#expecting = this.#open.at(-1) === "{" ? "key" : "value";
        return true;
      case "key":
      case "key-or-end":
        if (character === '"') return this.#beginString(true);
        return this.#expecting === "key-or-end" ? this.#close(character) : this.#fail();
      default:
        return this.#value(character);
    }
  }

  #value(character: string): boolean {
    if (character === '"' && this.#open.length > 0) return this.#beginString(false);
    if (character === "{" || character === "[") {
      this.#open.push(character);
      this.#out += character;
      this.#expecting = character === "{" ? "key-or-end" : "value-or-end";
      return true;
    }
    if (character === "]" && this.#expecting === "value-or-end") return this.#close(character);
    if (this.#open.length === 0 || !/[-\dA-Za-z]/.test(character)) return this.#fail();
    this.#held = character;
    this.#expecting = "scalar";
    return true;
  }

  #close(character: string): boolean {
    if (character !== (this.#open.at(-1) === "{" ? "}" : "]")) return this.#fail();
    this.#open.pop();
    this.#out += character;
    this.#endValue();
    return true;
  }

  #endValue(): void {
    if (this.#open.length === 0) {
      this.state = "done";
      return;
    }
    const member = this.members.at(-1);
    if (this.#open.length === 1 && member?.to === null) member.to = this.length;
    this.#expecting = "comma-or-end";
  }

  #beginMember(): void {
    if (this.#open[0] !== "{") return;
    const key: unknown = JSON.parse(this.slice(this.#stringAt, this.length - 1));
    this.members.push({ key: String(key), from: this.length, to: null });
  }

  #beginString(isKey: boolean): boolean {
    this.#isKey = isKey;
    this.#stringAt = this.length;
    this.#out += '"';
    this.#expecting = "string";
    return true;
  }

  #string(text: string, from: number): number {
    let at = from;
    while (at < text.length && text[at] !== '"' && text[at] !== "\\") at += 1;
    this.#write(text.slice(from, at));
    if (at === text.length) return at;
    if (text[at] === "\\") {
      this.#held = "";
      this.#expecting = "escape";
      return at + 1;
    }
    this.#out += `${escaped(this.#half)}"`;
    this.#half = "";
    if (this.#isKey) this.#expecting = "colon";
    else this.#endValue();
    return at + 1;
  }

  #escape(character: string): boolean {
    if (this.#held === "" && character !== "u") {
      const meant = escapes[character];
      if (meant === undefined) return this.#fail();
      this.#write(meant);
      this.#expecting = "string";
      return true;
    }
    if (this.#held !== "" && !/[\da-fA-F]/.test(character)) return this.#fail();
    this.#held += character;
    if (this.#held.length === 5) {
      this.#write(String.fromCharCode(Number.parseInt(this.#held.slice(1), 16)));
      this.#expecting = "string";
    }
    return true;
  }

  /** The first half of a surrogate pair waits for the second: alone it would be written as an escape. */
  #write(decoded: string): void {
    const all = this.#half + decoded;
    const whole = /[\uD800-\uDBFF]$/.test(all) ? all.length - 1 : all.length;
    this.#half = all.slice(whole);
    this.#out += escaped(all.slice(0, whole));
  }

  #endScalar(): void {
    const written = canonicalScalar(this.#held);
    if (written === null) {
      this.#fail();
      return;
    }
    this.#out += written;
    this.#endValue();
  }

  #fail(): false {
    this.state = "failed";
    return false;
  }
}

function escaped(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function canonicalScalar(text: string): string | null {
  const literal = literals.get(text);
  if (literal !== undefined) return literal;
  if (!numberForm.test(text)) return null;
  const value = Number(text);
  // A 64-bit id must not be rounded by us, and what no double can hold stays as it was written.
  const exact = Number.isFinite(value) && (Number.isSafeInteger(value) || !Number.isInteger(value));
  return exact ? JSON.stringify(value) : text;
}
