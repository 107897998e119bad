/** What is left of a caller's limits, as people and headers see it. Pure types. */

export interface RateLeft {
  /** Per minute. */
  readonly limit: number;
  /** Whole ones; never below 0. */
  readonly remaining: number;
  /** Milliseconds until all of it is back, if nothing is used meanwhile. */
  readonly resetMs: number;
}

/** Null: no such limit is set. */
export interface RateState {
  readonly requests: RateLeft | null;
  readonly tokens: RateLeft | null;
}

/** Requests past a limit are counted here and leave no row. */
export interface RateRefusals {
  readonly caller: string;
  readonly refused: number;
  /** Epoch milliseconds of the last one. */
  readonly lastAt: number;
}

/** An attempt that its provider's limits let in. */
export interface AttemptPass {
  /** Corrects what was reserved by what was used. The first call counts. */
  settle(tokens: number): void;
  /** It has ended. The first call counts. */
  leave(): void;
}
