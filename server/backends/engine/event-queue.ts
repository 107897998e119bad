/**
 * Events pushed by one side and pulled by the other, in order. Bounded by what it carries: text that nobody has pulled yet is
 * joined into one event, so a slow reader costs the length of its answer and no more. Runs in the server process.
 */
export class EventQueue<Event> {
  readonly #join: (left: Event, right: Event) => Event | null;
  #events: Event[] = [];
  #wake: (() => void) | null = null;

  /** `join` gives the two events as one, or null when they must stay apart. */
  constructor(join: (left: Event, right: Event) => Event | null) {
    this.#join = join;
  }

  push(event: Event): void {
    const last = this.#events.at(-1);
    const joined = last === undefined ? null : this.#join(last, event);
    if (joined === null) this.#events.push(event);
    else this.#events[this.#events.length - 1] = joined;
    this.#wake?.();
    this.#wake = null;
  }

  /** The oldest event; waits for one. One caller at a time. */
  async next(): Promise<Event> {
    for (;;) {
      const event = this.#events.shift();
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
