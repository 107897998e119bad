/**
 * The ledger's one writer, on the server's thread. What happens in one turn of the event loop is committed together at
 * its end (group commit), so a busy server pays for one transaction and not for each row.
 *
 * A disk that fails never takes the server down: who waits is told, rows are kept in memory up to a bound, and the writer
 * tries again until the disk is back. Killing the process loses at most what the running turn had not committed.
 */
import Database from "better-sqlite3";
import { Failure } from "../domain/failure.ts";
import type { Clock, Log } from "../domain/ports.ts";
import { noTimings, noUsage } from "../domain/usage.ts";
import type { AttemptEnding, AttemptOpening, RequestEnding, RequestOpening } from "./rows.ts";
import type { Statements } from "./statements.ts";

/** Most operations in one transaction: some milliseconds, which running streams do not notice. */
const mostPerCommit = 500;
/** While the disk fails: requests whose rows wait in memory. Past it new requests get no row, and are counted. */
const mostWaitingOperations = 20_000;
const retryAfterMs = 500;

export interface LedgerWriter {
  /** Fire and forget. Operations reach the file in the order of the calls. */
  openRequest(row: RequestOpening): void;
  openAttempt(row: AttemptOpening): void;
  /**
   * For an attempt that costs money: resolves when its row, and its request's, are in the file, so that it may be made.
   * Rejects with Failure `ledger_unavailable` when the disk fails: then it must not be made, and its row still comes.
   */
  openPaidAttempt(row: AttemptOpening): Promise<void>;
  closeAttempt(row: AttemptEnding): void;
  /**
   * Resolves when the row is in the file. Rejects with Failure `ledger_unavailable` when the disk fails: the row is
   * still kept and written once the disk is back. An attempt that is still open is closed with its request.
   */
  closeRequest(row: RequestEnding): Promise<void>;
  /** Commits all that waits, now. Never throws; `healthy()` tells. */
  flush(): void;
  /** False from a failed commit to the next one that works. */
  healthy(): boolean;
}

export interface WriterOptions {
  readonly statements: Statements;
  readonly clock: Clock;
  readonly log: Log;
  /** Called after each commit, for the checkpoint. */
  readonly onCommit: () => void;
}

/** What the rest of the room needs besides. */
export interface WriterInside extends LedgerWriter {
  /** Written along with the next commit. */
  touchKey(id: number, atMs: number): void;
  /**
   * Fire and forget: statements about other rows of the file, in order with the rest and in one transaction with each other;
   * `run` returns how many rows it changed. `name` is for the log.
   */
  beside(name: string, run: () => number): void;
  /** The row of a request that is open; null: none is. */
  numberOf(requestId: string): number | null;
  /** Writes what waits, and nothing after that: the file is about to be closed. */
  stop(): void;
}

interface LiveRequest {
  readonly number: number;
  readonly openAttempts: Set<number>;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (failure: Failure) => void;
}

interface Operation {
  /** Changes one row, or finds that it cannot. */
  readonly run: () => number;
  readonly requestId: string;
  waiter: Waiter | null;
}

function unavailable(cause: unknown): Failure {
  return new Failure("ledger_unavailable", "The ledger cannot be written at the moment.", { cause });
}

/** True for a fault of one row (a constraint, a wrong type): the rest of its transaction is sound. */
function isRowFault(error: unknown): boolean {
  if (error instanceof Database.SqliteError) return error.code.startsWith("SQLITE_CONSTRAINT");
  return error instanceof TypeError || error instanceof RangeError;
}

export function createWriter(options: WriterOptions): WriterInside {
  const { statements, clock, log } = options;
  const live = new Map<string, LiveRequest>();
  const touches = new Map<number, number>();
  let queue: Operation[] = [];
  let lastNumber = statements.lastRequestNumber();
  let isHealthy = true;
  let isScheduled = false;
  /** Ends the wait for the next try; null: nothing waits for the disk. */
  let cancelRetry: (() => void) | null = null;
  let isStopped = false;
  let withoutRow = 0;

  function schedule(): void {
    if (isScheduled || isStopped) return;
    isScheduled = true;
    const turn = () => {
      isScheduled = false;
      cancelRetry = null;
      if (isStopped) return;
      commitSome();
      if (queue.length > 0 || touches.size > 0) schedule();
    };
    if (isHealthy) setImmediate(turn);
    else cancelRetry = clock.after(retryAfterMs, turn);
  }

  function enqueue(requestId: string, run: () => number, waiter: Waiter | null = null): void {
    queue.push({ run, requestId, waiter });
    schedule();
  }

  /** Runs one batch inside a transaction; returns the operations whose own row was at fault. Throws when the disk is. */
  function writeBatch(batch: readonly Operation[], keysUsed: ReadonlyMap<number, number>): Map<Operation, unknown> {
    const faults = new Map<Operation, unknown>();
    statements.begin();
    for (const operation of batch) {
      try {
        if (operation.run() === 0) faults.set(operation, null);
      } catch (error) {
        if (!isRowFault(error)) throw error;
        faults.set(operation, error);
      }
    }
    for (const [id, atMs] of keysUsed) statements.touchKey(id, atMs);
    statements.commit();
    return faults;
  }

  /** One transaction. Returns false when the disk failed. */
  function commitSome(): boolean {
    if (queue.length === 0 && touches.size === 0) return true;
    const batch = queue.slice(0, mostPerCommit);
    let faults: Map<Operation, unknown>;
    try {
      faults = writeBatch(batch, touches);
    } catch (error) {
      giveUpForNow(error);
      return false;
    }
    queue = queue.slice(batch.length);
    touches.clear();
    if (!isHealthy) {
      isHealthy = true;
      if (cancelRetry !== null) {
        // The disk is back: what comes now does not wait for a try that is not needed any more.
        cancelRetry();
        cancelRetry = null;
        isScheduled = false;
      }
      log.info({ requestsWithoutRow: withoutRow }, "the ledger can be written again");
      withoutRow = 0;
    }
    for (const operation of batch) {
      if (!faults.has(operation)) {
        operation.waiter?.resolve();
        continue;
      }
      const cause = faults.get(operation);
      log.error({ requestId: operation.requestId, err: cause }, "a ledger row could not be written as it was");
      operation.waiter?.reject(new Failure("internal", "The ledger row of this request is wrong.", { cause }));
    }
    options.onCommit();
    return true;
  }

  function giveUpForNow(error: unknown): void {
    try {
      statements.rollback();
    } catch (rollbackError) {
      log.error({ err: rollbackError }, "the ledger's transaction could not be rolled back");
    }
    if (isHealthy) log.error({ err: error }, "the ledger cannot be written; rows are kept and tried again");
    isHealthy = false;
    const failure = unavailable(error);
    for (const operation of queue) {
      operation.waiter?.reject(failure);
      operation.waiter = null;
    }
  }

  /** The attempt's request; null when there is no place for it, which is said in the log. */
  function placed(row: AttemptOpening): LiveRequest | null {
    const request = live.get(row.requestId);
    if (request === undefined || request.openAttempts.has(row.number)) {
      if (isHealthy) log.error({ requestId: row.requestId }, "an attempt was opened that has no place in the ledger");
      return null;
    }
    request.openAttempts.add(row.number);
    return request;
  }

  function closeLeftovers(row: RequestEnding, request: LiveRequest): void {
    for (const number of request.openAttempts) {
      log.warn({ requestId: row.id, attempt: number }, "an attempt was still open when its request ended");
      const ending: AttemptEnding = {
        requestId: row.id,
        number,
        status: row.status === "refused" ? "aborted" : row.status,
        failureCode: row.failureCode,
        durationMs: row.durationMs,
        usage: noUsage,
        timings: noTimings,
        cost: { known: false, reason: "not_priced" },
      };
      enqueue(row.id, () => statements.closeAttempt(request.number, ending));
    }
  }

  function flush(): void {
    while (!isStopped && (queue.length > 0 || touches.size > 0)) {
      if (!commitSome()) {
        schedule();
        return;
      }
    }
  }

  return {
    openRequest(row) {
      if (isStopped) return;
      if (live.has(row.id)) {
        log.error({ requestId: row.id }, "a request was opened twice in the ledger");
        return;
      }
      if (!isHealthy && queue.length >= mostWaitingOperations) {
        withoutRow += 1;
        return;
      }
      lastNumber += 1;
      const number = lastNumber;
      live.set(row.id, { number, openAttempts: new Set() });
      enqueue(row.id, () => {
        const changes = statements.openRequest(number, row);
        return Math.max(changes, 1);
      });
    },

    openAttempt(row) {
      const request = placed(row);
      if (request === null) return;
      enqueue(row.requestId, () => Math.max(statements.openAttempt(request.number, row), 1));
    },

    openPaidAttempt(row) {
      const request = placed(row);
      if (request === null) return Promise.reject(unavailable(new Error("the attempt has no place in the ledger")));
      const run = () => Math.max(statements.openAttempt(request.number, row), 1);
      if (!isHealthy || isStopped) {
        enqueue(row.requestId, run);
        return Promise.reject(unavailable(new Error("the last commit failed")));
      }
      return new Promise((resolve, reject) => enqueue(row.requestId, run, { resolve, reject }));
    },

    closeAttempt(row) {
      const request = live.get(row.requestId);
      if (request === undefined || !request.openAttempts.delete(row.number)) {
        if (isHealthy) log.error({ requestId: row.requestId }, "an attempt was closed that is not open in the ledger");
        return;
      }
      enqueue(row.requestId, () => statements.closeAttempt(request.number, row));
    },

    closeRequest(row) {
      const request = live.get(row.id);
      if (request === undefined) {
        return Promise.reject(
          isHealthy
            ? new Failure("internal", "This request has no open row in the ledger.")
            : unavailable(new Error("no row was opened while the ledger could not be written")),
        );
      }
      live.delete(row.id);
      closeLeftovers(row, request);
      const run = () => statements.closeRequest(request.number, row);
      if (!isHealthy || isStopped) {
        enqueue(row.id, run);
        return Promise.reject(unavailable(new Error("the last commit failed")));
      }
      return new Promise((resolve, reject) => enqueue(row.id, run, { resolve, reject }));
    },

    flush,

    beside(name, run) {
      if (isStopped || (!isHealthy && queue.length >= mostWaitingOperations)) return;
      enqueue(name, run);
    },

    numberOf: (requestId) => live.get(requestId)?.number ?? null,

    healthy: () => isHealthy,

    touchKey(id, atMs) {
      touches.set(id, atMs);
      schedule();
    },

    stop() {
      flush();
      isStopped = true;
      if (queue.length > 0)
        log.error({ operations: queue.length }, "ledger rows were lost: the file cannot be written");
    },
  };
}
