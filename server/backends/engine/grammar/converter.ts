/**
 * JSON schema → rules, the heart: which words a value must satisfy together, and which rule matches exactly such values.
 * Pure. A combination of schemas met a second time is the same rule, which is what makes recursion end.
 */
import type { JsonSchema } from "../../../domain/chat.ts";
import { arrayRule } from "./array-rules.ts";
import { type Automaton, both, oneOf, opposite, ofLength } from "./automaton.ts";
import { neverBoth, typesWritten } from "./disjoint.ts";
import { choice, type Expression, never, ruleNamed, sequence, text } from "./expression.ts";
import { type Facts, factsOf, type JsonType } from "./facts.ts";
import { constrains, Flattener, isSchema, type Place, type PlainPlace } from "./flatten.ts";
import { Judge } from "./judge.ts";
import { type Budget, limits, TooLarge } from "./limits.ts";
import { below, type Notes } from "./notes.ts";
import { isDivisor, numberAutomaton } from "./number-range.ts";
import { objectRule } from "./object-rules.ts";
import type { RuleBook } from "./rule-book.ts";
import { bareText, jsonStringRest } from "./string-rules.ts";
import { Texts } from "./texts.ts";

/** What `not` takes away from a type. */
interface Exclusions {
  readonly types: Set<JsonType>;
  readonly values: unknown[];
  readonly members: Place[];
}

export class Converter {
  readonly book: RuleBook;
  readonly notes: Notes;
  readonly flattener: Flattener;
  readonly texts: Texts;
  readonly judge: Judge;
  readonly #budget: Budget;
  readonly #numbers = new WeakMap<JsonSchema, number>();
  readonly #known = new Map<string, { result: Expression | null; name: string | null }>();
  readonly #automata = new Map<string, Expression>();
  #count = 0;

  constructor(root: unknown, book: RuleBook, notes: Notes, budget: Budget) {
    this.book = book;
    this.notes = notes;
    this.#budget = budget;
    this.flattener = new Flattener(root, notes, budget.schemas);
    this.texts = new Texts(notes, budget.automatonSteps);
    this.judge = new Judge(this.flattener, this.texts, notes, budget.checks);
  }

  spend(): void {
    this.#budget.schemas.spend();
  }

  /** Values that satisfy all of these. */
  value(places: readonly Place[], depth: number): Expression {
    this.spend();
    if (depth > limits.depth) throw new TooLarge(`is nested deeper than ${limits.depth} levels`);
    const plain = this.flattener.flat(places);
    if (plain === null) return never;
    if (plain.length === 0) return ruleNamed("value");
    const key = plain.map(({ schema }) => this.#number(schema)).join(" ");
    const known = this.#known.get(key);
    if (known !== undefined) {
      if (known.result !== null) return known.result;
      known.name ??= this.book.reserve();
      return ruleNamed(known.name);
    }
    const entry: { result: Expression | null; name: string | null } = { result: null, name: null };
    this.#known.set(key, entry);
    const body = this.#body(plain, depth);
    // Reserved meanwhile by somebody inside who refers to it.
    const name = entry.name as string | null;
    if (name === null) entry.result = this.book.define(body);
    else {
      this.book.give(name, body);
      entry.result = ruleNamed(name);
    }
    return entry.result;
  }

  /** The values that `enum` or `const` leave; null: not limited to a list. */
  values(places: readonly Place[]): readonly unknown[] | null {
    const plain = this.flattener.flat(places);
    if (plain === null) return [];
    const values = plain.length === 0 ? null : this.#facts(plain)?.values;
    if (!values) return null;
    return values.filter((value) => {
      const verdict = this.judge.satisfies(value, plain);
      if (verdict === null)
        this.notes.leave(plain[0]?.at ?? "", "whether its values fit its other words cannot be told");
      return verdict !== false;
    });
  }

  /** Names that `propertyNames` allows; null: all. */
  nameTexts(places: readonly Place[]): Automaton | null {
    const plain = this.flattener.flat(places);
    if (plain === null) return oneOf([], this.texts.allowance);
    if (plain.length === 0) return null;
    const facts = this.#facts(plain);
    if (facts === null) {
      this.notes.leave(plain[0]?.at ?? "", "names that have alternatives are not followed");
      return null;
    }
    const values = this.values(places);
    if (values !== null) {
      return oneOf(
        values.filter((value) => typeof value === "string"),
        this.texts.allowance,
      );
    }
    for (const { at } of facts.nots) this.notes.leave(at, "names are not excluded");
    if (facts.types !== null && !facts.types.has("string")) return oneOf([], this.texts.allowance);
    const wished = this.#wishedTexts(facts, []);
    if (wished !== null || (facts.minLength === 0 && facts.maxLength === null)) return wished;
    return ofLength(facts.minLength, facts.maxLength, this.texts.allowance);
  }

  #facts(plain: readonly PlainPlace[]): Facts | null {
    return this.flattener.firstChoice(plain) === null ? factsOf(plain, this.notes) : null;
  }

  #number(schema: JsonSchema): number {
    const known = this.#numbers.get(schema);
    if (known !== undefined) return known;
    this.#count += 1;
    this.#numbers.set(schema, this.#count);
    return this.#count;
  }

  #body(plain: readonly PlainPlace[], depth: number): Expression {
    const found = this.flattener.firstChoice(plain);
    if (found !== null) {
      const besides = found.besides.filter(({ schema }) => constrains(schema));
      const branches = found.choice.branches.map((branch) => [...besides, branch]);
      if (found.choice.exclusive && !this.#apart(branches)) {
        this.notes.leave(
          found.choice.at,
          "a value might fit two of its branches; tell them apart by a 'const', or use 'anyOf'",
        );
      }
      const listed = this.#listed(branches);
      if (listed !== null) return this.book.oneOfTexts(listed);
      return choice(branches.map((branch) => this.value(branch, depth + 1)));
    }
    const facts = factsOf(plain, this.notes);
    if (facts.values !== null) {
      const values = this.values(plain) ?? [];
      return this.book.oneOfTexts(values.map((value) => JSON.stringify(value)));
    }
    const excluded = this.#excluded(facts);
    if (excluded === null) return never;
    const types = [...typesWritten(facts)].filter((type) => !excluded.types.has(type));
    const free = facts.types === null && facts.implied.size === 0 && facts.nots.length === 0;
    if (free && facts.texts.length === 0) return ruleNamed("value");
    const withMembers =
      excluded.members.length === 0 ? facts : factsOf([...plain, ...plainOf(excluded.members)], this.notes);
    return choice(types.map((type) => this.#ofType(type, types, withMembers, excluded.values, depth)));
  }

  /** Unions of literals are an `enum` by another name, and as cheap to follow; null: they are not. */
  #listed(branches: readonly (readonly Place[])[]): readonly string[] | null {
    const texts: string[] = [];
    for (const branch of branches) {
      const values = this.values(branch);
      if (values === null) return null;
      for (const value of values) texts.push(JSON.stringify(value));
    }
    return texts;
  }

  #apart(branches: readonly (readonly Place[])[]): boolean {
    return branches.every((one, index) =>
      branches.every((other, otherIndex) => index === otherIndex || neverBoth(one, other, this)),
    );
  }

  #ofType(
    type: JsonType,
    types: readonly JsonType[],
    facts: Facts,
    excluded: readonly unknown[],
    depth: number,
  ): Expression {
    switch (type) {
      case "null":
        return excluded.includes(null) ? never : ruleNamed("null");
      case "boolean":
        if (!excluded.some((value) => typeof value === "boolean")) return ruleNamed("boolean");
        return choice([true, false].filter((value) => !excluded.includes(value)).map((value) => text(String(value))));
      case "integer":
        return types.includes("number") ? never : this.#numeric(facts, true, excluded);
      case "number":
        return this.#numeric(facts, false, excluded);
      case "string":
        return this.#string(facts, excluded);
      case "array":
        return arrayRule(facts, this, depth);
      case "object":
        return objectRule(facts, this, depth);
    }
  }

  #string(facts: Facts, excluded: readonly unknown[]): Expression {
    const { minLength, maxLength } = facts;
    if (maxLength !== null && maxLength < minLength) return never;
    const unwanted = excluded.filter((value) => typeof value === "string");
    const wished = this.#wishedTexts(facts, unwanted);
    if (wished !== null) {
      const key = JSON.stringify([
        facts.texts.map(({ kind, text: said }) => [kind, said]),
        minLength,
        maxLength,
        unwanted,
      ]);
      const known = this.#automata.get(key) ?? sequence(text('"'), jsonStringRest(wished, this.book));
      this.#automata.set(key, known);
      return known;
    }
    if (minLength === 0 && maxLength === null) return ruleNamed("string");
    return sequence(text('"'), this.book.repeated(ruleNamed("char"), minLength, maxLength), text('"'));
  }

  /** Patterns, formats, lengths beside them, and texts taken away; null: none of these. */
  #wishedTexts(facts: Facts, unwanted: readonly string[]): Automaton | null {
    const { allowance } = this.texts;
    const patterned = facts.texts.some((wish) => wish.kind === "pattern");
    let result: Automaton | null = null;
    const meet = (at: string, make: () => Automaton | null): void => {
      result =
        this.texts.within(at, () => {
          const next = make();
          return result === null || next === null ? (next ?? result) : both(result, next, allowance);
        }) ?? result;
    };
    for (const wish of facts.texts) meet(wish.at, () => this.texts.automaton(wish, patterned));
    if (unwanted.length > 0) meet(facts.nots[0]?.at ?? "", () => opposite(oneOf(unwanted, allowance), allowance));
    const bounded = facts.minLength > 0 || facts.maxLength !== null;
    if (result !== null && bounded) meet(facts.lengthAt, () => ofLength(facts.minLength, facts.maxLength, allowance));
    return result;
  }

  #numeric(facts: Facts, integer: boolean, excluded: readonly unknown[]): Expression {
    const steps = facts.multiplesOf.filter(({ value, at }) => {
      if (isDivisor(value)) return true;
      this.notes.leave(at, "multiples of it cannot be told by their digits");
      return false;
    });
    const whole = integer || steps.some(({ value }) => Number.isInteger(value));
    const multiplesOf = steps.map(({ value }) => value).filter((value) => value !== 1);
    const { low, high } = facts;
    const unwanted = excluded.filter((value) => typeof value === "number");
    const key = JSON.stringify([whole, low, high, multiplesOf, unwanted]);
    const known = this.#automata.get(key);
    if (known !== undefined) return known;
    const at = facts.multiplesOf[0]?.at ?? "";
    const made = this.texts.within(at, () => {
      const { allowance } = this.texts;
      const all = numberAutomaton({ integer: whole, low, high, multiplesOf }, allowance, unwanted.length > 0);
      if (all === null || unwanted.length === 0) return all;
      return both(all, opposite(oneOf(unwanted.map(String), allowance), allowance), allowance);
    });
    const result = made === null ? ruleNamed(whole ? "integer" : "number") : bareText(made, this.book);
    this.#automata.set(key, result);
    return result;
  }

  /** null: `not` leaves nothing. */
  #excluded(facts: Facts): Exclusions | null {
    const excluded: Exclusions = { types: new Set(), values: [], members: [] };
    for (const not of facts.nots) {
      const plain = this.flattener.flat([not]);
      if (plain === null) continue;
      if (plain.length === 0) return null;
      const [only] = plain;
      if (only === undefined || plain.length > 1 || !this.#exclude(only, facts, excluded)) {
        this.notes.leave(not.at, "only types, values and single properties can be excluded");
      }
    }
    return excluded;
  }

  #exclude({ schema, at }: PlainPlace, facts: Facts, excluded: Exclusions): boolean {
    const words = Object.keys(schema).filter((word) => constrains({ [word]: true }));
    const only = (...allowed: readonly string[]): boolean => words.every((word) => allowed.includes(word));
    const inner = factsOf([{ schema, at }], this.notes);
    if (only("type", "const", "enum") && inner.values !== null) {
      const values = inner.values.filter((value) => this.judge.satisfies(value, [{ schema, at }]) !== false);
      if (values.some((value) => typeof value === "object" && value !== null)) return false;
      excluded.values.push(...values);
      return true;
    }
    if (only("type") && inner.types !== null) {
      for (const type of inner.types) excluded.types.add(type);
      if (inner.types.has("number")) excluded.types.add("integer");
      else if (inner.types.has("integer") && typesWritten(facts).has("number")) return false;
      return true;
    }
    const [name] = inner.required;
    if (only("required") && name !== undefined && inner.required.length === 1) {
      for (const type of ["null", "boolean", "integer", "number", "string", "array"] as const) excluded.types.add(type);
      excluded.members.push({ schema: { properties: { [name]: false } }, at: below(at, "required") });
      return true;
    }
    return false;
  }
}

function plainOf(places: readonly Place[]): readonly PlainPlace[] {
  return places.flatMap(({ schema, at }) => (isSchema(schema) ? [{ schema, at }] : []));
}
