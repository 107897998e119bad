/** A clock that stands still until a test moves it. */
import type { Clock } from "../../server/domain/ports.ts";

export interface ManualClock extends Clock {
  /** Moves time on and calls back whatever has become due, in order. */
  advance(ms: number): void;
  /** Until the next of those that wait; null: nobody does. */
  nextMs(): number | null;
}

export function manualClock(startMs = 1_700_000_000_000): ManualClock {
  let nowMs = 0;
  let timers: { dueMs: number; callback: () => void }[] = [];
  return {
    now: () => startMs + nowMs,
    monotonicMs: () => nowMs,
    after: (delayMs, callback) => {
      const timer = { dueMs: nowMs + delayMs, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((one) => one !== timer);
      };
    },
    nextMs: () => (timers.length === 0 ? null : Math.max(0, Math.min(...timers.map(({ dueMs }) => dueMs)) - nowMs)),
    advance: (ms) => {
      const untilMs = nowMs + ms;
      for (;;) {
        const due = timers.filter((timer) => timer.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs)[0];
        if (!due) break;
        timers = timers.filter((timer) => timer !== due);
        nowMs = Math.max(nowMs, due.dueMs);
        due.callback();
      }
      nowMs = untilMs;
    },
  };
}
