/**
 * Requests of one model that wait for a slot. Callers take turns by tokens (`domain/fairness`); here are the slots, the
 * bound, the promises and what is said about waiting. The clock is passed in. Runs in the server process; the worker only
 * ever hears of requests that have a slot.
 */
import { expectedWaitsMs, remainingMs } from "../../domain/fairness/expected-wait.ts";
import { FairLine, type LineEntry } from "../../domain/fairness/fair-line.ts";
import { hasRoom } from "../../domain/fairness/line-room.ts";
import { Failure } from "../../domain/failure.ts";
import type { QueueEntryView } from "../../domain/model.ts";
import type { Clock } from "../../domain/ports.ts";

export interface Arrival {
  /** Who takes turns: one per key. */
  readonly caller: string;
  /** What people see. */
  readonly name: string;
  /** A request without tools: an agent's title or memory, beside the request that somebody waits for. */
  readonly side: boolean;
}

/** A request that was let in: it counts against the bound until it has a slot or leaves. */
export interface Place {
  /** The place it would get if it began to wait now; 0: a slot is free. */
  position(promptTokens: number): number;
  /** Resolves when a slot is there; rejects with the signal's reason when that comes first. May be called again after giving back. */
  enter(promptTokens: number, signal: AbortSignal): Promise<HeldSlot>;
  /** Gives the place back. Harmless when a slot was taken: that one is given back by itself. */
  leave(): void;
}

export interface HeldSlot {
  /** What was computed for this request so far, prompt and answer; corrects what was charged before. Tokens. */
  cost(tokens: number): void;
  /** Counts once. */
  giveBack(): void;
}

interface Waiting extends LineEntry {
  readonly name: string;
  readonly go: () => void;
}

/** Weight of the newest answer in the running average of how long a slot is held. */
const newest = 0.2;

/** A caller that sent nothing for so long is away, and what it was owed is forgotten. Milliseconds. */
const awayMs = 2_000;

export class WaitingLine {
  readonly #model: string;
  #slots: number;
  readonly #bound: number;
  readonly #clock: Clock;
  /** Told which callers wait, whenever that changes. */
  readonly #onCallers: (callers: readonly string[]) => void;
  readonly #line = new FairLine<Waiting>();
  /** Requests without a slot per caller, those that are being prepared included. */
  readonly #present = new Map<string, number>();
  readonly #held = new Set<{ readonly caller: string; readonly takenAtMs: number }>();
  readonly #averageHoldMs = new Map<string, number>();
  #averageOfAllMs: number | null = null;
  /** Callers that have nothing here, until they count as away: what cancels that. */
  readonly #leaving = new Map<string, () => void>();
  #arrivals = 0;
  #announced = "[]";

  constructor(
    model: string,
    slots: number,
    bound: number,
    clock: Clock,
    onCallers: (callers: readonly string[]) => void = () => {},
  ) {
    this.#model = model;
    this.#slots = slots;
    this.#bound = bound;
    this.#clock = clock;
    this.#onCallers = onCallers;
  }

  /** Lets a request in, or throws `queue_full`. Whoever is let in must `leave`. */
  arrive(arrival: Arrival): Place {
    const { caller } = arrival;
    const freeSlots = Math.max(0, this.#slots - this.#held.size);
    if (!hasRoom({ caller, waiting: this.#present, bound: this.#bound, freeSlots })) throw this.#full();
    this.#stay(caller);
    this.#arrivals += 1;
    const number = this.#arrivals;
    let present = false;
    const bePresent = (now: boolean) => {
      if (present === now) return;
      present = now;
      const count = (this.#present.get(caller) ?? 0) + (now ? 1 : -1);
      if (count === 0) this.#present.delete(caller);
      else this.#present.set(caller, count);
      if (count === 0) this.#maybeGone(caller);
    };
    const entry = (tokens: number, go: () => void): Waiting => ({ ...arrival, arrival: number, tokens, go });
    bePresent(true);
    return {
      position: (promptTokens) => this.#positionOf(entry(promptTokens, () => {})),
      enter: (promptTokens, signal) =>
        new Promise((resolve, reject) => {
          signal.throwIfAborted();
          bePresent(true);
          const leave = () => {
            this.#line.remove(waiting);
            this.#announce();
            reject(signal.reason);
          };
          const waiting = entry(promptTokens, () => {
            signal.removeEventListener("abort", leave);
            bePresent(false);
            resolve(this.#take(caller, promptTokens));
          });
          signal.addEventListener("abort", leave, { once: true });
          this.#line.add(waiting);
          this.#serve();
        }),
      leave: () => bePresent(false),
    };
  }

  /** The model was loaded with another number of slots than before. */
  resize(slots: number): void {
    if (slots === this.#slots) return;
    this.#slots = slots;
    this.#serve();
  }

  view(): QueueEntryView[] {
    const ordered = this.#line.order();
    const waits = this.#waitsMs(ordered);
    return ordered.map(({ name }, at) => {
      const waitMs = waits?.[at];
      return {
        caller: name,
        model: this.#model,
        position: at + 1,
        expectedMs: waitMs === undefined ? null : Math.round(waitMs),
      };
    });
  }

  /** The callers that wait now. */
  get callers(): readonly string[] {
    return this.#line.callers;
  }

  #serve(): void {
    while (this.#held.size < this.#slots) {
      const waiting = this.#line.next();
      if (waiting === null) break;
      waiting.go();
    }
    this.#announce();
  }

  #take(caller: string, promptTokens: number): HeldSlot {
    const held = { caller, takenAtMs: this.#clock.monotonicMs() };
    this.#held.add(held);
    let charged = promptTokens;
    return {
      cost: (tokens) => {
        this.#line.charge(caller, tokens - charged);
        charged = tokens;
      },
      giveBack: () => {
        if (!this.#held.delete(held)) return;
        this.#maybeGone(caller);
        this.#learn(caller, this.#clock.monotonicMs() - held.takenAtMs);
        this.#serve();
      },
    };
  }

  #stay(caller: string): void {
    this.#leaving.get(caller)?.();
    this.#leaving.delete(caller);
    this.#line.stay(caller);
  }

  /** A client sends its next request a moment after an answer: it is not away before that moment has passed. */
  #maybeGone(caller: string): void {
    const isHere = this.#present.has(caller) || [...this.#held].some((held) => held.caller === caller);
    if (isHere || this.#leaving.has(caller)) return;
    const cancel = this.#clock.after(awayMs, () => {
      this.#leaving.delete(caller);
      this.#line.goAway(caller);
    });
    this.#leaving.set(caller, cancel);
  }

  #learn(caller: string, heldMs: number): void {
    const own = this.#averageHoldMs.get(caller) ?? null;
    this.#averageHoldMs.set(caller, average(own, heldMs));
    this.#averageOfAllMs = average(this.#averageOfAllMs, heldMs);
  }

  #announce(): void {
    const { callers } = this.#line;
    const text = JSON.stringify(callers);
    if (text === this.#announced) return;
    this.#announced = text;
    this.#onCallers(callers);
  }

  #positionOf(entry: Waiting): number {
    if (this.#held.size < this.#slots && this.#line.size === 0) return 0;
    this.#line.add(entry);
    const at = this.#line.order().indexOf(entry);
    this.#line.remove(entry);
    return at + 1;
  }

  /** Null before the first slot was given back: there is nothing to predict from. */
  #waitsMs(ordered: readonly Waiting[]): readonly number[] | null {
    const usual = this.#averageOfAllMs;
    if (usual === null) return null;
    const nowMs = this.#clock.monotonicMs();
    const holdMs = (caller: string) => this.#averageHoldMs.get(caller) ?? usual;
    const slotsMs = [...this.#held].map(({ caller, takenAtMs }) => remainingMs(holdMs(caller), nowMs - takenAtMs));
    while (slotsMs.length < this.#slots) slotsMs.push(0);
    return expectedWaitsMs(
      slotsMs,
      ordered.map(({ caller }) => holdMs(caller)),
    );
  }

  /** Comes back when half of those who wait now have a slot: at once is too soon for all who were refused together. */
  #full(): Failure {
    const ordered = this.#line.order();
    const waits = this.#waitsMs(ordered);
    const waitMs = waits?.[Math.floor((waits.length - 1) / 2)] ?? 5_000;
    let present = 0;
    for (const count of this.#present.values()) present += count;
    return new Failure("queue_full", `"${this.#model}" is full: ${present} requests are waiting.`, {
      retryAfterSeconds: waitMs / 1_000,
    });
  }
}

function average(previous: number | null, value: number): number {
  return previous === null ? value : previous + (value - previous) * newest;
}
