/**
 * A JSON schema narrowed to what OpenAI's strict mode takes: every object closed and all its properties required. What fits the
 * narrower schema fits the one that was asked for. Pure; shared by the shapes we call; imports the domain only.
 */
import type { JsonSchema } from "../domain/chat.ts";
import { isWireObject } from "./usage/figures.ts";

/** Places that hold one schema, a list of them, or a map to them. */
const single = ["items", "not", "contains"] as const;
const lists = ["anyOf", "oneOf", "allOf", "prefixItems"] as const;
const maps = ["properties", "$defs", "definitions"] as const;

export function strictSchema(schema: JsonSchema): JsonSchema {
  const narrowed: Record<string, unknown> = { ...schema };
  for (const key of single) if (isWireObject(schema[key])) narrowed[key] = strictSchema(schema[key]);
  for (const key of lists) {
    const list = schema[key];
    if (Array.isArray(list)) narrowed[key] = list.map((one) => (isWireObject(one) ? strictSchema(one) : one));
  }
  for (const key of maps) {
    const map = schema[key];
    if (!isWireObject(map)) continue;
    const entries = Object.entries(map).map(([name, one]) => [name, isWireObject(one) ? strictSchema(one) : one]);
    narrowed[key] = Object.fromEntries(entries);
  }
  const { properties, additionalProperties } = schema;
  // A map of anything has no narrower form: the upstream says so itself.
  if (isWireObject(properties) && !isWireObject(additionalProperties)) {
    narrowed.additionalProperties = false;
    narrowed.required = Object.keys(properties);
  }
  return narrowed;
}
