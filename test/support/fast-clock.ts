/** A clock on which time passes `factor` times as fast: minutes of waiting in a test that takes seconds. */
import type { Clock } from "../../server/domain/ports.ts";

/** `epochMs`: when it showed the right time; processes that are given the same one agree, and one that starts again goes on. `aheadMs`: besides. */
export function fastClock(factor: number, epochMs = Date.now(), aheadMs = 0): Clock {
  const startMs = performance.now();
  const passedMs = () => (performance.now() - startMs) * factor;
  const beforeMs = (Date.now() - epochMs) * factor;
  return {
    now: () => Math.floor(epochMs + aheadMs + beforeMs + passedMs()),
    monotonicMs: () => startMs + passedMs(),
    after(delayMs, callback) {
      const timer = setTimeout(callback, delayMs / factor);
      timer.unref();
      return () => clearTimeout(timer);
    },
  };
}
