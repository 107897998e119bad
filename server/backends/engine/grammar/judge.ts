/**
 * Whether a given value satisfies schemas: for `enum` and `const` beside other words, names of members, and branches of
 * `oneOf`. Pure. `null` is "cannot tell".
 */
import { isDeepStrictEqual } from "node:util";
import { allows } from "./automaton.ts";
import { type Facts, factsOf, type JsonType } from "./facts.ts";
import { type Flattener, isSchema, own, type Place, type PlainPlace } from "./flatten.ts";
import { type Allowance, limits } from "./limits.ts";
import type { Notes } from "./notes.ts";
import { digitsOf, isDivisor } from "./number-range.ts";
import type { Texts } from "./texts.ts";

export type Verdict = boolean | null;

export class Judge {
  readonly #flattener: Flattener;
  readonly #texts: Texts;
  readonly #notes: Notes;
  readonly #allowance: Allowance;
  readonly #lists = new WeakMap<
    object,
    { readonly simple: ReadonlySet<unknown>; readonly others: readonly unknown[] }
  >();

  constructor(flattener: Flattener, texts: Texts, notes: Notes, allowance: Allowance) {
    this.#flattener = flattener;
    this.#texts = texts;
    this.#notes = notes;
    this.#allowance = allowance;
  }

  satisfies(value: unknown, places: readonly Place[], depth = 0): Verdict {
    this.#allowance.spend();
    if (depth > limits.depth) return null;
    const plain = this.#flattener.flat(places);
    if (plain === null) return false;
    return this.#plain(value, plain, depth);
  }

  #plain(value: unknown, plain: readonly PlainPlace[], depth: number): Verdict {
    const found = this.#flattener.firstChoice(plain);
    if (found === null) return this.#facts(value, plain, depth);
    const verdicts = found.choice.branches.map((branch) => this.satisfies(value, [branch], depth + 1));
    const fitting = verdicts.filter((verdict) => verdict === true).length;
    const unsure = verdicts.includes(null);
    const chosen: Verdict = found.choice.exclusive
      ? fitting > 1
        ? false
        : unsure
          ? null
          : fitting === 1
      : fitting > 0 || (unsure ? null : false);
    return all([chosen, chosen === false ? false : this.satisfies(value, found.besides, depth + 1)]);
  }

  #facts(value: unknown, plain: readonly PlainPlace[], depth: number): Verdict {
    const facts = factsOf(plain, this.#notes);
    const type = typeOf(value);
    if (facts.types !== null && !facts.types.has(type) && !(type === "integer" && facts.types.has("number")))
      return false;
    for (const { schema } of plain) {
      if (Object.hasOwn(schema, "const") && !isDeepStrictEqual(schema.const, value)) return false;
      const list = own(schema, "enum");
      if (Array.isArray(list) && !this.#listed(list, value)) return false;
    }
    const nots = facts.nots.map((not) => opposite(this.satisfies(value, [not], depth + 1)));
    return all([...nots, this.#byType(value, facts, depth)]);
  }

  /** Thousands of values are usual where they are texts or numbers; those are looked up, not compared one by one. */
  #listed(list: readonly unknown[], value: unknown): boolean {
    const known = this.#lists.get(list) ?? {
      simple: new Set(list.filter((one) => typeof one !== "object" || one === null)),
      others: list.filter((one) => typeof one === "object" && one !== null),
    };
    this.#lists.set(list, known);
    if (typeof value !== "object" || value === null) return known.simple.has(value);
    this.#allowance.spend(known.others.length);
    return known.others.some((one) => isDeepStrictEqual(one, value));
  }

  #byType(value: unknown, facts: Facts, depth: number): Verdict {
    if (typeof value === "string") return this.#string(value, facts);
    if (typeof value === "number") return inRange(value, facts);
    if (Array.isArray(value)) return this.#array(value, facts, depth);
    return isSchema(value) ? this.#object(value, facts, depth) : true;
  }

  #string(value: string, facts: Facts): Verdict {
    const length = Array.from(value).length;
    if (length < facts.minLength || length > (facts.maxLength ?? length)) return false;
    const patterned = facts.texts.some((wish) => wish.kind === "pattern");
    return all(
      facts.texts.map((wish) => {
        const automaton = this.#texts.automaton(wish, patterned);
        return automaton === null || allows(automaton, value);
      }),
    );
  }

  #array(value: readonly unknown[], facts: Facts, depth: number): Verdict {
    if (value.length < facts.minItems || value.length > (facts.maxItems ?? value.length)) return false;
    if (facts.unkept.length > 0) return null;
    return all(
      value.map((item, index) => {
        const places = facts.arrays.flatMap(({ first, rest }) => first[index] ?? rest ?? []);
        return this.satisfies(item, places, depth + 1);
      }),
    );
  }

  #object(value: Readonly<Record<string, unknown>>, facts: Facts, depth: number): Verdict {
    const names = Object.keys(value);
    if (names.length < facts.minProperties || names.length > (facts.maxProperties ?? names.length)) return false;
    if (facts.required.some((name) => !Object.hasOwn(value, name))) return false;
    return all(
      names.flatMap((name) => [
        this.satisfies(name, facts.names, depth + 1),
        this.satisfies(value[name], this.member(facts, name), depth + 1),
      ]),
    );
  }

  /** What the schemas say about the member of this name. */
  member(facts: Facts, name: string): readonly Place[] {
    return facts.objects.flatMap((shape) => {
      const known = shape.properties.get(name);
      const matched = shape.patterns.filter(({ source, place }) => {
        const automaton = this.#texts.automaton({ kind: "pattern", text: source, at: place.at });
        return automaton !== null && allows(automaton, name);
      });
      const places = [...(known === undefined ? [] : [known]), ...matched.map(({ place }) => place)];
      return places.length === 0 && shape.additional !== null ? [shape.additional] : places;
    });
  }
}

export function typeOf(value: unknown): JsonType {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  switch (typeof value) {
    case "string":
    case "boolean":
      return typeof value as "string" | "boolean";
    case "number":
      return Number.isInteger(value) ? "integer" : "number";
    default:
      return "object";
  }
}

function inRange(value: number, facts: Facts): Verdict {
  const { low, high } = facts;
  if (low !== null && (value < low.value || (low.exclusive && value === low.value))) return false;
  if (high !== null && (value > high.value || (high.exclusive && value === high.value))) return false;
  return all(facts.multiplesOf.map(({ value: step }) => isMultiple(value, step)));
}

/** As decimals: see `number-range.ts`. */
function isMultiple(value: number, step: number): Verdict {
  if (!isDivisor(step)) return null;
  const one = digitsOf(value);
  const other = digitsOf(step);
  const places = Math.max(one.fraction.length, other.fraction.length);
  const scaled = (digits: typeof one) => BigInt(digits.whole + digits.fraction.padEnd(places, "0"));
  return scaled(one) % scaled(other) === 0n;
}

function all(verdicts: readonly Verdict[]): Verdict {
  if (verdicts.includes(false)) return false;
  return verdicts.includes(null) ? null : true;
}

function opposite(verdict: Verdict): Verdict {
  return verdict === null ? null : !verdict;
}
