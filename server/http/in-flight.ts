/**
 * The requests that are being answered, so that stopping the box can wait for them and then cut them. Runs in the
 * server; knows neither HTTP nor dialects.
 */
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";

/** Why a flight's signal was aborted when the client went away. The other reason is a Failure `shutting_down`. */
export const clientLeft: unique symbol = Symbol("the client left");

export interface Flight {
  /** Its `reason` is `clientLeft` or a Failure: `shutting_down`, or what `cut` was given. */
  readonly signal: AbortSignal;
  leave(): void;
  /** Ends it, and the client is told why. */
  cut(reason: Failure): void;
  /** Call exactly once, when the last byte was handed over and the row is written. */
  land(): void;
}

export interface InFlight {
  readonly draining: boolean;
  readonly count: number;
  /** Throws Failure `shutting_down` while draining. */
  takeOff(): Flight;
  /**
   * No new flights from here on. Resolves when none is left: after `graceMs` those that are get cut, and have `partingMs`
   * to say so. Call once.
   */
  drain(graceMs: number, partingMs: number): Promise<void>;
  /** Cuts every flight now, whatever is left of the grace period. */
  cut(): void;
}

export function shuttingDown(): Failure {
  return new Failure("shutting_down", "This box is stopping and takes no new requests. Please try again in a moment.");
}

export function createInFlight(clock: Clock): InFlight {
  const flights = new Set<AbortController>();
  let draining = false;
  let emptied: (() => void) | null = null;
  let endGrace: (() => void) | null = null;

  const abortAll = () => {
    const reason = new Failure("shutting_down", "This box stopped before the answer was complete.");
    for (const controller of flights) controller.abort(reason);
  };

  return {
    get draining() {
      return draining;
    },
    get count() {
      return flights.size;
    },
    takeOff() {
      if (draining) throw shuttingDown();
      const controller = new AbortController();
      flights.add(controller);
      return {
        signal: controller.signal,
        leave: () => controller.abort(clientLeft),
        cut: (reason) => controller.abort(reason),
        land: () => {
          flights.delete(controller);
          if (flights.size === 0) emptied?.();
        },
      };
    },
    drain(graceMs, partingMs) {
      draining = true;
      if (flights.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        let cancelTimer = clock.after(graceMs, () => endGrace?.());
        emptied = () => {
          cancelTimer();
          resolve();
        };
        endGrace = () => {
          endGrace = null;
          cancelTimer();
          cancelTimer = clock.after(partingMs, resolve);
          abortAll();
        };
      });
    },
    cut: () => endGrace?.(),
  };
}
