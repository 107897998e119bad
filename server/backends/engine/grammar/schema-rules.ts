/**
 * JSON schema → GBNF rules, for what tools ask for most: types, properties in order, required and optional ones, items,
 * enum, const, anyOf and oneOf. A keyword outside that set is left unenforced: the value is then any JSON of its type.
 * Pure. The full converter replaces this file; its callers stay.
 */
import type { JsonSchema } from "../../../domain/chat.ts";
import { literal } from "./json.ts";

/** Deeper schemas are left unenforced from here on: recursion must end. */
const deepest = 24;

/** strict: what cannot be kept is refused. lenient: it is left unenforced and its place noted. */
export type SchemaMode = "strict" | "lenient";

/** Collects rules under fresh names. They build on `compactJsonRules`, which the whole grammar has to end with. */
export class SchemaRules {
  readonly mode: SchemaMode;
  readonly #rules: string[] = [];
  readonly #unenforced: string[] = [];
  #count = 0;

  constructor(mode: SchemaMode = "lenient") {
    this.mode = mode;
  }

  /**
   * Adds what `schema` needs and gives the name of the rule that matches its values, compact JSON. `at` is where the schema
   * stands in the request, for refusals and notes. Strict: throws Failure `invalid_request` with the place as `param`.
   */
  add(schema: JsonSchema | null, _at = "schema"): string {
    return this.#value(schema, 0);
  }

  /** Places whose constraint is left unenforced; always empty when strict. */
  get unenforced(): readonly string[] {
    return this.#unenforced;
  }

  rules(): readonly string[] {
    return this.#rules;
  }

  #rule(body: string): string {
    const name = `s${this.#count}`;
    this.#count += 1;
    this.#rules.push(`${name} ::= ${body}`);
    return name;
  }

  #value(schema: unknown, depth: number): string {
    if (!isSchema(schema) || depth > deepest) return "value";
    if ("const" in schema) return this.#rule(literal(JSON.stringify(schema.const)));
    if (Array.isArray(schema.enum) && schema.enum.length > 0) {
      return this.#rule(schema.enum.map((one) => literal(JSON.stringify(one))).join(" | "));
    }
    const choices = schema.anyOf ?? schema.oneOf;
    if (Array.isArray(choices) && choices.length > 0) {
      return this.#rule(choices.map((one) => this.#value(one, depth + 1)).join(" | "));
    }
    if (Array.isArray(schema.type) && schema.type.length > 0) {
      return this.#rule(schema.type.map((type) => this.#value({ ...schema, type }, depth + 1)).join(" | "));
    }
    switch (schema.type) {
      case "object":
        return this.#object(schema, depth);
      case "array":
        return this.#array(schema, depth);
      case "string":
      case "number":
      case "integer":
      case "boolean":
      case "null":
        return schema.type;
      default:
        return isSchema(schema.properties) ? this.#object(schema, depth) : "value";
    }
  }

  #array(schema: JsonSchema, depth: number): string {
    if (!isSchema(schema.items)) return "array";
    const item = this.#value(schema.items, depth + 1);
    return this.#rule(`"[" (${item} ("," ${item})*)? "]"`);
  }

  /** Properties come in the order of the schema; optional ones may be left out. */
  #object(schema: JsonSchema, depth: number): string {
    if (!isSchema(schema.properties)) return "object";
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    const properties = Object.entries(schema.properties).map(([name, property]) => ({
      pair: `${literal(`${JSON.stringify(name)}:`)} ${this.#value(property, depth + 1)}`,
      required: required.has(name),
    }));
    // Built from the last property backwards: `first` is what may follow an open brace, `next` what may follow a value.
    let first = '""';
    let next = '""';
    for (const property of properties.reverse()) {
      const pairThenNext = `${property.pair} ${next}`;
      const afterValue = `"," ${pairThenNext}`;
      first = this.#rule(property.required ? pairThenNext : `${pairThenNext} | ${first}`);
      next = this.#rule(property.required ? afterValue : `${afterValue} | ${next}`);
    }
    return this.#rule(`"{" ${first} "}"`);
  }
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
