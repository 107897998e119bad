/** A schema as Anthropic's structured outputs want it: every object says that it holds nothing else. Pure. */
import type { JsonSchema } from "../../domain/chat.ts";

/** Deeper ones are refused before they come here; this only bounds the walk. */
const deepest = 256;

/** An absent `additionalProperties` counts as closed here anyway; one that is given stays, for the provider to judge. */
export function closedSchema(schema: JsonSchema): JsonSchema {
  return closed(schema, 0) as JsonSchema;
}

const mapsOfSchemas: ReadonlySet<string> = new Set(["properties", "$defs", "definitions"]);
const schemas: ReadonlySet<string> = new Set(["items", "anyOf", "allOf", "oneOf", "not"]);

function closed(value: unknown, depth: number): unknown {
  if (depth > deepest) return value;
  if (Array.isArray(value)) return value.map((one) => closed(one, depth + 1));
  if (typeof value !== "object" || value === null) return value;
  const inner = Object.entries(value).map(([key, one]): [string, unknown] => {
    if (schemas.has(key)) return [key, closed(one, depth + 1)];
    if (!mapsOfSchemas.has(key) || typeof one !== "object" || one === null) return [key, one];
    return [key, Object.fromEntries(Object.entries(one).map(([name, part]) => [name, closed(part, depth + 1)]))];
  });
  const schema = Object.fromEntries(inner);
  const isObject = schema.type === "object" || (schema.type === undefined && "properties" in schema);
  return isObject && !("additionalProperties" in schema) ? { ...schema, additionalProperties: false } : schema;
}
