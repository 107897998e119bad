/** A ledger in a folder of its own, closed and removed when the test is over; and a look into its file from outside. */
import { join } from "node:path";
import Database from "better-sqlite3";
import { onTestFinished } from "vitest";
import { type Ledger, openLedger } from "../../../server/ledger/ledger.ts";
import { systemClock } from "../../../server/platform/clock.ts";
import { type RecordedLog, recordedLog } from "../../support/recorded-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

export interface OpenedLedger {
  readonly ledger: Ledger;
  readonly path: string;
  readonly log: RecordedLog;
}

export function freshLedger(path = join(temporaryFolder(), "ledger.db")): OpenedLedger {
  const log = recordedLog();
  const ledger = openLedger(path, { clock: systemClock, log });
  onTestFinished(() => ledger.close());
  return { ledger, path, log };
}

/** Rows as another program sees them: only what is committed. */
export function rowsOf(path: string, sql: string): readonly unknown[] {
  const database = new Database(path, { readonly: true });
  try {
    return database.prepare(sql).all();
  } finally {
    database.close();
  }
}
