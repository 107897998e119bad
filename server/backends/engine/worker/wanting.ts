/**
 * What each caller has had of this model's steps, and who could use more. Pure state; the step loop hands in the time and
 * asks before each step that computes prompts. Runs in a worker process.
 */
import { TokenTurns } from "../../../domain/fairness/token-turns.ts";
import type { CallerFacts } from "./chunk.ts";

/**
 * Milliseconds for which a caller still counts as waiting after its last request got a slot: a client that always has a
 * request in the line sends the next one a moment after an answer, and the step in between must not go to somebody else.
 */
const memoryMs = 2_000;

export interface SlotUse {
  readonly caller: string;
  readonly phase: "waiting" | "prefill" | "decode";
}

export class Wanting {
  readonly #turns = new TokenTurns();
  #waiting: readonly string[] = [];
  /** Until when a caller counts as waiting that has left the line. */
  readonly #untilMs = new Map<string, number>();
  #wanted: ReadonlySet<string> = new Set();

  setWaiting(callers: readonly string[], nowMs: number): void {
    for (const caller of this.#waiting) this.#untilMs.set(caller, nowMs + memoryMs);
    this.#waiting = callers;
  }

  /** A request waits in the server for a slot. */
  get somebodyWaits(): boolean {
    return this.#waiting.length > 0;
  }

  computed(caller: string, tokens: number): void {
    this.#turns.charge(caller, tokens);
  }

  /** The callers of these slots. */
  callers(slots: readonly SlotUse[], nowMs: number): readonly CallerFacts[] {
    const wanted = new Set(this.#waiting);
    for (const [caller, untilMs] of this.#untilMs) {
      if (untilMs > nowMs) wanted.add(caller);
      else this.#untilMs.delete(caller);
    }
    for (const { caller, phase } of slots) if (phase === "prefill") wanted.add(caller);
    for (const caller of wanted) if (!this.#wanted.has(caller)) this.#turns.begin(caller);
    this.#wanted = wanted;

    const callers = new Map<string, CallerFacts>();
    for (const { caller, phase } of slots) {
      callers.set(caller, {
        caller,
        served: this.#turns.served(caller),
        wanting: wanted.has(caller),
        computing: phase !== "waiting" || callers.get(caller)?.computing === true,
      });
    }
    this.#advance([...callers.values()]);
    return [...callers.values()];
  }

  /** The least served of those who want more sets the time that newcomers start at. */
  #advance(callers: readonly CallerFacts[]): void {
    let least: CallerFacts | null = null;
    for (const one of callers) if (one.wanting && (least === null || one.served < least.served)) least = one;
    if (least !== null) this.#turns.goes(least.caller);
  }
}
