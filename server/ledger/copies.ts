/** What copies for comparison have cost, from their rows. Runs on the server's thread, once, at the start. */
import type Database from "better-sqlite3";
import type { CopiesSum } from "../domain/copies.ts";
import { askedFor } from "./asked.ts";

export interface CopiesLedger {
  /** Of copies begun at or after `fromMs` (epoch milliseconds). Throws Failure `ledger_unavailable`. */
  since(fromMs: number): readonly CopiesSum[];
}

const asked = askedFor("What copies have cost");

export function createCopiesLedger(database: Database.Database): CopiesLedger {
  // A killed process left a row without a plan: of that only the target is known.
  const sums = database.prepare<
    [number],
    { readonly route: string | null; readonly target: string; readonly nanos: number; readonly unpriced: number }
  >(
    `SELECT json_extract(plan, '$.route') AS route, alias AS target, sum(known_nanos) AS nanos,
       count(*) FILTER (WHERE cost_basis = 'unknown_price') AS unpriced
     FROM requests WHERE started_at_ms >= ? AND dialect = 'shadow' GROUP BY 1, 2`,
  );
  return {
    since: (fromMs) =>
      asked(() =>
        sums.all(fromMs).map(({ route, target, nanos, unpriced }) => ({
          ...{ alias: route, target, nanos, hasUnknown: unpriced > 0 },
        })),
      ),
  };
}
