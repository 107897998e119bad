/**
 * Puts the sums of an hour that is over into the longer ones, over all callers. Until then a report reads the hours themselves; what comes
 * later for such an hour is folded into all of them at once. Runs on the server's thread, between folds.
 */
import type Database from "better-sqlite3";
import { hourMs, shortestHours, spanHours } from "./spans.ts";
import { attemptSums, columnNames, grown, requestSums } from "./sum-columns.ts";

/** The next hour that has sums and is over, in one transaction; false: there was none. */
export type RollUp = (nowMs: number) => boolean;

/** An hour is over one hour after its end: by then what began in it has mostly ended, and costs one fold and not one for each length. */
const hoursAfter = 2;

export function prepareRollUp(database: Database.Database): RollUp {
  const longer = spanHours
    .filter((hours) => hours !== shortestHours)
    .map((hours) => `(${hours})`)
    .join(", ");
  const lengths = `(SELECT column1 AS hours FROM (VALUES ${longer})) AS l`;
  const untilHour = database.prepare<[], { until_hour: number }>("SELECT until_hour FROM sums_rolled");
  const moveOn = database.prepare<[number]>("UPDATE sums_rolled SET until_hour = ?");
  const next = database.prepare<[{ from: number }], { hour: number | null }>(
    `SELECT min(hour) AS hour FROM (
       SELECT min(from_hour) AS hour FROM request_sums WHERE hours = ${shortestHours} AND caller = 0 AND kind = 1 AND from_hour >= $from
       UNION ALL
       SELECT min(from_hour) FROM attempt_sums WHERE hours = ${shortestHours} AND caller = 0 AND from_hour >= $from)`,
  );
  const requests = database.prepare<[{ hour: number }]>(
    `INSERT INTO request_sums (hours, caller, kind, from_hour, part, ${columnNames(requestSums)})
     SELECT l.hours, 0, s.kind, $hour - $hour % l.hours, s.part, ${columnNames(requestSums)}
     FROM request_sums AS s CROSS JOIN ${lengths}
     WHERE s.hours = ${shortestHours} AND s.caller = 0 AND s.kind IN (1, 2) AND s.from_hour = $hour
     ON CONFLICT DO UPDATE SET ${grown(requestSums)}`,
  );
  const attempts = database.prepare<[{ hour: number }]>(
    `INSERT INTO attempt_sums (hours, caller, from_hour, target, ${columnNames(attemptSums)})
     SELECT l.hours, 0, $hour - $hour % l.hours, s.target, ${columnNames(attemptSums)}
     FROM attempt_sums AS s CROSS JOIN ${lengths}
     WHERE s.hours = ${shortestHours} AND s.caller = 0 AND s.from_hour = $hour
     ON CONFLICT DO UPDATE SET ${grown(attemptSums)}`,
  );
  const roll = database.transaction((dueHour: number): boolean => {
    const from = untilHour.get()?.until_hour ?? 0;
    const hour = next.get({ from })?.hour ?? null;
    if (hour === null || hour >= dueHour) {
      moveOn.run(dueHour);
      return false;
    }
    requests.run({ hour });
    attempts.run({ hour });
    moveOn.run(hour + 1);
    return true;
  });
  return (nowMs) => {
    const dueHour = Math.floor(nowMs / hourMs) - hoursAfter + 1;
    // Most of the time there is none: that is found out without a transaction that writes.
    if ((untilHour.get()?.until_hour ?? 0) >= dueHour) return false;
    return roll.immediate(dueHour);
  };
}
