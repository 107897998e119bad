/** What to do after a worker died. Pure: crash times in, a decision out. */

export type RestartDecision =
  | { readonly type: "restart"; readonly afterMs: number }
  /** It keeps dying: stop, and let a request try again after `retryAfterMs`. */
  | { readonly type: "give-up"; readonly retryAfterMs: number };

/** Crashes further apart than this have nothing to do with each other. Milliseconds. */
const memoryMs = 5 * 60_000;
const mostCrashes = 5;
const firstDelayMs = 250;
const longestDelayMs = 8_000;

/** `crashesAtMs` are monotonic times, oldest first, the newest crash included. */
export function afterCrash(crashesAtMs: readonly number[], nowMs: number): RestartDecision {
  const recent = crashesAtMs.filter((at) => nowMs - at < memoryMs).length;
  if (recent >= mostCrashes) return { type: "give-up", retryAfterMs: memoryMs };
  return { type: "restart", afterMs: Math.min(longestDelayMs, firstDelayMs * 2 ** Math.max(0, recent - 1)) };
}
