/** Kinds of values that several sections of the settings have. Pure. */
import { z } from "zod";

export type DeepReadonly<T> = T extends readonly (infer Element)[]
  ? readonly DeepReadonly<Element>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

export const anyText = z.string().trim().min(1).max(1000);

/** Times are bounded by a day, so that a slip of the keyboard is noticed. */
export const milliseconds = z.int().min(0).max(86_400_000);
