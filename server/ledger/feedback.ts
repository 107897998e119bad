/** What callers say of answers, in the ledger's file. Runs on the server's thread; one short statement a word. */
import type Database from "better-sqlite3";
import { Failure } from "../domain/failure.ts";
import type { FeedbackStore } from "../domain/feedback.ts";

export function createFeedbackStore(database: Database.Database): FeedbackStore {
  const keep = database.prepare<[number, string | null, number, string]>(
    `INSERT INTO feedback (request, ok, note, said_at_ms) SELECT number, ?, ?, ? FROM requests WHERE id = ?
     ON CONFLICT DO UPDATE SET ok = excluded.ok, note = excluded.note, said_at_ms = excluded.said_at_ms`,
  );
  return {
    keep({ requestId, ok, note, saidAtMs }) {
      try {
        return keep.run(ok ? 1 : 0, note, saidAtMs, requestId).changes > 0;
      } catch (cause) {
        throw new Failure("ledger_unavailable", "Feedback cannot be written at the moment.", { cause });
      }
    },
  };
}
