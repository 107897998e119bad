/**
 * A JSON schema in the words Gemini's `Schema` has. Pure; imports the domain only. What it has no word for goes into the
 * description, where the model reads it, and is named to the caller, who may choose another road.
 */
import type { JsonSchema } from "../../domain/chat.ts";
import { isWireObject } from "../usage/figures.ts";

export interface GeminiSchema {
  readonly schema: Readonly<Record<string, unknown>>;
  /** Keywords that could not be kept as such, each once. */
  readonly lost: readonly string[];
}

/** Taken as they are. */
const kept = [
  ...["title", "description", "nullable", "minItems", "maxItems", "minProperties", "maxProperties"],
  ...["minLength", "maxLength", "pattern", "minimum", "maximum", "required", "propertyOrdering"],
] as const;
/** Say nothing a model or a validator needs. */
const silent = new Set(["$schema", "$id", "$defs", "definitions", "$comment", "examples", "default", "readOnly"]);
const handled = new Set<string>([
  ...kept,
  "type",
  "format",
  "enum",
  "const",
  "items",
  "properties",
  "anyOf",
  "oneOf",
  "$ref",
]);
const keptFormats = new Set(["enum", "date-time", "int32", "int64", "float", "double"]);
/** References may go in circles, and each turn may double what there is. */
const mostDepth = 16;
const mostSchemas = 5_000;

export function geminiSchema(root: JsonSchema): GeminiSchema {
  const lost = new Set<string>();
  let converted = 0;

  function convert(sent: JsonSchema, depth: number): Record<string, unknown> {
    converted += 1;
    const schema = resolved(sent, depth);
    if (depth > mostDepth || converted > mostSchemas) {
      lost.add("$ref");
      return { type: "object" };
    }
    const out: Record<string, unknown> = {};
    const aside: Record<string, unknown> = {};
    for (const key of kept) if (schema[key] !== undefined) out[key] = schema[key];
    typeOf(schema, out);
    enumOf(schema, out, aside);
    if (typeof schema.format === "string") {
      if (keptFormats.has(schema.format)) out.format = schema.format;
      else aside.format = schema.format;
    }
    if (isWireObject(schema.items)) out.items = convert(schema.items, depth + 1);
    if (isWireObject(schema.properties)) {
      const entries = Object.entries(schema.properties).filter(([, one]) => isWireObject(one));
      out.properties = Object.fromEntries(entries.map(([name, one]) => [name, convert(one as JsonSchema, depth + 1)]));
    }
    alternativesOf(schema, out, depth);
    for (const [key, value] of Object.entries(schema)) {
      const isClosed = key === "additionalProperties" && typeof value === "boolean";
      if (!handled.has(key) && !silent.has(key) && !isClosed) aside[key] = value;
    }
    for (const key of Object.keys(aside)) lost.add(key);
    if (Object.keys(aside).length > 0) out.description = described(out.description, aside);
    return out;
  }

  /** With its reference followed; fields beside it stay. */
  function resolved(schema: JsonSchema, depth: number): JsonSchema {
    const { $ref, ...rest } = schema;
    if (typeof $ref !== "string") return schema;
    const target = $ref.startsWith("#/") ? placeIn(root, $ref.slice(2).split("/")) : undefined;
    if (!isWireObject(target) || depth > mostDepth) {
      lost.add("$ref");
      return rest;
    }
    return resolved({ ...target, ...rest }, depth + 1);
  }

  function alternativesOf(schema: JsonSchema, out: Record<string, unknown>, depth: number): void {
    const list = schema.anyOf ?? schema.oneOf;
    if (!Array.isArray(list)) return;
    const schemas = list.filter(isWireObject);
    const others = schemas.filter((one) => one.type !== "null");
    if (others.length < schemas.length) out.nullable = true;
    const [only] = others;
    if (others.length === 1 && only !== undefined) Object.assign(out, { ...convert(only, depth + 1), ...out });
    else out.anyOf = others.map((one) => convert(one, depth + 1));
  }

  return { schema: convert(root, 0), lost: [...lost] };
}

/** A list of types is one type that may be null, or alternatives. */
function typeOf(schema: JsonSchema, out: Record<string, unknown>): void {
  const types = Array.isArray(schema.type) ? schema.type : [schema.type];
  const others = types.filter((type) => typeof type === "string" && type !== "null");
  if (types.includes("null")) out.nullable = true;
  if (others.length === 1) out.type = others[0];
  else if (others.length > 1) out.anyOf = others.map((type) => ({ type }));
  else if (isWireObject(schema.properties)) out.type = "object";
  else if (schema.enum !== undefined || typeof schema.const === "string") out.type = "string";
}

/** Only texts can be enumerated. */
function enumOf(schema: JsonSchema, out: Record<string, unknown>, aside: Record<string, unknown>): void {
  const values = schema.const === undefined ? schema.enum : [schema.const];
  if (!Array.isArray(values)) return;
  const texts = values.filter((value) => value !== null);
  if (texts.length < values.length) out.nullable = true;
  if (texts.every((value) => typeof value === "string")) out.enum = texts;
  else aside.enum = values;
}

function described(description: unknown, aside: Readonly<Record<string, unknown>>): string {
  const rule = `Must satisfy: ${JSON.stringify(aside)}`;
  return typeof description === "string" && description !== "" ? `${description}\n${rule}` : rule;
}

function placeIn(root: unknown, path: readonly string[]): unknown {
  let here: unknown = root;
  for (const step of path) {
    const key = step.replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isWireObject(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
  return here;
}
