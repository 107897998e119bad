/**
 * Closes what a killed process left open, before anything new is written. Runs once, when the ledger is opened.
 */
import type Database from "better-sqlite3";

/**
 * Every row that is still open becomes `interrupted`. Its duration stays unknown: nobody saw the end. Returns how many
 * requests that were.
 */
export function closeInterrupted(database: Database.Database): number {
  const openOnes = "SELECT number FROM requests WHERE status = 'open'";
  const attempts = database.prepare(
    `UPDATE attempts SET status = 'interrupted', cost_basis = 'not_priced'
     WHERE status = 'open' AND request IN (${openOnes})`,
  );
  const requests = database.prepare(
    "UPDATE requests SET status = 'interrupted', cost_basis = 'not_priced' WHERE status = 'open'",
  );
  return database
    .transaction(() => {
      attempts.run();
      return requests.run().changes;
    })
    .immediate();
}
