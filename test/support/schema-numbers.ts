/** Where a zod schema takes numbers, read from the schema itself, so that a new field is found without being listed. */
import type { z } from "zod";

export interface NumericPlace {
  /** `["logit_bias", "7"]`; a list's element stands at 0. */
  readonly path: readonly (string | number)[];
  /** The value at `path` may be something else as well, such as text. */
  readonly alsoOther: boolean;
}

type Schema = z.core.$ZodType;

export function numericPlaces(schema: Schema): readonly NumericPlace[] {
  return placesIn(schema as z.core.$ZodTypes, [], false);
}

function placesIn(schema: z.core.$ZodTypes, path: readonly (string | number)[], alsoOther: boolean): NumericPlace[] {
  const into = (inner: Schema, step?: string | number, other = alsoOther) =>
    placesIn(inner as z.core.$ZodTypes, step === undefined ? path : [...path, step], other);
  const { def } = schema._zod;
  switch (def.type) {
    case "number":
    case "bigint":
      return [{ path, alsoOther }];
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "catch":
    case "readonly":
    case "nonoptional":
      return into(def.innerType);
    case "pipe":
      return [...into(def.in), ...into(def.out)];
    case "object":
      return Object.entries(def.shape).flatMap(([name, inner]) => into(inner, name, false));
    case "array":
      return into(def.element, 0, false);
    case "record":
      return into(def.valueType, "7", false);
    case "union":
      return def.options.flatMap((option) => into(option, undefined, def.options.length > 1));
    case "lazy":
      return [];
    default:
      return [];
  }
}

/** `body` with the JSON text `raw` at `path`, as JSON text. */
export function withRawAt(body: object, path: readonly (string | number)[], raw: string): string {
  const mark = "the raw value goes here";
  const place = (at: number): unknown => {
    const step = path[at];
    if (step === undefined) return mark;
    return typeof step === "number" ? [place(at + 1)] : { [step]: place(at + 1) };
  };
  return JSON.stringify({ ...body, ...(place(0) as object) }).replace(JSON.stringify(mark), () => raw);
}
