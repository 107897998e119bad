/**
 * A figure of a plan, with how it came about. Pure types. Nothing in a plan stands without saying whether somebody gave it, this box
 * measured it, a list states it, it was computed, or it is only assumed.
 */

/** `listed`: from a price book or a list of instances; `estimated`: computed from the others. */
export type Basis = "given" | "measured" | "listed" | "estimated" | "assumed";

export interface Figure {
  readonly value: number;
  readonly basis: Basis;
  /** Where it is from, in words: an option, this box's ledger, a paper and its line. */
  readonly from: string;
}
