/** Requests that wait until a machine is ready. In memory of the server process. */
import type { Failure } from "../../domain/failure.ts";
import type { Clock } from "../../domain/ports.ts";

export interface Waiters {
  readonly count: number;
  /** True: it is ready. False: the signal came first. Rejects with what it failed with, and with `tooLate()` after `mostMs`. */
  join(signal: AbortSignal, mostMs: number, tooLate: () => Failure): Promise<boolean>;
  ready(): void;
  failed(failure: Failure): void;
}

export function createWaiters(clock: Clock): Waiters {
  const waiting = new Set<{ ready(): void; failed(failure: Failure): void }>();
  return {
    get count() {
      return waiting.size;
    },
    join(signal, mostMs, tooLate) {
      if (signal.aborted) return Promise.resolve(false);
      return new Promise((resolve, reject) => {
        const over = () => {
          waiting.delete(waiter);
          signal.removeEventListener("abort", left);
          cancel();
        };
        const left = () => {
          over();
          resolve(false);
        };
        const waiter = {
          ready: () => {
            over();
            resolve(true);
          },
          failed: (failure: Failure) => {
            over();
            reject(failure);
          },
        };
        const cancel = clock.after(mostMs, () => waiter.failed(tooLate()));
        signal.addEventListener("abort", left, { once: true });
        waiting.add(waiter);
      });
    },
    ready: () => {
      for (const waiter of [...waiting]) waiter.ready();
    },
    failed: (failure) => {
      for (const waiter of [...waiting]) waiter.failed(failure);
    },
  };
}
