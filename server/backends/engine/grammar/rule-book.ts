/** The rules of one grammar: named as they come, each body kept once, checked and printed at the end. Pure. */
import { choice, type Expression, isNever, never, nothing, printed, ruleNamed, sequence, text } from "./expression.ts";
import type { Budget } from "./limits.ts";

/** Counts up to here are written as the engine's own `{m,n}`, which it unfolds; larger ones are halved until they fit. */
const nativeCount = 32;
/** No answer is that long. */
export const unreachableLength = 2 ** 31;

export class RuleBook {
  readonly #bodies = new Map<string, Expression>();
  readonly #names = new Map<string, string>();
  readonly #counts = new Map<string, Expression>();
  readonly #prefix: string;
  readonly #budget: Budget;
  #count = 0;

  /** `prefix`: what the names of its rules begin with. */
  constructor(prefix: string, budget: Budget) {
    this.#prefix = prefix;
    this.#budget = budget;
  }

  /** The name of the rule that is the whole. */
  get root(): string {
    return `${this.#prefix}0`;
  }

  /** A name to be given a body later: for what refers to itself. */
  reserve(): string {
    this.#budget.rules.spend();
    this.#count += 1;
    return `${this.#prefix}${this.#count}`;
  }

  give(name: string, body: Expression): void {
    this.#budget.characters.spend(printed(body).length);
    this.#bodies.set(name, body);
  }

  /** The body as a rule, or itself where it is as short as a name. */
  define(body: Expression): Expression {
    if (isNever(body) || body.type === "rule" || (body.type === "text" && body.text.length < 4)) return body;
    const key = printed(body);
    const known = this.#names.get(key);
    if (known !== undefined) return ruleNamed(known);
    const name = this.reserve();
    this.give(name, body);
    this.#names.set(key, name);
    return ruleNamed(name);
  }

  /**
   * `of`, which is never empty, from `min` to `max` times. The number of rules grows with the logarithm of the counts, and
   * so does the number of ways the engine follows at once.
   */
  repeated(of: Expression, min: number, max: number | null): Expression {
    if (isNever(of)) return min === 0 ? nothing : never;
    const unit = of.type === "rule" || of.type === "characters" ? of : this.define(of);
    const end = max === null || max >= unreachableLength ? null : max;
    if (end !== null && end < min) return never;
    if (end === null && min <= nativeCount) return { type: "repeat", of: unit, min, max: null };
    if (end !== null && end <= nativeCount) return end === 0 ? nothing : { type: "repeat", of: unit, min, max: end };
    const rest: Expression =
      end === null ? { type: "repeat", of: unit, min: 0, max: null } : this.#upTo(unit, end - min);
    return sequence(this.#exactly(unit, min), rest);
  }

  #exactly(unit: Expression, times: number): Expression {
    if (times === 0) return nothing;
    if (times <= nativeCount) return { type: "repeat", of: unit, min: times, max: times };
    return this.#counted(`${printed(unit)} exactly ${times}`, () => {
      const half = this.#exactly(unit, Math.floor(times / 2));
      return sequence(half, half, times % 2 === 0 ? nothing : unit);
    });
  }

  #upTo(unit: Expression, times: number): Expression {
    if (times === 0) return nothing;
    if (times <= nativeCount) return { type: "repeat", of: unit, min: 0, max: times };
    return this.#counted(`${printed(unit)} up to ${times}`, () => {
      const few = Math.floor(times / 2);
      const many = sequence(this.#exactly(unit, few + 1), this.#upTo(unit, times - few - 1));
      return choice([many, this.#upTo(unit, few)]);
    });
  }

  /** Halves of halves are mostly the same two sizes: each is made once. */
  #counted(key: string, make: () => Expression): Expression {
    const known = this.#counts.get(key) ?? this.define(make());
    this.#counts.set(key, known);
    return known;
  }

  /** Exactly one of these texts. Shared beginnings are written once: the engine compares as many ways as differ here. */
  oneOfTexts(texts: readonly string[]): Expression {
    const distinct = [...new Set(texts)];
    const byFirst = new Map<string, string[]>();
    const ends = distinct.includes("");
    for (const one of distinct) {
      if (one === "") continue;
      const first = String.fromCodePoint(one.codePointAt(0) ?? 0);
      const group = byFirst.get(first) ?? [];
      group.push(one);
      byFirst.set(first, group);
    }
    const branches = [...byFirst.values()].map((group) => {
      const shared = sharedStart(group);
      const rests = group.map((one) => one.slice(shared.length));
      return rests.length === 1 ? text(shared) : sequence(text(shared), this.define(this.oneOfTexts(rests)));
    });
    return choice(ends ? [nothing, ...branches] : branches);
  }

  /** Rules from which some text can be finished. */
  #productive(): ReadonlySet<string> {
    const users = new Map<string, string[]>();
    for (const [name, body] of this.#bodies) {
      for (const used of rulesIn(body)) {
        const known = users.get(used);
        if (known === undefined) users.set(used, [name]);
        else known.push(name);
      }
    }
    const done = new Set<string>();
    const finishes = (body: Expression): boolean => {
      switch (body.type) {
        case "rule":
          return !this.#bodies.has(body.name) || done.has(body.name);
        case "sequence":
          return body.parts.every(finishes);
        case "choice":
          return body.branches.some(finishes);
        case "repeat":
          return body.min === 0 || finishes(body.of);
        default:
          return true;
      }
    };
    const waiting = [...this.#bodies.keys()];
    for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
      const body = this.#bodies.get(name);
      if (body === undefined || done.has(name) || !finishes(body)) continue;
      done.add(name);
      for (const user of users.get(name) ?? []) waiting.push(user);
    }
    return done;
  }

  /** True when a rule begins with itself: the engine would never get to a character. */
  beginsWithItself(): boolean {
    const state = new Map<string, "open" | "done">();
    const visit = (body: Expression): boolean => {
      switch (body.type) {
        case "rule": {
          const inner = this.#bodies.get(body.name);
          if (inner === undefined || state.get(body.name) === "done") return false;
          if (state.get(body.name) === "open") return true;
          state.set(body.name, "open");
          const circular = visit(inner);
          state.set(body.name, "done");
          return circular;
        }
        case "sequence":
          return body.parts[0] !== undefined && visit(body.parts[0]);
        case "choice":
          return body.branches.some(visit);
        case "repeat":
          return visit(body.of);
        default:
          return false;
      }
    };
    return [...this.#bodies.keys()].some((name) => visit(ruleNamed(name)));
  }

  /** All rules in use, the root first, without ways that never end; none, when the root itself never ends. */
  print(): readonly string[] {
    const productive = this.#productive();
    const reachable = new Set([this.root]);
    const lines: string[] = [];
    for (const name of reachable) {
      const body = this.#bodies.get(name);
      if (body === undefined || !productive.has(name)) continue;
      const kept = this.#withoutDeadEnds(body, productive);
      for (const used of rulesIn(kept)) reachable.add(used);
      lines.push(`${name} ::= ${printed(kept)}`);
    }
    return lines;
  }

  #withoutDeadEnds(body: Expression, productive: ReadonlySet<string>): Expression {
    switch (body.type) {
      case "rule":
        return this.#bodies.has(body.name) && !productive.has(body.name) ? never : body;
      case "sequence":
        return sequence(...body.parts.map((part) => this.#withoutDeadEnds(part, productive)));
      case "choice":
        return choice(body.branches.map((branch) => this.#withoutDeadEnds(branch, productive)));
      case "repeat": {
        const of = this.#withoutDeadEnds(body.of, productive);
        return isNever(of) ? (body.min === 0 ? nothing : never) : { ...body, of };
      }
      default:
        return body;
    }
  }
}

function rulesIn(body: Expression): readonly string[] {
  switch (body.type) {
    case "rule":
      return [body.name];
    case "sequence":
      return body.parts.flatMap(rulesIn);
    case "choice":
      return body.branches.flatMap(rulesIn);
    case "repeat":
      return rulesIn(body.of);
    default:
      return [];
  }
}

/** Whole characters only. */
function sharedStart(texts: readonly string[]): string {
  let shared = texts[0] ?? "";
  for (const one of texts) {
    let length = 0;
    while (length < shared.length && shared[length] === one[length]) length += 1;
    shared = shared.slice(0, length);
  }
  const last = shared.charCodeAt(shared.length - 1);
  return last >= 0xd800 && last <= 0xdbff ? shared.slice(0, -1) : shared;
}
