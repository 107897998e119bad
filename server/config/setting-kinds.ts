/** Kinds of values that several sections of the settings have. Pure. */
import { z } from "zod";

export type DeepReadonly<T> = T extends readonly (infer Element)[]
  ? readonly DeepReadonly<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

export const anyText = z.string().trim().min(1).max(1000);

/** US dollars in decimals, exactly as written: `"20"`, `"0.25"`. */
export const usdAmount = z
  .union([z.string(), z.number().transform(String)])
  .pipe(
    z.string().regex(/^\d{1,6}(\.\d{1,6})?$/, 'must be an amount such as "20" or "0.25", with six decimals at most'),
  );

/** Times are bounded by a day, so that a slip of the keyboard is noticed. */
export const milliseconds = z.int().min(0).max(86_400_000);
