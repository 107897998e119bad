/**
 * Requests of one model that wait for a slot, first come, first served, with a bound. Pure state: the clock is passed in.
 * Runs in the server process; the worker only ever hears of requests that have a slot.
 */
import { Failure } from "../../domain/failure.ts";
import type { QueueEntryView } from "../../domain/model.ts";
import type { Clock } from "../../domain/ports.ts";

interface Waiting {
  readonly caller: string;
  readonly go: () => void;
}

/** Weight of the newest answer in the running average of how long a slot is held. */
const newest = 0.2;

export class WaitingLine {
  readonly #model: string;
  readonly #slots: number;
  readonly #bound: number;
  readonly #clock: Clock;
  #line: Waiting[] = [];
  #held = 0;
  #averageHoldMs: number | null = null;

  constructor(model: string, slots: number, bound: number, clock: Clock) {
    this.#model = model;
    this.#slots = slots;
    this.#bound = bound;
    this.#clock = clock;
  }

  /** The place somebody who came now would get; 0: a slot is free. */
  get nextPosition(): number {
    return this.#held < this.#slots && this.#line.length === 0 ? 0 : this.#line.length + 1;
  }

  /** Throws `queue_full` when the line is at its bound. */
  checkRoom(): void {
    if (this.nextPosition <= this.#bound) return;
    const waitMs = this.#expectedMs(1) ?? 5_000;
    throw new Failure("queue_full", `"${this.#model}" is full: ${this.#line.length} requests are waiting.`, {
      retryAfterSeconds: waitMs / 1_000,
    });
  }

  /**
   * Resolves with the function that gives the slot back, to be called exactly once; rejects with the signal's reason when
   * it is aborted first.
   */
  enter(caller: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#held < this.#slots && this.#line.length === 0) return Promise.resolve(this.#take());
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#line = this.#line.filter((one) => one !== waiting);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        caller,
        go: () => {
          signal.removeEventListener("abort", leave);
          resolve(this.#take());
        },
      };
      signal.addEventListener("abort", leave, { once: true });
      this.#line.push(waiting);
    });
  }

  view(): QueueEntryView[] {
    return this.#line.map(({ caller }, at) => ({
      caller,
      model: this.#model,
      position: at + 1,
      expectedMs: this.#expectedMs(at + 1),
    }));
  }

  #take(): () => void {
    this.#held += 1;
    const takenAtMs = this.#clock.monotonicMs();
    let given = false;
    return () => {
      if (given) return;
      given = true;
      this.#held -= 1;
      const heldMs = this.#clock.monotonicMs() - takenAtMs;
      const average = this.#averageHoldMs;
      this.#averageHoldMs = average === null ? heldMs : average + (heldMs - average) * newest;
      this.#line.shift()?.go();
    };
  }

  #expectedMs(position: number): number | null {
    return this.#averageHoldMs === null ? null : Math.round((this.#averageHoldMs * position) / this.#slots);
  }
}
