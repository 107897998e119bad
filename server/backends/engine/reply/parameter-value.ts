/** Bare text of a parameter → compact JSON of the type that the tool's schema names. Pure. */
import type { ToolDefinition } from "../../../domain/chat.ts";

/** Type names a value may have. A parameter that the schema does not know is text. */
export function parameterTypes(tool: ToolDefinition, key: string): ReadonlySet<string> {
  const properties = tool.parameters?.properties;
  const schema = isRecord(properties) && Object.hasOwn(properties, key) ? properties[key] : undefined;
  const types = new Set(typesOf(schema, 0));
  return types.size === 0 ? new Set(["string"]) : types;
}

/** Choices within choices are looked at this deep. */
const deepest = 4;

function typesOf(schema: unknown, depth: number): string[] {
  if (!isRecord(schema) || depth > deepest) return [];
  if (typeof schema.type === "string") return [schema.type];
  if (Array.isArray(schema.type)) return schema.type.filter((type) => typeof type === "string");
  const choices = schema.anyOf ?? schema.oneOf;
  if (Array.isArray(choices)) return choices.flatMap((choice) => typesOf(choice, depth + 1));
  const values = "const" in schema ? [schema.const] : Array.isArray(schema.enum) ? schema.enum : [];
  return values.map(typeOf);
}

function typeOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

/** The value as JSON if it is one of the types; else as a string: what the model wrote must reach the client. */
export function valueText(text: string, types: ReadonlySet<string>): string {
  const trimmed = text.trim();
  const word = trimmed.toLowerCase();
  // Models of this kind write Python's words as well.
  const json = word === "true" || word === "false" || word === "null" ? word : trimmed === "None" ? "null" : trimmed;
  try {
    const value: unknown = JSON.parse(json);
    const type = typeOf(value);
    const wanted = types.has(type) || (type === "number" && types.has("integer") && Number.isInteger(value));
    // An integer that no double holds stays as it was written.
    if (wanted)
      return typeof value === "number" && !Number.isSafeInteger(value) && /^-?\d+$/.test(json)
        ? json
        : JSON.stringify(value);
  } catch {
    // No JSON: text.
  }
  return JSON.stringify(text);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
