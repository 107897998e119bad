/** JSON of bills, its numbers kept as the decimal text they came as: `0.1` is `"0.1"`, and no digit is lost. Pure. */
import { z } from "zod";

type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;
/** The third argument is Node's; the library's types do not have it yet. */
const parse = JSON.parse as (text: string, reviver: Reviver) => unknown;

/** Throws SyntaxError for what is no JSON. */
export function exactJson(text: string): unknown {
  return parse(text, (_key, value, context) => (typeof value === "number" ? (context.source ?? String(value)) : value));
}

/** A number, or text with one in it; what else stands where an amount should is kept as text that is none. */
export const amountText = z.union([z.string(), z.unknown().transform(() => "none")]);

/** Text of a whole number; anything else is null. */
export const countText = z
  .unknown()
  .transform((value) => (typeof value === "string" && /^\d{1,15}$/.test(value) ? Number(value) : null));
