/**
 * Judges a value by a JSON schema of the keywords that tasks use. One that uses others is refused: a check that looks away
 * would call wrong answers right. Pure.
 */
import type { JsonSchema } from "../chat.ts";
import { canonicalJson } from "../answer-key.ts";

type Judge = (value: unknown, said: unknown, schema: JsonSchema) => string | null;

const judges: Readonly<Record<string, Judge>> = Object.freeze({
  type: (value, said) =>
    [said].flat().some((type) => isOf(value, type)) ? null : `is no ${[said].flat().join(" or ")}`,
  enum: (value, said) =>
    list(said).some((one) => canonicalJson(one) === canonicalJson(value)) ? null : "is none of the values",
  const: (value, said) => (canonicalJson(said) === canonicalJson(value) ? null : "is another value"),
  required: (value, said) => {
    const missing = isObject(value) ? list(said).find((name) => !Object.hasOwn(value, String(name))) : undefined;
    return missing === undefined ? null : `lacks "${String(missing)}"`;
  },
  properties: (value, said) => {
    if (!isObject(value) || !isObject(said)) return null;
    for (const [name, schema] of Object.entries(said)) {
      const problem = Object.hasOwn(value, name) ? schemaProblem(value[name], schema as JsonSchema) : null;
      if (problem !== null) return `${name}: ${problem}`;
    }
    return null;
  },
  additionalProperties: (value, said, { properties }) => {
    if (!isObject(value) || said === true) return null;
    const known = isObject(properties) ? properties : {};
    for (const name of Object.keys(value).filter((one) => !Object.hasOwn(known, one))) {
      const problem = said === false ? "is not expected" : schemaProblem(value[name], said as JsonSchema);
      if (problem !== null) return `${name}: ${problem}`;
    }
    return null;
  },
  items: (value, said) => {
    if (!Array.isArray(value)) return null;
    for (const one of value) {
      const problem = schemaProblem(one, said as JsonSchema);
      if (problem !== null) return `an item ${problem}`;
    }
    return null;
  },
  minItems: (value, said) => bound(Array.isArray(value) ? value.length : null, (size) => size >= Number(said)),
  maxItems: (value, said) => bound(Array.isArray(value) ? value.length : null, (size) => size <= Number(said)),
  minLength: (value, said) =>
    bound(typeof value === "string" ? [...value].length : null, (size) => size >= Number(said)),
  maxLength: (value, said) =>
    bound(typeof value === "string" ? [...value].length : null, (size) => size <= Number(said)),
  minimum: (value, said) => bound(typeof value === "number" ? value : null, (one) => one >= Number(said)),
  maximum: (value, said) => bound(typeof value === "number" ? value : null, (one) => one <= Number(said)),
  pattern: (value, said) =>
    typeof value !== "string" || new RegExp(String(said), "u").test(value) ? null : "does not match its pattern",
});
const silent = new Set(["$schema", "$id", "title", "description", "default", "examples"]);

/** Null: the value satisfies it. Throws a RangeError for a keyword that is not judged. */
export function schemaProblem(value: unknown, schema: JsonSchema): string | null {
  for (const [keyword, said] of Object.entries(schema)) {
    if (silent.has(keyword)) continue;
    const judge = judges[keyword];
    if (judge === undefined) throw new RangeError(`The schema's keyword "${keyword}" is not judged here.`);
    const problem = judge(value, said, schema);
    if (problem !== null) return problem;
  }
  return null;
}

function bound(figure: number | null, isWithin: (figure: number) => boolean): string | null {
  return figure === null || isWithin(figure) ? null : "is out of bounds";
}

function isOf(value: unknown, type: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "object") return isObject(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(said: unknown): readonly unknown[] {
  return Array.isArray(said) ? said : [];
}
