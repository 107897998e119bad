/**
 * Adds the changes that ended requests left to the sums, a few at a time. Runs on the server's thread, beside the writer, and never
 * inside its transaction. Reports are the same before and after: they read sums and changes.
 */
import type Database from "better-sqlite3";
import type { Clock, Log } from "../domain/ports.ts";
import type { RollUp } from "./roll-up.ts";
import { callerSpanHours, hourMs, shortestHours, spanHours } from "./spans.ts";
import { addedUp, attemptSums, columnNames, grown, requestSums } from "./sum-columns.ts";

/** Of each kind in one transaction: some milliseconds, which running streams do not notice. */
const mostPerFold = 50;
/** After a commit, so that requests of the same moment are folded together: their sums are mostly the same, and written once. */
const afterCommitMs = 2000;
/** Between two folds when there is more. */
const betweenMs = 10;
const retryAfterMs = 5000;

/** Folds up to `most` changes of each kind in one transaction; the number folded, 0 when there was none. */
export type Fold = (most: number) => number;

/** Which sums a change goes into. */
interface Shape {
  readonly hours: number;
  /** Of each caller apart. */
  readonly each: 0 | 1;
  /** As in `request_sums`; of attempts there is one. */
  readonly kind: 1 | 2;
}

/** `late`: only what comes when its hour has been put into the longer sums already. */
function shapes(kinds: readonly Omit<Shape, "hours">[]): string {
  const rows = kinds.flatMap(({ each, kind }) =>
    each === 1
      ? callerSpanHours.map((hours) => `(${hours}, 1, ${kind}, 0)`)
      : spanHours.map((hours) => `(${hours}, 0, ${kind}, ${hours === shortestHours ? 0 : 1})`),
  );
  return `(SELECT column1 AS hours, column2 AS each, column3 AS kind, column4 AS late FROM (VALUES ${rows.join(", ")}))`;
}

const isDue = `(late = 0 OR m.started_at_ms < (SELECT until_hour FROM sums_rolled) * ${hourMs})`;
const fromHour = `started_at_ms / ${hourMs} - (started_at_ms / ${hourMs}) % hours`;
const callersOf = (changes: string) =>
  `INSERT INTO sum_callers (caller_kind, key_id, caller_name)
   SELECT DISTINCT caller_kind, coalesce(key_id, 0), caller_name FROM ${changes} WHERE id <= ? ON CONFLICT DO NOTHING`;
/** The caller of a change. */
const theCaller =
  "JOIN sum_callers AS c ON c.key_id = coalesce(m.key_id, 0) AND c.caller_kind = m.caller_kind AND c.caller_name = m.caller_name";

export function prepareFold(database: Database.Database): Fold {
  const upTo = (changes: string) =>
    database.prepare<[number], { last: number | null; count: number }>(
      `SELECT max(id) AS last, count(*) AS count FROM (SELECT id FROM ${changes} ORDER BY id LIMIT ?)`,
    );
  const run = (...texts: readonly string[]) => texts.map((text) => database.prepare<[number]>(text));
  const requests = {
    upTo: upTo("request_changes"),
    steps: run(
      callersOf("request_changes"),
      "INSERT INTO sum_aliases (alias) SELECT DISTINCT alias FROM request_changes WHERE id <= ? ON CONFLICT DO NOTHING",
      `INSERT INTO request_sums (hours, caller, kind, from_hour, part, ${columnNames(requestSums)})
       SELECT hours, c.id * each AS of, kind, ${fromHour} AS hour,
         CASE kind WHEN 1 THEN a.id ELSE c.id END AS what, ${addedUp(requestSums)}
       FROM request_changes AS m ${theCaller} JOIN sum_aliases AS a ON a.alias = m.alias
         CROSS JOIN ${shapes([
           { each: 0, kind: 1 },
           { each: 0, kind: 2 },
           { each: 1, kind: 1 },
         ])}
       WHERE m.id <= ? AND ${isDue} GROUP BY hours, of, kind, hour, what
       ON CONFLICT DO UPDATE SET ${grown(requestSums)}`,
      "DELETE FROM request_changes WHERE id <= ?",
    ),
  };
  const attempts = {
    upTo: upTo("attempt_changes"),
    steps: run(
      callersOf("attempt_changes"),
      `INSERT INTO sum_targets (target, provider)
       SELECT DISTINCT target, coalesce(provider, '') FROM attempt_changes WHERE id <= ? ON CONFLICT DO NOTHING`,
      `INSERT INTO attempt_sums (hours, caller, from_hour, target, ${columnNames(attemptSums)})
       SELECT hours, c.id * each AS of, ${fromHour} AS hour, t.id, ${addedUp(attemptSums)}
       FROM attempt_changes AS m ${theCaller}
         JOIN sum_targets AS t ON t.target = m.target AND t.provider = coalesce(m.provider, '')
         CROSS JOIN ${shapes([
           { each: 0, kind: 1 },
           { each: 1, kind: 1 },
         ])}
       WHERE m.id <= ? AND ${isDue} GROUP BY hours, of, hour, t.id
       ON CONFLICT DO UPDATE SET ${grown(attemptSums)}`,
      "DELETE FROM attempt_changes WHERE id <= ?",
    ),
  };
  const fold = database.transaction((most: number): number => {
    let folded = 0;
    for (const { upTo: found, steps } of [requests, attempts]) {
      const { last, count } = found.get(most) ?? { last: null, count: 0 };
      if (last === null) continue;
      for (const step of steps) step.run(last);
      folded += count;
    }
    return folded;
  });
  return (most) => fold.immediate(most);
}

export interface Folding {
  /** Something was committed. */
  due(): void;
  stop(): void;
}

/**
 * Folds what there is at `due`, in steps, until nothing is left, and puts the sums of hours that are over into the longer ones, an hour in a
 * step. A disk that fails is tried again later.
 */
export function createFolding(fold: Fold, rollUp: RollUp, clock: Clock, log: Log): Folding {
  let cancel: (() => void) | null = null;
  let isStopped = false;
  let isHealthy = true;

  function after(ms: number): void {
    if (!isStopped) cancel = clock.after(ms, step);
  }

  function step(): void {
    cancel = null;
    try {
      const isMore = fold(mostPerFold) > 0 || rollUp(clock.now());
      isHealthy = true;
      if (isMore) after(betweenMs);
    } catch (error) {
      // Nothing is lost: the changes stay, and reports read them.
      if (isHealthy) log.warn({ err: error }, "the ledger's sums could not be brought up to date; it is tried again");
      isHealthy = false;
      after(retryAfterMs);
    }
  }

  return {
    due() {
      if (cancel === null) after(afterCommitMs);
    },
    stop() {
      isStopped = true;
      cancel?.();
    },
  };
}
