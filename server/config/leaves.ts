/**
 * The settings as a flat list: name, environment variable, type, meaning. Pure; drawn from the schema once.
 */
import { z } from "zod";
import { configSchema } from "./schema.ts";

export interface Leaf {
  /** `engine.tokenGapMs`, as written in the file and in `config show`. */
  readonly path: string;
  readonly segments: readonly string[];
  /** `LANTHORN_ENGINE_TOKEN_GAP_MS`. */
  readonly variable: string;
  readonly meaning: string;
  readonly schema: z.ZodType;
}

/** `["engine", "tokenGapMs"]` → `LANTHORN_ENGINE_TOKEN_GAP_MS`. */
function variableOf(segments: readonly string[]): string {
  const words = segments.map((segment) => segment.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return `LANTHORN_${words.join("_")}`;
}

/** A setting whose variable has a name of its own: templates of markets set it. */
function namedVariable(type: z.ZodType): string | null {
  const named = type.meta()?.variable;
  return typeof named === "string" ? named : null;
}

function leavesOf(section: z.ZodObject, above: readonly string[]): Leaf[] {
  return Object.entries(section.shape).flatMap(([name, schema]): Leaf[] => {
    const segments = [...above, name];
    const inner = schema instanceof z.ZodPrefault ? schema.unwrap() : schema;
    if (inner instanceof z.ZodObject) return leavesOf(inner, segments);
    const type = schema as z.ZodType;
    return [
      {
        path: segments.join("."),
        segments,
        variable: namedVariable(type) ?? variableOf(segments),
        meaning: type.description ?? "",
        schema: type,
      },
    ];
  });
}

let known: readonly Leaf[] | null = null;

/** In the order of the schema. */
export function leaves(): readonly Leaf[] {
  known ??= Object.freeze(leavesOf(configSchema, []));
  return known;
}
