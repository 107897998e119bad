/**
 * Taking turns by tokens: deficit round robin as virtual time. Every caller has a count of the tokens computed for it, and
 * the one with the least goes next. Pure state, no clock; runs in the server (who gets a slot) and in each worker (whose
 * prompt gets the step).
 *
 * Nothing can be saved up: a caller that begins to wait is level with whoever went last, however long it was away. What it
 * got too much it still owes. One number is kept per caller ever seen, and callers are keys that somebody made.
 */
export class TokenTurns {
  readonly #served = new Map<string, number>();
  /** Virtual time: the count of the caller that went last, before it went. Never falls. */
  #nowTokens = 0;

  /** Call when a caller begins to wait that did not wait before. */
  begin(caller: string): void {
    this.#served.set(caller, Math.max(this.served(caller), this.#nowTokens));
  }

  /** Call when it is this caller's turn, before its tokens are charged. */
  goes(caller: string): void {
    this.#nowTokens = Math.max(this.#nowTokens, this.served(caller));
  }

  /** Tokens that were computed, or are about to be; negative ones give back what was charged and not needed. */
  charge(caller: string, tokens: number): void {
    this.#served.set(caller, this.served(caller) + tokens);
  }

  /** Tokens in a measure that all callers share; only differences mean something. */
  served(caller: string): number {
    return this.#served.get(caller) ?? this.#nowTokens;
  }
}
