/**
 * The real clock, handed to every room that needs time. Runs in every process; imports the domain only.
 */
import type { Clock } from "../domain/ports.ts";

/** `setTimeout` fires at once when asked for more than this, so longer waits are cut into pieces. */
const longestTimerMs = 2 ** 31 - 1;

function after(delayMs: number, callback: () => void): () => void {
  const dueMs = performance.now() + delayMs;
  let timer: NodeJS.Timeout;
  const arm = () => {
    const leftMs = dueMs - performance.now();
    timer = setTimeout(due, Math.min(longestTimerMs, Math.max(0, Math.ceil(leftMs))));
    // A pending time-out is never a reason for the process to stay.
    timer.unref();
  };
  // Timers count whole milliseconds from a moment that lies a little back: they may come up to one too early.
  const due = () => {
    if (performance.now() < dueMs) arm();
    else callback();
  };
  arm();
  return () => clearTimeout(timer);
}

export const systemClock: Clock = Object.freeze({
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after,
});
