/** Where the time before the first token went: each mark ends the part that began with the one before it. Pure state. */
import type { Clock } from "../../domain/ports.ts";
import type { Timings } from "../../domain/usage.ts";

export class Times {
  readonly #clock: Clock;
  #lastMs: number;
  readonly #parts: { loadMs: number; queueMs: number };

  constructor(clock: Clock, from?: Times) {
    this.#clock = clock;
    this.#lastMs = from === undefined ? clock.monotonicMs() : from.#lastMs;
    this.#parts = from === undefined ? { loadMs: 0, queueMs: 0 } : { ...from.#parts };
  }

  /** Goes on from here on its own: for one of several answers. */
  fork(): Times {
    return new Times(this.#clock, this);
  }

  mark(part: "loadMs" | "queueMs"): void {
    const nowMs = this.#clock.monotonicMs();
    this.#parts[part] += nowMs - this.#lastMs;
    this.#lastMs = nowMs;
  }

  known(): Timings {
    const { loadMs, queueMs } = this.#parts;
    return { loadMs: Math.round(loadMs), queueMs: Math.round(queueMs), prefillMs: 0, decodeMs: 0 };
  }
}
