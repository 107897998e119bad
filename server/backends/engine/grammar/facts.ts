/** What plain schemas ask of a value together, sorted by the type of value it concerns. Pure. */
import type { JsonSchema } from "../../../domain/chat.ts";
import { isSchema, own, type Place, type PlainPlace } from "./flatten.ts";
import { freeFormats, int32 } from "./formats.ts";
import { below, type Notes } from "./notes.ts";
import type { NumberBound } from "./number-range.ts";

export type JsonType = "null" | "boolean" | "integer" | "number" | "string" | "array" | "object";
export const jsonTypes: readonly JsonType[] = ["object", "array", "string", "number", "integer", "boolean", "null"];

/** What one schema says about the members of an object. */
export interface ObjectShape {
  readonly properties: ReadonlyMap<string, Place>;
  readonly patterns: readonly { readonly source: string; readonly place: Place }[];
  /** null: not said. */
  readonly additional: Place | null;
}

/** What one schema says about the items of an array. */
export interface ArrayShape {
  readonly first: readonly Place[];
  /** null: not said. */
  readonly rest: Place | null;
}

export interface TextWish {
  readonly kind: "pattern" | "format";
  readonly text: string;
  readonly at: string;
}

export interface Facts {
  /** null: not said. */
  readonly types: ReadonlySet<JsonType> | null;
  /** Types that the other words speak of. */
  readonly implied: ReadonlySet<JsonType>;
  /** `const` and `enum`: the values of the first such word; null: none. */
  readonly values: readonly unknown[] | null;
  readonly texts: readonly TextWish[];
  readonly minLength: number;
  readonly maxLength: number | null;
  /** Where a bound on the length stands. */
  readonly lengthAt: string;
  readonly low: NumberBound | null;
  readonly high: NumberBound | null;
  readonly multiplesOf: readonly { readonly value: number; readonly at: string }[];
  readonly objects: readonly ObjectShape[];
  readonly required: readonly string[];
  readonly names: readonly Place[];
  readonly minProperties: number;
  readonly maxProperties: number | null;
  readonly minPropertiesAt: string;
  readonly arrays: readonly ArrayShape[];
  readonly minItems: number;
  readonly maxItems: number | null;
  /** Where `uniqueItems` or `contains` stand. */
  readonly unkept: readonly string[];
  readonly nots: readonly Place[];
}

const wordsOf: readonly (readonly [JsonType, readonly string[]])[] = [
  [
    "object",
    [
      "properties",
      "required",
      "additionalProperties",
      "patternProperties",
      "propertyNames",
      "minProperties",
      "maxProperties",
      "unevaluatedProperties",
    ],
  ],
  [
    "array",
    ["items", "prefixItems", "additionalItems", "minItems", "maxItems", "uniqueItems", "contains", "unevaluatedItems"],
  ],
  ["string", ["minLength", "maxLength", "pattern"]],
  ["number", ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"]],
];

export function factsOf(places: readonly PlainPlace[], notes: Notes): Facts {
  const facts = new Collected(notes);
  for (const place of places) facts.take(place);
  return facts;
}

class Collected implements Facts {
  types: ReadonlySet<JsonType> | null = null;
  readonly implied = new Set<JsonType>();
  values: readonly unknown[] | null = null;
  readonly texts: TextWish[] = [];
  minLength = 0;
  maxLength: number | null = null;
  lengthAt = "";
  low: NumberBound | null = null;
  high: NumberBound | null = null;
  readonly multiplesOf: { value: number; at: string }[] = [];
  readonly objects: ObjectShape[] = [];
  readonly required: string[] = [];
  readonly names: Place[] = [];
  minProperties = 0;
  maxProperties: number | null = null;
  minPropertiesAt = "";
  readonly arrays: ArrayShape[] = [];
  minItems = 0;
  maxItems: number | null = null;
  readonly unkept: string[] = [];
  readonly nots: Place[] = [];

  readonly #notes: Notes;
  #at = "";
  #schema: JsonSchema = {};

  constructor(notes: Notes) {
    this.#notes = notes;
  }

  take({ schema, at }: PlainPlace): void {
    this.#at = at;
    this.#schema = schema;
    for (const [type, words] of wordsOf) {
      if (words.some((word) => own(schema, word) !== undefined)) this.implied.add(type);
    }
    this.#type();
    this.#value();
    this.#string();
    this.#number();
    this.#object();
    this.#array();
    const not = own(schema, "not");
    if (not !== undefined) this.nots.push({ schema: not, at: below(at, "not") });
    if (own(schema, "if") !== undefined && (own(schema, "then") !== undefined || own(schema, "else") !== undefined)) {
      this.#notes.leave(below(at, "if"), "conditions are not followed; say it with 'anyOf'");
    }
  }

  #type(): void {
    const said = own(this.#schema, "type");
    if (said === undefined) return;
    const list = (Array.isArray(said) ? said : [said]).filter((one): one is JsonType => jsonTypes.includes(one));
    if (list.length === 0) {
      this.#notes.leave(below(this.#at, "type"), "it names no type of JSON");
      return;
    }
    const types = new Set(list);
    if (own(this.#schema, "nullable") === true) types.add("null");
    this.types = this.types === null ? types : commonTypes(this.types, types);
  }

  #value(): void {
    if (Object.hasOwn(this.#schema, "const")) this.values ??= [this.#schema.const];
    const list = own(this.#schema, "enum");
    if (list === undefined) return;
    if (Array.isArray(list)) this.values ??= list;
    else this.#notes.leave(below(this.#at, "enum"), "it is no list");
  }

  #string(): void {
    const least = this.#count("minLength");
    const most = this.#count("maxLength");
    if (least !== null) this.minLength = Math.max(this.minLength, least);
    if (most !== null) this.maxLength = Math.min(this.maxLength ?? most, most);
    if (least !== null) this.lengthAt = below(this.#at, "minLength");
    if (most !== null) this.lengthAt = below(this.#at, "maxLength");
    for (const kind of ["pattern", "format"] as const) {
      const text = own(this.#schema, kind);
      const at = below(this.#at, kind);
      if (text === undefined) continue;
      if (typeof text !== "string") this.#notes.leave(at, "it is no text");
      else if (kind === "format" && text === "int32") this.#bounds(int32.low, int32.high);
      else {
        this.texts.push({ kind, text, at });
        if (!freeFormats.has(text)) this.implied.add("string");
      }
    }
  }

  #number(): void {
    const minimum = this.#figure("minimum");
    const maximum = this.#figure("maximum");
    // Draft 4 had flags here.
    const above = own(this.#schema, "exclusiveMinimum");
    const under = own(this.#schema, "exclusiveMaximum");
    if (minimum !== null) this.#atLeast({ value: minimum, exclusive: above === true });
    if (maximum !== null) this.#atMost({ value: maximum, exclusive: under === true });
    const lowest = typeof above === "boolean" ? null : this.#figure("exclusiveMinimum");
    const highest = typeof under === "boolean" ? null : this.#figure("exclusiveMaximum");
    if (lowest !== null) this.#atLeast({ value: lowest, exclusive: true });
    if (highest !== null) this.#atMost({ value: highest, exclusive: true });
    const step = this.#figure("multipleOf");
    if (step !== null) this.multiplesOf.push({ value: step, at: below(this.#at, "multipleOf") });
  }

  #bounds(low: number, high: number): void {
    this.#atLeast({ value: low, exclusive: false });
    this.#atMost({ value: high, exclusive: false });
  }

  #atLeast(bound: NumberBound): void {
    const { low } = this;
    if (low === null || bound.value > low.value || (bound.value === low.value && bound.exclusive)) this.low = bound;
  }

  #atMost(bound: NumberBound): void {
    const { high } = this;
    if (high === null || bound.value < high.value || (bound.value === high.value && bound.exclusive)) this.high = bound;
  }

  #object(): void {
    const least = this.#count("minProperties");
    const most = this.#count("maxProperties");
    if (least !== null) this.minProperties = Math.max(this.minProperties, least);
    if (least !== null) this.minPropertiesAt = below(this.#at, "minProperties");
    if (most !== null) this.maxProperties = Math.min(this.maxProperties ?? most, most);
    // Draft 3 and some tools write `required: true` at the property itself.
    const required = own(this.#schema, "required");
    if (Array.isArray(required)) {
      for (const name of required) {
        if (typeof name === "string" && !this.required.includes(name)) this.required.push(name);
      }
    } else if (required !== undefined && typeof required !== "boolean") {
      this.#notes.leave(below(this.#at, "required"), "it is no list of names");
    }
    const names = own(this.#schema, "propertyNames");
    if (names !== undefined) this.names.push({ schema: names, at: below(this.#at, "propertyNames") });
    const properties = this.#map("properties");
    const patterns = this.#map("patternProperties");
    const additional = own(this.#schema, "additionalProperties") ?? own(this.#schema, "unevaluatedProperties");
    if (properties === null && patterns === null && additional === undefined) return;
    this.objects.push({
      properties: new Map(properties ?? []),
      patterns: (patterns ?? []).map(([source, place]) => ({ source, place })),
      additional: additional === undefined ? null : { schema: additional, at: below(this.#at, "additionalProperties") },
    });
  }

  #array(): void {
    const least = this.#count("minItems");
    const most = this.#count("maxItems");
    if (least !== null) this.minItems = Math.max(this.minItems, least);
    if (most !== null) this.maxItems = Math.min(this.maxItems ?? most, most);
    if (own(this.#schema, "uniqueItems") === true) this.unkept.push(below(this.#at, "uniqueItems"));
    if (own(this.#schema, "contains") !== undefined && own(this.#schema, "minContains") !== 0) {
      this.unkept.push(below(this.#at, "contains"));
    }
    const items = own(this.#schema, "items");
    const prefix = own(this.#schema, "prefixItems");
    const unevaluated = own(this.#schema, "unevaluatedItems");
    if (items === undefined && prefix === undefined && unevaluated === undefined) return;
    // A list under `items` is draft 7's way to write a tuple, with `additionalItems` for what follows.
    const listed = Array.isArray(items) ? "items" : "prefixItems";
    const rest = Array.isArray(items) ? own(this.#schema, "additionalItems") : items;
    const first = Array.isArray(items) ? items : prefix;
    if (first !== undefined && !Array.isArray(first)) {
      this.#notes.leave(below(this.#at, listed), "it is no list of schemas");
    }
    const after = rest ?? unevaluated;
    this.arrays.push({
      first: Array.isArray(first)
        ? first.map((schema: unknown, index) => ({ schema, at: below(this.#at, listed, index) }))
        : [],
      rest:
        after === undefined
          ? null
          : { schema: after, at: below(this.#at, Array.isArray(items) ? "additionalItems" : "items") },
    });
  }

  #map(keyword: string): [string, Place][] | null {
    const map = own(this.#schema, keyword);
    if (map === undefined) return null;
    const at = below(this.#at, keyword);
    if (isSchema(map)) return Object.entries(map).map(([name, schema]) => [name, { schema, at: below(at, name) }]);
    this.#notes.leave(at, "it is no object");
    return null;
  }

  #figure(keyword: string): number | null {
    const value = own(this.#schema, keyword);
    if (value === undefined) return null;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    this.#notes.leave(below(this.#at, keyword), "it is no number");
    return null;
  }

  #count(keyword: string): number | null {
    const value = this.#figure(keyword);
    if (value === null || (Number.isInteger(value) && value >= 0)) return value;
    this.#notes.leave(below(this.#at, keyword), "it is no count");
    return null;
  }
}

/** An integer is a number too. */
export function commonTypes(left: ReadonlySet<JsonType>, right: ReadonlySet<JsonType>): ReadonlySet<JsonType> {
  const common = new Set<JsonType>();
  for (const type of left) {
    if (right.has(type) || (type === "integer" && right.has("number"))) common.add(type);
    else if (type === "number" && right.has("integer")) common.add("integer");
  }
  return common;
}
