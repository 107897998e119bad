/**
 * Keeps the dead-man switch: notes when home was heard, looks when the rules say so, and calls once when this rental is to end.
 * Runs in the server of a rented machine; the decision is in `domain/rental/dead-man.ts`.
 */
import type { Clock } from "../../domain/ports.ts";
import { deadMan, type DeadManRules, type DeadManVerdict } from "../../domain/rental/dead-man.ts";

export interface Watch {
  heard(): void;
  /** Epoch milliseconds: when home was heard last (the start counts), and when silence ends the rental; null: never. */
  view(): { readonly heardAt: number; readonly endsAtIfSilent: number | null };
  stop(): void;
}

export function watchHome(
  rules: DeadManRules,
  clock: Clock,
  end: (verdict: Extract<DeadManVerdict, { kind: "end" }>) => void,
): Watch {
  let heardMs = clock.monotonicMs();
  let stopped = false;
  let cancel = () => {};

  const look = () => {
    cancel();
    if (stopped) return;
    const verdict = deadMan({ monotonicMs: clock.monotonicMs(), nowMs: clock.now(), heardMs }, rules);
    if (verdict.kind === "end") {
      stopped = true;
      end(verdict);
      return;
    }
    // A home that is heard moves the end on; that is seen when the time has come.
    if (verdict.forMs !== null) cancel = clock.after(verdict.forMs, look);
  };
  look();

  const wallOf = (monotonicMs: number) => Math.round(clock.now() + monotonicMs - clock.monotonicMs());
  return {
    heard: () => {
      heardMs = clock.monotonicMs();
    },
    view() {
      const heardAt = wallOf(heardMs);
      return { heardAt, endsAtIfSilent: rules.homeSilenceMs === null ? null : heardAt + rules.homeSilenceMs };
    },
    stop: () => {
      stopped = true;
      cancel();
    },
  };
}
