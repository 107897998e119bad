/**
 * Several schemas that a value must satisfy together → the plain schemas they come to: `$ref` followed, `allOf` opened,
 * words that are other words in disguise rewritten. Pure.
 */
import type { JsonSchema } from "../../../domain/chat.ts";
import type { Allowance } from "./limits.ts";
import { below, type Notes } from "./notes.ts";

/** A schema and where it stands in the request. */
export interface Place {
  readonly schema: unknown;
  readonly at: string;
}

export interface PlainPlace {
  readonly schema: JsonSchema;
  readonly at: string;
}

/** Either of these; `exclusive`: one and not two. */
export interface Alternatives {
  readonly at: string;
  readonly branches: readonly Place[];
  readonly exclusive: boolean;
}

const combining = [
  "$ref",
  "$dynamicRef",
  "allOf",
  "anyOf",
  "oneOf",
  "if",
  "dependentSchemas",
  "dependencies",
  "contains",
];

export function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Every word that says something about values; all others only describe. */
const constraints: ReadonlySet<string> = new Set([
  ...combining,
  ...["type", "enum", "const", "not", "properties", "required", "additionalProperties", "patternProperties"],
  ...["propertyNames", "minProperties", "maxProperties", "unevaluatedProperties", "dependentRequired"],
  ...["items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "unevaluatedItems"],
  ...["minLength", "maxLength", "pattern", "format"],
  ...["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "$recursiveRef"],
]);

export function constrains(schema: JsonSchema): boolean {
  return Object.keys(schema).some((word) => constraints.has(word));
}

export function own(schema: JsonSchema, keyword: string): unknown {
  return Object.hasOwn(schema, keyword) ? schema[keyword] : undefined;
}

/** Rewritten schemas are remembered, so that recursion meets the same object again. */
export class Flattener {
  readonly #root: unknown;
  readonly #notes: Notes;
  readonly #allowance: Allowance;
  readonly #rewritten = new WeakMap<JsonSchema, readonly Place[]>();
  readonly #without = new WeakMap<JsonSchema, Map<string, JsonSchema>>();

  constructor(root: unknown, notes: Notes, allowance: Allowance) {
    this.#root = root;
    this.#notes = notes;
    this.#allowance = allowance;
  }

  /** null: one of them is `false`. Each schema once, in the order in which it is met. */
  flat(places: readonly Place[]): readonly PlainPlace[] | null {
    const found = new Map<JsonSchema, PlainPlace>();
    const seen = new Set<JsonSchema>();
    let circular: string | null = null;
    const waiting = [...places];
    for (let place = waiting.shift(); place !== undefined; place = waiting.shift()) {
      const { schema, at } = place;
      if (schema === false) return null;
      if (schema === true || schema === undefined) continue;
      if (!isSchema(schema)) {
        this.#notes.leave(at, "it is no schema");
        continue;
      }
      if (seen.has(schema)) {
        if (!found.has(schema)) circular = at;
        continue;
      }
      seen.add(schema);
      const opened = this.#opened(schema, at);
      this.#allowance.spend(opened?.length ?? 1);
      if (opened !== null) waiting.unshift(...opened);
      else if (constrains(schema)) found.set(schema, { schema, at });
    }
    if (circular !== null && found.size === 0) this.#notes.leave(circular, "it refers to nothing but itself");
    return [...found.values()];
  }

  /** The first choice among plain schemas, and what is left to satisfy besides. */
  firstChoice(places: readonly PlainPlace[]): { choice: Alternatives; besides: readonly PlainPlace[] } | null {
    for (const place of places) {
      for (const keyword of ["anyOf", "oneOf"]) {
        const list = own(place.schema, keyword);
        if (list === undefined) continue;
        const at = below(place.at, keyword);
        const rest = { schema: this.without(place.schema, keyword), at: place.at };
        const besides = places.map((one) => (one === place ? rest : one));
        if (!Array.isArray(list) || list.length === 0) {
          this.#notes.leave(at, "it is no list of schemas");
          return this.firstChoice(besides);
        }
        this.#allowance.spend(list.length);
        const branches = list.map((schema: unknown, index) => ({ schema, at: below(at, index) }));
        return { choice: { at, branches, exclusive: keyword === "oneOf" && branches.length > 1 }, besides };
      }
    }
    return null;
  }

  without(schema: JsonSchema, keyword: string): JsonSchema {
    const known = this.#without.get(schema) ?? new Map<string, JsonSchema>();
    this.#without.set(schema, known);
    const existing = known.get(keyword);
    if (existing !== undefined) return existing;
    const rest = Object.fromEntries(Object.entries(schema).filter(([key]) => key !== keyword));
    known.set(keyword, rest);
    return rest;
  }

  /** What this schema stands for, when it is not plain; null when it is. */
  #opened(schema: JsonSchema, at: string): readonly Place[] | null {
    const known = this.#rewritten.get(schema);
    if (known !== undefined) return known.length === 0 ? null : known;
    const opened = this.#open(schema, at);
    this.#rewritten.set(schema, opened);
    return opened.length === 0 ? null : opened;
  }

  #open(schema: JsonSchema, at: string): readonly Place[] {
    for (const keyword of ["unevaluatedProperties", "unevaluatedItems"]) {
      // Alone it means the same as its older sibling; beside others it would have to know what they looked at.
      if (own(schema, keyword) === undefined || !combining.some((word) => own(schema, word) !== undefined)) continue;
      this.#notes.leave(below(at, keyword), "it stands beside words that combine schemas");
      return [{ schema: this.without(schema, keyword), at }];
    }
    const reference = own(schema, "$ref");
    if (reference !== undefined) {
      const place = below(at, "$ref");
      const target = this.#target(reference);
      if (target === undefined) this.#notes.leave(place, "only places inside the same schema can be referred to");
      return [
        { schema: this.without(schema, "$ref"), at },
        { schema: target, at: place },
      ];
    }
    for (const keyword of ["$dynamicRef", "$recursiveRef"]) {
      if (own(schema, keyword) === undefined) continue;
      this.#notes.leave(below(at, keyword), "dynamic references are not followed");
      return [{ schema: this.without(schema, keyword), at }];
    }
    const all = own(schema, "allOf");
    if (all !== undefined) {
      const rest = { schema: this.without(schema, "allOf"), at };
      if (Array.isArray(all)) {
        return [rest, ...all.map((one: unknown, index) => ({ schema: one, at: below(at, "allOf", index) }))];
      }
      this.#notes.leave(below(at, "allOf"), "it is no list of schemas");
      return [rest];
    }
    return this.#dependencies(schema, at);
  }

  /** "When there is an a, there must be a b" is: no a, or both. */
  #dependencies(schema: JsonSchema, at: string): readonly Place[] {
    for (const keyword of ["dependentRequired", "dependentSchemas", "dependencies"]) {
      const map = own(schema, keyword);
      if (map === undefined) continue;
      const place = below(at, keyword);
      const rest = { schema: this.without(schema, keyword), at };
      if (!isSchema(map)) {
        this.#notes.leave(place, "it is no object");
        return [rest];
      }
      const rewritten = Object.entries(map).map(([name, wanted]): Place => {
        const needs = Array.isArray(wanted) ? { required: wanted } : wanted;
        return {
          schema: { anyOf: [{ allOf: [{ required: [name] }, needs] }, { properties: { [name]: false } }] },
          at: below(place, name),
        };
      });
      return [rest, ...rewritten];
    }
    return [];
  }

  #target(reference: unknown): unknown {
    if (typeof reference !== "string" || !/^#(?:\/|$)/.test(reference)) return undefined;
    let here: unknown = this.#root;
    for (const step of reference.split("/").slice(1)) {
      const name = unescaped(step);
      if (Array.isArray(here)) here = here[Number(name)];
      else here = isSchema(here) ? own(here, name) : undefined;
    }
    return isSchema(here) || typeof here === "boolean" ? here : undefined;
  }
}

function unescaped(step: string): string {
  let plain = step;
  try {
    plain = decodeURIComponent(step);
  } catch {
    // Not percent-encoded after all.
  }
  return plain.replace(/~1/g, "/").replace(/~0/g, "~");
}
