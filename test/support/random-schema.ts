/** Random JSON schemas for property tests: every keyword the converter knows, and many that are at odds with each other. */
import type { Random } from "./random.ts";

export type Draft = "draft-07" | "2020-12";
export type Schema = Record<string, unknown>;

const names = ["a", "b", "c", "kind", "type", "name", "x y", 'q"t', "ü", "items", "1"];
const patterns = [
  "^[a-z]{1,8}$",
  "^\\d{3}-\\d{2}$",
  "^(?:foo|bar|ba[xz])+$",
  "abc",
  "^a",
  "z$",
  '^[^"\\\\]*$',
  "^\\s?\\w+\\W$",
  "^(?!no)(?=.*e)[a-z]*$",
  "^.{2,5}$",
  '^["\\\\\\n\\t]{1,3}$',
  "^(\\([0-9]{3}\\))?[0-9]{3}-[0-9]{4}$",
  "^[\\u00e0-\\u00ff]+$|^$",
  "^(a|ab)(c|bcd)*$",
  "^[A-Z]\\S*\\.(?:txt|md)$",
  "\\.\\.",
];
export const formats = [
  "date",
  "time",
  "date-time",
  "duration",
  "email",
  "hostname",
  "ipv4",
  "ipv6",
  "uri",
  "uri-reference",
  "uuid",
  "json-pointer",
  "byte",
];
const texts = ["", "a", "ab", "abc", "foo", "x", 'say "hi"', "back\\slash", "line\nend", "ü€😀", "\u0001", "/"];

export class RandomSchemas {
  readonly #random: Random;
  readonly #draft: Draft;
  #definitions = 0;

  constructor(random: Random, draft: Draft) {
    this.#random = random;
    this.#draft = draft;
  }

  /** A whole schema, with definitions that may refer to each other and to the whole. */
  next(): Schema {
    const random = this.#random;
    this.#definitions = random.chance(0.3) ? 1 + random.below(3) : 0;
    const schema = { ...this.#schema(3) };
    if (random.chance(0.5)) schema.title = "anything";
    if (random.chance(0.3)) schema.description = 'says "nothing"';
    if (this.#definitions > 0) {
      const definitions = Array.from({ length: this.#definitions }, (_, index) => [`d${index}`, this.#schema(2)]);
      schema[this.#draft === "draft-07" ? "definitions" : "$defs"] = Object.fromEntries(definitions);
    }
    return schema;
  }

  #schema(depth: number): Schema {
    const random = this.#random;
    if (depth > 0 && random.chance(0.22)) return this.#combined(depth);
    if (this.#definitions > 0 && random.chance(0.2)) {
      const folder = this.#draft === "draft-07" ? "definitions" : "$defs";
      return { $ref: random.chance(0.15) ? "#" : `#/${folder}/d${random.below(this.#definitions)}` };
    }
    const schema = this.#plain(depth);
    if (random.chance(0.08)) schema.default = null;
    return schema;
  }

  #plain(depth: number): Schema {
    const random = this.#random;
    const kind = random.below(depth > 0 ? 12 : 7);
    switch (kind) {
      case 0:
        return this.#string();
      case 1:
        return this.#number("integer");
      case 2:
        return this.#number("number");
      case 3:
        return { type: random.pick(["boolean", "null"]) };
      case 4:
        return { enum: this.#distinct(1 + random.below(4)) };
      case 5:
        return random.chance(0.5)
          ? { const: this.#value(1) }
          : { type: "string", enum: [...new Set([random.pick(texts), random.pick(texts)])] };
      case 6:
        return random.chance(0.2) ? {} : this.#several(depth);
      case 7:
      case 8:
        return this.#array(depth);
      default:
        return this.#object(depth);
    }
  }

  #several(depth: number): Schema {
    const first = this.#string();
    const second = this.#number("number");
    const third = depth > 0 ? this.#object(depth - 1) : { type: "null" };
    return { ...first, ...second, ...third, type: ["string", "number", third.type] };
  }

  #string(): Schema {
    const random = this.#random;
    const schema: Schema = { type: "string" };
    if (random.chance(0.25)) schema.pattern = random.pick(patterns);
    if (random.chance(0.2)) schema.format = random.pick(formats);
    if (random.chance(0.25)) schema.minLength = random.below(6);
    if (random.chance(0.25)) schema.maxLength = random.below(2) === 0 ? 3 + random.below(60) : 3 + random.below(8);
    return schema;
  }

  #number(type: "integer" | "number"): Schema {
    const random = this.#random;
    const schema: Schema = { type };
    const bound = (): number =>
      random.pick([
        random.below(30) - 15,
        random.below(3000) - 1000,
        (random.below(4000) - 2000) / 100,
        random.pick([0, 1, -1, 100, 9_007_199_254_740_991, -9_007_199_254_740_991, 1e21, 0.001, 2 ** 31]),
      ]);
    if (random.chance(0.3)) schema.minimum = bound();
    if (random.chance(0.3)) schema.maximum = bound();
    if (random.chance(0.15)) schema.exclusiveMinimum = bound();
    if (random.chance(0.15)) schema.exclusiveMaximum = bound();
    if (random.chance(0.15)) schema.multipleOf = random.pick([1, 1, 10, 100, 0.1, 0.01, 2, 5, 7, 0.5, 0.25, 3.3]);
    return schema;
  }

  #array(depth: number): Schema {
    const random = this.#random;
    const schema: Schema = { type: "array" };
    const items = (): Schema[] => Array.from({ length: 1 + random.below(3) }, () => this.#schema(depth - 1));
    const form = random.below(4);
    if (form === 0) {
      schema[this.#draft === "draft-07" ? "items" : "prefixItems"] = items();
      const after = random.pick([false, true, this.#schema(depth - 1), undefined]);
      if (after !== undefined) schema[this.#draft === "draft-07" ? "additionalItems" : "items"] = after;
    } else if (form < 3) {
      schema.items = this.#schema(depth - 1);
    }
    if (random.chance(0.3)) schema.minItems = random.below(4);
    if (random.chance(0.3)) schema.maxItems = random.chance(0.1) ? 500 : 1 + random.below(5);
    if (random.chance(0.04)) schema.uniqueItems = true;
    if (random.chance(0.02)) schema.contains = this.#schema(depth - 1);
    return schema;
  }

  #object(depth: number): Schema {
    const random = this.#random;
    const properties = new Map<string, Schema | boolean>();
    for (let count = random.below(5); count > 0; count -= 1) {
      properties.set(random.pick(names), random.chance(0.03) ? random.chance(0.5) : this.#schema(depth - 1));
    }
    const schema: Schema = { type: "object" };
    if (properties.size > 0 || random.chance(0.5)) schema.properties = Object.fromEntries(properties);
    const required = [...properties.keys()].filter(() => random.chance(0.5));
    if (random.chance(0.06)) required.push(random.pick(names));
    if (required.length > 0) schema.required = [...new Set(required)];
    if (random.chance(0.6)) schema.additionalProperties = random.pick([false, false, true, this.#schema(depth - 1)]);
    if (random.chance(0.06)) schema.propertyNames = random.pick([this.#string(), { enum: ["a", "b", "zz"] }]);
    if (random.chance(0.06)) {
      const count = 1 + random.below(2);
      schema.patternProperties = Object.fromEntries(
        Array.from({ length: count }, () => [random.pick(patterns), this.#schema(depth - 1)]),
      );
    }
    if (random.chance(0.06)) schema.minProperties = random.below(4);
    if (random.chance(0.06)) schema.maxProperties = random.below(5);
    if (random.chance(0.03)) this.#dependent(schema);
    return schema;
  }

  #dependent(schema: Schema): void {
    const wanted = { [this.#random.pick(names)]: [this.#random.pick(names)] };
    schema[this.#draft === "draft-07" ? "dependencies" : "dependentRequired"] = wanted;
  }

  #combined(depth: number): Schema {
    const random = this.#random;
    const list = (): Schema[] => Array.from({ length: 1 + random.below(3) }, () => this.#schema(depth - 1));
    switch (random.below(8)) {
      case 0:
      case 1:
      case 2:
        return { anyOf: list() };
      case 3:
        return { oneOf: list() };
      case 4:
        return { oneOf: this.#union(depth) };
      case 5:
        return { allOf: [this.#object(depth), this.#object(depth)] };
      case 6:
        return { ...this.#object(depth), anyOf: [{ required: ["a"] }, { required: ["b"] }, this.#object(depth - 1)] };
      default:
        return {
          ...this.#plain(depth),
          not: random.pick([{ type: "null" }, { const: "a" }, { enum: [0, 1, 2, "x"] }, { required: ["a"] }]),
        };
    }
  }

  /** Branches told apart by a tag. */
  #union(depth: number): Schema[] {
    return Array.from({ length: 2 + this.#random.below(2) }, (_, index) => {
      const object = this.#object(depth - 1);
      const properties = { kind: { const: `k${index}` }, ...(object.properties as Schema | undefined) };
      return { ...object, properties: { ...properties, kind: { const: `k${index}` } }, required: ["kind"] };
    });
  }

  /** Validators refuse an `enum` with a value twice. */
  #distinct(count: number): unknown[] {
    const values = Array.from({ length: count }, () => this.#value(1));
    return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
  }

  #value(depth: number): unknown {
    const random = this.#random;
    const kind = random.below(depth > 0 ? 8 : 6);
    if (kind < 2) return random.pick(texts);
    if (kind < 4) return random.pick([0, 1, -1, 1.5, 100, 1e21, -0.25, 5e-7]);
    if (kind === 4) return random.chance(0.5);
    if (kind === 5) return null;
    if (kind === 6) return [this.#value(depth - 1), this.#value(depth - 1)].slice(random.below(3));
    return Object.fromEntries([random.pick(names), random.pick(names)].map((name) => [name, this.#value(depth - 1)]));
  }
}
