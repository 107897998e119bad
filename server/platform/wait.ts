/** Waiting on the clock that is passed in, cut short by a signal. Runs in every process; imports the domain only. */
import type { Clock } from "../domain/ports.ts";

/** True when the time has passed; false when the signal came first, or had come before. Never rejects. */
export function waited(clock: Clock, ms: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  if (ms <= 0) return Promise.resolve(true);
  return new Promise((resolve) => {
    const onAbort = () => {
      cancel();
      resolve(false);
    };
    const cancel = clock.after(ms, () => {
      signal.removeEventListener("abort", onAbort);
      resolve(true);
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}

/** As `waited`, for who has nothing to do without it: rejects with the signal's reason. */
export async function waitFor(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  if (!(await waited(clock, ms, signal))) throw signal.reason;
}
