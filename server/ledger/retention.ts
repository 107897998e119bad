/**
 * Removes single requests whose time is over, a few at a time; their sums stay, so that a report about a year is the same afterwards.
 * Runs on the server's thread beside the writer, because a file has one writer.
 */
import type Database from "better-sqlite3";
import type { Clock, Log } from "../domain/ports.ts";
import { dayMs, hourMs } from "./spans.ts";

/** In one transaction: one or two milliseconds, which running streams do not notice. */
const mostPerStep = 25;
const betweenMs = 20;
/** Between two passes, and after a disk that failed. */
const everyMs = hourMs;

/** Tables that refer to a request, each by its column `request`: they go first. */
export const tablesOfRequests = Object.freeze(["feedback", "attempts"]);

export interface Removal {
  /** From now on single requests from before this whole day (UTC) may be gone; never goes back. */
  keepFrom(fromMs: number): void;
  /** Removes up to `most` of them in one transaction, the oldest first; how many it were. What is still open stays. */
  remove(most: number): number;
}

export function prepareRemoval(database: Database.Database): Removal {
  const keepFrom = database.prepare<[number, number]>("UPDATE rows_kept SET from_ms = ? WHERE from_ms < ?");
  const chosen = database.prepare<[number], { number: number }>(
    `SELECT number FROM requests INDEXED BY requests_by_start
     WHERE started_at_ms < (SELECT from_ms FROM rows_kept) AND status <> 'open' ORDER BY started_at_ms LIMIT ?`,
  );
  const steps = [...tablesOfRequests.map((table) => `${table} WHERE request`), "requests WHERE number"].map((where) =>
    database.prepare<[string]>(`DELETE FROM ${where} IN (SELECT value FROM json_each(?))`),
  );
  const remove = database.transaction((most: number): number => {
    const numbers = chosen.all(most).map(({ number }) => number);
    if (numbers.length > 0) for (const step of steps) step.run(JSON.stringify(numbers));
    return numbers.length;
  });
  return {
    keepFrom(fromMs) {
      const day = Math.max(0, Math.floor(fromMs / dayMs) * dayMs);
      keepFrom.run(day, day);
    },
    remove: (most) => remove.immediate(most),
  };
}

export interface Retention {
  stop(): void;
}

/** `keepDays` 0: everything is kept for ever. */
export function startRetention(
  removal: Removal,
  ports: { readonly clock: Clock; readonly log: Log; readonly keepDays: number },
): Retention {
  const { clock, log, keepDays } = ports;
  let removed = 0;
  let cancel = keepDays === 0 ? () => {} : clock.after(0, pass);

  function pass(): void {
    attempt(() => {
      removal.keepFrom(clock.now() - keepDays * dayMs);
      cancel = clock.after(0, step);
    });
  }

  function step(): void {
    attempt(() => {
      const gone = removal.remove(mostPerStep);
      removed += gone;
      if (gone > 0) {
        cancel = clock.after(betweenMs, step);
        return;
      }
      if (removed > 0) log.info({ requests: removed }, "removed requests whose time was over; their sums stay");
      removed = 0;
      cancel = clock.after(everyMs, pass);
    });
  }

  function attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      log.warn({ err: error }, "old requests could not be removed from the ledger; it is tried again in an hour");
      cancel = clock.after(everyMs, pass);
    }
  }

  return { stop: () => cancel() };
}
