/** A clock on which time passes `factor` times as fast: minutes of waiting in a test that takes seconds. */
import type { Clock } from "../../server/domain/ports.ts";

export function fastClock(factor: number): Clock {
  const [epochMs, startMs] = [Date.now(), performance.now()];
  const passedMs = () => (performance.now() - startMs) * factor;
  return {
    now: () => Math.floor(epochMs + passedMs()),
    monotonicMs: () => startMs + passedMs(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs / factor);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
