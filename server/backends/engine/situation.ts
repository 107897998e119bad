/** The state a model is in, since when, why and until when. Runs in the server process; the clock is passed in. */
import type { ModelState } from "../../domain/model.ts";
import type { Clock } from "../../domain/ports.ts";

export class Situation {
  readonly state: ModelState;
  readonly sinceMs: number;
  readonly reason: string;
  /** For people: the wall clock, which may be set at any time. Null: until something happens. */
  readonly untilMs: number | null;
  /** The same moment as time goes on; what is waited for. */
  readonly #dueMs: number | null;
  readonly #clock: Clock;

  /** `forMs`: how long it will stay so; null: until something happens. */
  constructor(clock: Clock, state: ModelState, reason: string, forMs: number | null) {
    this.#clock = clock;
    this.state = state;
    this.reason = reason;
    this.sinceMs = clock.now();
    this.untilMs = forMs === null ? null : this.sinceMs + forMs;
    this.#dueMs = forMs === null ? null : clock.monotonicMs() + forMs;
  }

  /** How long it will still last, below 0 when it is over; null where nobody knows. */
  get leftMs(): number | null {
    return this.#dueMs === null ? null : this.#dueMs - this.#clock.monotonicMs();
  }
}
