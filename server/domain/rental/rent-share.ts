/**
 * The rent of one machine, shared over the attempts that it computes. Pure state; the time is handed in.
 *
 * Time is cut where an attempt begins or ends and where the rate changes. Within such a slice the same attempts run all the time, so
 * equal parts are parts by time. Whole nano-USD are shared and fractions carried on: what attempts cost together is the rent of the
 * time in which there was one, to the last nano-USD. The rest of the rent is idle, and nobody's.
 */
import { shared } from "../local-cost/share.ts";
import type { Nanos } from "../money.ts";

const msPerHour = 3_600_000n;

interface Work {
  nanos: Nanos;
  running: boolean;
}

export class RentShares {
  #perHourNanos: Nanos = 0;
  #atMs: number;
  #carry = 0n;
  #turn = 0;
  #usedNanos: Nanos = 0;
  readonly #work = new Map<string, Work>();

  /** `atMs` here and below: monotonic milliseconds. */
  constructor(atMs: number) {
    this.#atMs = Math.floor(atMs);
  }

  /** GPU and disk, for one hour. */
  rate(perHourNanos: Nanos, atMs: number): void {
    if (perHourNanos === this.#perHourNanos) return;
    this.#advance(atMs);
    this.#perHourNanos = perHourNanos;
  }

  began(attempt: string, atMs: number): void {
    this.#advance(atMs);
    const before = this.#work.get(attempt);
    if (before === undefined) this.#work.set(attempt, { nanos: 0, running: true });
    else before.running = true;
  }

  ended(attempt: string, atMs: number): void {
    this.#advance(atMs);
    const work = this.#work.get(attempt);
    if (work !== undefined) work.running = false;
  }

  /** Its share, once. Null: no such attempt, or one that was asked for already. */
  take(attempt: string, atMs: number): Nanos | null {
    const work = this.#work.get(attempt);
    if (work === undefined) return null;
    this.#advance(atMs);
    this.#work.delete(attempt);
    return work.nanos;
  }

  /** What all attempts have used so far. */
  usedNanos(atMs: number): Nanos {
    this.#advance(atMs);
    return this.#usedNanos;
  }

  #advance(atMs: number): void {
    const now = Math.floor(atMs);
    const passed = now - this.#atMs;
    if (passed <= 0) return;
    this.#atMs = now;
    const running = [...this.#work.values()].filter((work) => work.running);
    if (running.length === 0) return;
    const exact = this.#carry + BigInt(passed) * BigInt(this.#perHourNanos);
    this.#carry = exact % msPerHour;
    const pool = Number(exact / msPerHour);
    const parts = shared(
      pool,
      running.map(() => 1),
      this.#turn % running.length,
    );
    this.#turn += 1;
    this.#usedNanos += pool;
    for (const [index, work] of running.entries()) work.nanos += parts[index] ?? 0;
  }
}
