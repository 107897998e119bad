/** Money is integer. Sums are nano-USD (1e-9 USD) in safe integers: 2^53 of them are about nine million dollars. Pure. */

/** Nano-USD, an integer. */
export type Nanos = number;

/** A cost is a number of nanos, or unknown (never 0 in its place), with the reason a person reads. */
export type Cost =
  | { readonly known: true; readonly nanos: Nanos; readonly basis: "measured" | "estimated" | "billed" }
  | { readonly known: false; readonly reason: UnknownCostReason };

/** `not_priced`: local work, and no electricity price has been set. `unknown_price`: no price is known for that model. */
export type UnknownCostReason = "not_priced" | "unknown_price";
