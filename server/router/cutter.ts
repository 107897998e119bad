/**
 * Reads one attempt's events while several things may end it early: no content in time, too long a queue, the deadline, a
 * client that left and a backend that does not notice. Timers come from the clock that is handed in. Server process.
 */
import type { EndEvent } from "../domain/chat.ts";
import { isEnd } from "../domain/chat.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";

/** What an attempt may take, in milliseconds from its start; null: no bound. */
export interface AttemptBounds {
  readonly firstTokenMs: number | null;
  readonly queueWaitMs: number | null;
  readonly deadlineMs: number | null;
}

/** How long a backend that was told to stop has for its last words: what was used until then. */
const partingMs = 1_000;

export type Cut =
  /** By us: the attempt has failed. */
  | { readonly by: "bound"; readonly failure: Failure; readonly isDeadline: boolean }
  /** The client left, and the backend did not end by itself. */
  | { readonly by: "client" };

export class Cutter<Event extends { readonly type: string }> {
  /** For the backend. */
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #cancels = new Map<string, () => void>();
  #iterator: AsyncIterator<Event> | null = null;
  #pending: Promise<IteratorResult<Event>> | null = null;
  #cut: Cut | null = null;
  #wake: (() => void) | null = null;
  readonly #outer: AbortSignal;

  constructor(clock: Clock, outer: AbortSignal, bounds: AttemptBounds) {
    this.#clock = clock;
    this.#outer = outer;
    // Joined in `#onLeft`: `AbortSignal.any` keeps weak references, which every collection has to look through.
    this.signal = this.#controller.signal;
    outer.addEventListener("abort", this.#onLeft, { once: true });
    if (outer.aborted) this.#onLeft();
    const { firstTokenMs, queueWaitMs, deadlineMs } = bounds;
    const arm = (name: string, ms: number | null, failure: () => Failure, isDeadline: boolean) => {
      if (ms === null) return;
      const cut = () => this.#end({ by: "bound", failure: failure(), isDeadline });
      this.#cancels.set(name, clock.after(ms, cut));
    };
    arm(
      "first-token",
      firstTokenMs,
      () => new Failure("upstream_timeout", `Nothing came within ${firstTokenMs} ms.`),
      false,
    );
    arm("queue", queueWaitMs, () => new Failure("queue_full", `Waited for longer than ${queueWaitMs} ms.`), false);
    arm("deadline", deadlineMs, () => new Failure("upstream_timeout", "The time this request may take is over."), true);
  }

  begin(iterable: AsyncIterable<Event>): void {
    this.#iterator = iterable[Symbol.asyncIterator]();
  }

  /** The next event; a `Cut` when something ended the attempt meanwhile. Throws what the backend throws. */
  next(): Promise<IteratorResult<Event> | Cut> {
    if (this.#cut !== null) return Promise.resolve(this.#cut);
    const pending = this.#take();
    return new Promise((resolve, reject) => {
      this.#wake = () => resolve(this.#cut ?? { by: "client" });
      pending.then((result) => {
        // After a cut it is kept: it may be the backend's last words.
        if (this.#cut === null) this.#pending = null;
        resolve(result);
      }, reject);
    });
  }

  /** It is being computed: no queue any more. */
  started(): void {
    this.#cancel("queue");
  }

  hasContent(): void {
    this.#cancel("queue");
    this.#cancel("first-token");
  }

  /** After a cut: how the backend itself ended, if it does so soon; null: it did not. */
  async lastWords(): Promise<EndEvent | null> {
    let isOver = false;
    const over = new Promise<null>((resolve) => {
      const cancel = this.#clock.after(partingMs, () => {
        isOver = true;
        resolve(null);
      });
      this.#cancels.set("parting", cancel);
    });
    const listen = async (): Promise<EndEvent | null> => {
      while (!isOver) {
        const { done, value } = await this.#take();
        this.#pending = null;
        if (done === true) return null;
        if (isEnd(value)) return value;
      }
      return null;
    };
    return Promise.race([over, listen().catch(() => null)]);
  }

  /** Harmless twice. The backend hears of it by its iterator's end. */
  close(): void {
    for (const name of [...this.#cancels.keys()]) this.#cancel(name);
    this.#outer.removeEventListener("abort", this.#onLeft);
    const iterator = this.#iterator;
    this.#iterator = null;
    // One that is still asked for an event is past listening; the abort has told it.
    if (iterator !== null) void Promise.resolve(iterator.return?.()).catch(() => {});
    if (this.#pending !== null) {
      this.#pending.catch(() => {});
      this.#controller.abort();
    }
  }

  #take(): Promise<IteratorResult<Event>> {
    this.#pending ??= this.#iterator?.next() ?? Promise.resolve({ done: true, value: undefined });
    return this.#pending;
  }

  #end(cut: Cut): void {
    if (this.#cut !== null) return;
    this.#cut = cut;
    if (cut.by === "bound") this.#controller.abort(cut.failure);
    this.#wake?.();
  }

  readonly #onLeft = () => {
    this.#controller.abort(this.#outer.reason);
    this.#cancels.set(
      "left",
      this.#clock.after(partingMs, () => this.#end({ by: "client" })),
    );
  };

  #cancel(name: string): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }
}
