/** What each instance of a fleet holds now: requests, how many of them nobody answers yet, when the last one ended. In memory. */
import type { Clock } from "../../domain/ports.ts";

export interface Use {
  readonly inFlight: number;
  readonly unanswered: number;
  /** Epoch milliseconds at which the last one ended; null: none has since it is ready. */
  readonly usedAtMs: number | null;
}

export interface Uses {
  of(lease: number): Use;
  /** Requests that were handed to an instance and are not answered yet. */
  unanswered(): number;
  /** `lost` is called when the instance is known to be gone. Both that it gives are harmless twice; `over` says whether it was the first time. */
  began(lease: number, lost: (reason: string) => void): { answers(): void; over(): boolean };
  lost(lease: number, reason: string): void;
  /** It begins anew. `usedAtMs` null: nobody has asked it anything yet. */
  anew(lease: number, usedAtMs: number | null): void;
}

interface Held {
  inFlight: number;
  unanswered: number;
  usedAtMs: number | null;
  readonly lost: Set<(reason: string) => void>;
}

const unused: Use = Object.freeze({ inFlight: 0, unanswered: 0, usedAtMs: null });

export function createUses(clock: Clock): Uses {
  const uses = new Map<number, Held>();
  const heldOf = (lease: number): Held => {
    let held = uses.get(lease);
    if (held === undefined) {
      held = { inFlight: 0, unanswered: 0, usedAtMs: null, lost: new Set() };
      uses.set(lease, held);
    }
    return held;
  };
  return {
    of: (lease) => uses.get(lease) ?? unused,
    unanswered: () => [...uses.values()].reduce((sum, { unanswered }) => sum + unanswered, 0),
    began(lease, lost) {
      const held = heldOf(lease);
      held.inFlight += 1;
      held.unanswered += 1;
      held.lost.add(lost);
      let isAnswered = false;
      let isOver = false;
      const answers = () => {
        if (!isAnswered) held.unanswered -= 1;
        isAnswered = true;
      };
      return {
        answers,
        over() {
          if (isOver) return false;
          isOver = true;
          answers();
          held.inFlight -= 1;
          held.usedAtMs = clock.now();
          held.lost.delete(lost);
          return true;
        },
      };
    },
    lost(lease, reason) {
      for (const lost of [...(uses.get(lease)?.lost ?? [])]) lost(reason);
    },
    anew(lease, usedAtMs) {
      heldOf(lease).usedAtMs = usedAtMs;
    },
  };
}
