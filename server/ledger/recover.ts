/**
 * Closes what a killed process left open, before anything new is written. Runs once, when the ledger is opened.
 */
import type Database from "better-sqlite3";

/**
 * Every row that is still open becomes `interrupted`. Its duration stays unknown: nobody saw the end. An attempt that money
 * was set aside for is booked at that; any other has a cost that nobody knows. A request costs what its attempts do. Returns
 * how many requests that were.
 */
export function closeInterrupted(database: Database.Database): number {
  const openOnes = "SELECT number FROM requests WHERE status = 'open'";
  const attempts = database.prepare(
    `UPDATE attempts SET status = 'interrupted', cost_nanos = held_nanos, cost_basis = CASE
       WHEN held_nanos IS NOT NULL THEN 'estimated' WHEN provider IS NOT NULL THEN 'unknown_price' ELSE 'not_priced' END
     WHERE status = 'open' AND request IN (${openOnes})`,
  );
  // The same words as `domain/cost-sum.ts`: known when all parts are, and then as sure as the least sure of them.
  const requests = database.prepare(
    `UPDATE requests SET status = 'interrupted', known_nanos = sums.known, unknown_attempts = sums.unknown,
       cost_nanos = CASE WHEN sums.parts > 0 AND sums.unknown = 0 THEN sums.known END,
       cost_basis = CASE
         WHEN sums.unpriced > 0 THEN 'unknown_price' WHEN sums.parts = 0 OR sums.unknown > 0 THEN 'not_priced'
         WHEN sums.estimated > 0 THEN 'estimated' WHEN sums.measured > 0 THEN 'measured' ELSE 'billed' END
     FROM (
       SELECT number AS request, count(a.request) AS parts, coalesce(sum(a.cost_nanos), 0) AS known,
         count(a.request) - count(a.cost_nanos) AS unknown,
         count(*) FILTER (WHERE a.cost_basis = 'unknown_price') AS unpriced,
         count(*) FILTER (WHERE a.cost_basis = 'estimated') AS estimated,
         count(*) FILTER (WHERE a.cost_basis = 'measured') AS measured
       FROM (${openOnes}) LEFT JOIN (SELECT request, number AS attempt, cost_nanos, cost_basis FROM attempts) AS a
         ON a.request = number
       GROUP BY number
     ) AS sums
     WHERE requests.number = sums.request AND status = 'open'`,
  );
  return database
    .transaction(() => {
      attempts.run();
      return requests.run().changes;
    })
    .immediate();
}
