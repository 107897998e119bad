/**
 * A small interpreter of the engine's grammar notation, for tests: writes random texts of a grammar, and says whether a
 * grammar allows a text. It knows what the converter writes, and throws on anything else.
 */
import type { Random } from "./random.ts";

type Node =
  | { readonly type: "characters"; readonly ranges: readonly (readonly [number, number])[]; readonly negated: boolean }
  | { readonly type: "rule"; readonly name: string }
  | { readonly type: "sequence"; readonly parts: readonly Node[] }
  | { readonly type: "choice"; readonly branches: readonly Node[] }
  | { readonly type: "repeat"; readonly of: Node; readonly min: number; readonly max: number };

export interface Gbnf {
  readonly ruleCount: number;
  /** A text the grammar allows. Past about `length` characters the shortest way to an end is taken. */
  write(random: Random, length?: number): string;
  allows(text: string): boolean;
  /** The most ways followed at once while reading the text. */
  waysAtOnce(text: string): number;
}

export function readGbnf(grammar: string): Gbnf {
  const rules = new Map<string, Node>();
  for (const line of grammar.split("\n")) {
    const [, name, body] = /^([A-Za-z][A-Za-z0-9-]*) ::= (.*)$/.exec(line) ?? [];
    if (name === undefined || body === undefined) throw new Error(`no rule: ${line}`);
    if (rules.has(name)) throw new Error(`a rule twice: ${name}`);
    rules.set(name, new Reader(body).whole());
  }
  const ruleOf = (name: string): Node => {
    const node = rules.get(name);
    if (node === undefined) throw new Error(`no such rule: ${name}`);
    return node;
  };
  for (const node of rules.values()) eachRule(node, ruleOf);
  const root = ruleOf("root");
  const writer = new Writer(rules);
  return {
    ruleCount: rules.size,
    write: (random, length = 200) => writer.write(root, random, length),
    allows: (text) => new Follower(ruleOf).read(root, text).ended,
    waysAtOnce: (text) => new Follower(ruleOf).read(root, text).ways,
  };
}

function eachRule(node: Node, ruleOf: (name: string) => Node): void {
  if (node.type === "rule") ruleOf(node.name);
  else if (node.type === "sequence") for (const part of node.parts) eachRule(part, ruleOf);
  else if (node.type === "choice") for (const branch of node.branches) eachRule(branch, ruleOf);
  else if (node.type === "repeat") eachRule(node.of, ruleOf);
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Node {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw new Error(`cannot read on: ${this.#text.slice(this.#at)}`);
    return node;
  }

  #choice(): Node {
    const branches = [this.#sequence()];
    while (this.#take("|")) branches.push(this.#sequence());
    return { type: "choice", branches };
  }

  #sequence(): Node {
    const parts: Node[] = [];
    for (;;) {
      while (this.#take(" "));
      const next = this.#text[this.#at];
      if (next === undefined || next === "|" || next === ")") return { type: "sequence", parts };
      parts.push(this.#repeated(this.#atom(next)));
    }
  }

  #repeated(of: Node): Node {
    const [, sign, min, comma, max] = /^(?:([*+?])|\{(\d+)(,?)(\d*)\})/.exec(this.#text.slice(this.#at)) ?? [];
    if (sign === undefined && min === undefined) return of;
    this.#at += sign === undefined ? `{${min}${comma}${max}}`.length : 1;
    if (sign !== undefined) {
      return { type: "repeat", of, min: sign === "+" ? 1 : 0, max: sign === "?" ? 1 : Number.POSITIVE_INFINITY };
    }
    const least = Number(min);
    const most = max === "" ? (comma === "" ? least : Number.POSITIVE_INFINITY) : Number(max);
    return { type: "repeat", of, min: least, max: most };
  }

  #atom(first: string): Node {
    if (this.#take("(")) {
      const node = this.#choice();
      if (!this.#take(")")) throw new Error("a group without an end");
      return node;
    }
    if (this.#take('"')) {
      const parts: Node[] = [];
      while (!this.#take('"')) {
        const point = this.#point();
        parts.push({ type: "characters", ranges: [[point, point]], negated: false });
      }
      return { type: "sequence", parts };
    }
    if (this.#take("[")) {
      const negated = this.#take("^");
      const ranges: [number, number][] = [];
      while (!this.#take("]")) {
        const from = this.#point();
        const to = this.#text[this.#at] === "-" && this.#text[this.#at + 1] !== "]" ? this.#upTo() : from;
        ranges.push([from, to]);
      }
      return { type: "characters", ranges, negated };
    }
    const [name] = /^[A-Za-z][A-Za-z0-9-]*/.exec(this.#text.slice(this.#at)) ?? [];
    if (name === undefined) throw new Error(`cannot read ${first}`);
    this.#at += name.length;
    return { type: "rule", name };
  }

  #upTo(): number {
    this.#at += 1;
    return this.#point();
  }

  #point(): number {
    const point = this.#text.codePointAt(this.#at);
    if (point === undefined) throw new Error("a terminal without an end");
    this.#at += point > 0xffff ? 2 : 1;
    if (point !== 0x5c) return point;
    const letter = this.#text[this.#at] ?? "";
    this.#at += 1;
    const digits = { x: 2, u: 4, U: 8 }[letter];
    if (digits !== undefined) {
      this.#at += digits;
      return Number.parseInt(this.#text.slice(this.#at - digits, this.#at), 16);
    }
    const control = { t: 9, n: 10, r: 13 }[letter];
    if (control !== undefined) return control;
    if (!'\\"[]'.includes(letter)) throw new Error(`an unknown escape: ${letter}`);
    return letter.charCodeAt(0);
  }

  #take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }
}

class Writer {
  readonly #rules: ReadonlyMap<string, Node>;
  /** Characters of the shortest text of each rule; rules that never end are missing. */
  readonly #shortest = new Map<string, number>();

  constructor(rules: ReadonlyMap<string, Node>) {
    this.#rules = rules;
    for (let changed = true; changed; ) {
      changed = false;
      for (const [name, node] of [...rules].reverse()) {
        const length = this.#length(node);
        if (length < (this.#shortest.get(name) ?? Number.POSITIVE_INFINITY)) {
          this.#shortest.set(name, length);
          changed = true;
        }
      }
    }
  }

  #length(node: Node): number {
    switch (node.type) {
      case "characters":
        return 1;
      case "rule":
        // One more for the step itself: of two ways with the same text the one with fewer rules is shorter.
        return (this.#shortest.get(node.name) ?? Number.POSITIVE_INFINITY) + 0.001;
      case "sequence":
        return node.parts.reduce((sum, part) => sum + this.#length(part), 0);
      case "choice":
        return Math.min(...node.branches.map((branch) => this.#length(branch)));
      case "repeat":
        return node.min === 0 ? 0 : node.min * this.#length(node.of);
    }
  }

  write(root: Node, random: Random, length: number): string {
    let text = "";
    const waiting: Node[] = [root];
    for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
      const hurry = text.length > length;
      switch (node.type) {
        case "characters":
          text += String.fromCodePoint(character(node.ranges, node.negated, random));
          break;
        case "rule":
          waiting.push(this.#rules.get(node.name) ?? root);
          break;
        case "sequence":
          for (const part of node.parts.toReversed()) waiting.push(part);
          break;
        case "choice":
          waiting.push(hurry ? this.#quickest(node.branches) : random.pick(node.branches));
          break;
        case "repeat": {
          const extra = hurry ? 0 : Math.floor(random.number() ** 3 * 12);
          for (let count = Math.min(node.min + extra, node.max); count > 0; count -= 1) waiting.push(node.of);
        }
      }
    }
    return text;
  }

  #quickest(branches: readonly Node[]): Node {
    const lengths = branches.map((branch) => this.#length(branch));
    const quickest = branches[lengths.indexOf(Math.min(...lengths))];
    if (quickest === undefined) throw new Error("a choice of nothing");
    return quickest;
  }
}

/** Borders of ranges are taken often: that is where converters are wrong. */
function character(ranges: readonly (readonly [number, number])[], negated: boolean, random: Random): number {
  if (negated) {
    for (;;) {
      const point = random.chance(0.8) ? 0x20 + random.below(0x60) : random.below(0x2000);
      if (!ranges.some(([from, to]) => from <= point && point <= to)) return point;
    }
  }
  const [from, to] = random.pick(ranges);
  if (random.chance(0.2)) return random.chance(0.5) ? from : to;
  return from + random.below(Math.min(to - from + 1, random.chance(0.8) ? 96 : 0x110000));
}

/** What has still to come, as a shared list: equal lists are the same object. */
interface Rest {
  readonly node: Node;
  readonly next: Rest | null;
  readonly id: number;
}

/** Follows all ways at once, as the engine does. */
class Follower {
  readonly #ruleOf: (name: string) => Node;
  readonly #ids = new Map<Node, number>();
  readonly #rests = new Map<string, Rest>();
  readonly #repeats = new Map<string, Node>();

  constructor(ruleOf: (name: string) => Node) {
    this.#ruleOf = ruleOf;
  }

  read(root: Node, text: string): { ended: boolean; ways: number } {
    let heads = this.#expanded([this.#rest(root, null)]);
    let ways = heads.length;
    for (const one of text) {
      const point = one.codePointAt(0) ?? 0;
      const next: (Rest | null)[] = [];
      for (const head of heads) {
        if (head?.node.type !== "characters") continue;
        const inside = head.node.ranges.some(([from, to]) => from <= point && point <= to);
        if (inside !== head.node.negated) next.push(head.next);
      }
      heads = this.#expanded(next);
      ways = Math.max(ways, heads.length);
      if (heads.length === 0) return { ended: false, ways };
    }
    return { ended: heads.includes(null), ways };
  }

  #expanded(rests: readonly (Rest | null)[]): (Rest | null)[] {
    const seen = new Set<Rest | null>();
    const heads = new Set<Rest | null>();
    const waiting = [...rests];
    for (let rest = waiting.pop(); rest !== undefined; rest = waiting.pop()) {
      if (seen.has(rest)) continue;
      seen.add(rest);
      if (rest === null || rest.node.type === "characters") {
        heads.add(rest);
        continue;
      }
      const { node, next } = rest;
      switch (node.type) {
        case "rule":
          waiting.push(this.#rest(this.#ruleOf(node.name), next));
          break;
        case "sequence":
          waiting.push(node.parts.reduceRight<Rest | null>((after, part) => this.#rest(part, after), next));
          break;
        case "choice":
          for (const branch of node.branches) waiting.push(this.#rest(branch, next));
          break;
        case "repeat":
          if (node.min === 0) waiting.push(next);
          if (node.max > 0) waiting.push(this.#rest(node.of, this.#rest(this.#lessOften(node), next)));
      }
    }
    return [...heads];
  }

  #lessOften(node: Extract<Node, { type: "repeat" }>): Node {
    const min = Math.max(0, node.min - 1);
    const key = `${this.#id(node.of)} ${min} ${node.max - 1}`;
    const known = this.#repeats.get(key) ?? { ...node, min, max: node.max - 1 };
    this.#repeats.set(key, known);
    return known;
  }

  #id(node: Node): number {
    const known = this.#ids.get(node) ?? this.#ids.size;
    this.#ids.set(node, known);
    return known;
  }

  #rest(node: Node, next: Rest | null): Rest {
    const key = `${this.#id(node)} ${next === null ? "" : next.id}`;
    const known = this.#rests.get(key) ?? { node, next, id: this.#rests.size };
    this.#rests.set(key, known);
    return known;
  }
}
