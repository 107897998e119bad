/**
 * A bucket that fills at `limit` per minute and holds a minute's worth. Pure state, monotonic milliseconds are passed in.
 * It may go below empty: what an answer used beyond its estimate is owed, and waited for by the next request.
 */
import type { RateLeft } from "../domain/rate.ts";

export class TokenBucket {
  readonly #limit: number;
  #level: number;
  #atMs: number;

  constructor(limit: number, nowMs: number) {
    this.#limit = limit;
    this.#level = limit;
    this.#atMs = nowMs;
  }

  /** Milliseconds until `amount` is there; 0: now. More than the bucket holds needs a full one. */
  waitMs(amount: number, nowMs: number): number {
    this.#fill(nowMs);
    return this.#fillingMs(Math.min(amount, this.#limit));
  }

  /** A negative amount is given back. */
  take(amount: number, nowMs: number): void {
    this.#fill(nowMs);
    this.#level = Math.min(this.#limit, this.#level - amount);
  }

  left(nowMs: number): RateLeft {
    this.#fill(nowMs);
    return {
      limit: this.#limit,
      remaining: Math.max(0, Math.floor(this.#level)),
      resetMs: this.#fillingMs(this.#limit),
    };
  }

  #fillingMs(level: number): number {
    return (Math.max(0, level - this.#level) * 60_000) / this.#limit;
  }

  #fill(nowMs: number): void {
    this.#level = Math.min(this.#limit, this.#level + ((nowMs - this.#atMs) * this.#limit) / 60_000);
    this.#atMs = nowMs;
  }
}
