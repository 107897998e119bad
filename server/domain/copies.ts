/** What a day's copies of answered requests have cost so far. Pure types. */
import type { Nanos } from "./money.ts";

export interface CopiesSum {
  /** The route whose requests were copied; null: not known any more. */
  readonly alias: string | null;
  readonly target: string;
  /** The part that is known. */
  readonly nanos: Nanos;
  /** Some had a price that nobody knows. */
  readonly hasUnknown: boolean;
}
