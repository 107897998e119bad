/** The disk fills up under the writer and gets room again. SQLite's own page limit stands for the full disk. */
import { join } from "node:path";
import type Database from "better-sqlite3";
import { expect, onTestFinished, test } from "vitest";
import { openDatabase } from "../../../server/ledger/open.ts";
import { prepareStatements } from "../../../server/ledger/statements.ts";
import { type WriterInside, createWriter } from "../../../server/ledger/writer.ts";
import { type ManualClock, manualClock } from "../../support/manual-clock.ts";
import { type RecordedLog, recordedLog } from "../../support/recorded-log.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { attempt, attemptEnding, ending, opening } from "./rows.ts";

interface Bench {
  readonly database: Database.Database;
  readonly writer: WriterInside;
  readonly clock: ManualClock;
  readonly log: RecordedLog;
}

function bench(): Bench {
  const database = openDatabase(join(temporaryFolder(), "ledger.db"));
  onTestFinished(() => void database.close());
  const clock = manualClock();
  const log = recordedLog();
  const writer = createWriter({ statements: prepareStatements(database), clock, log, onCommit: () => {} });
  return { database, writer, clock, log };
}

function fillDisk(database: Database.Database): void {
  database.pragma(`max_page_count = ${database.pragma("page_count", { simple: true })}`);
}

function makeRoom(database: Database.Database): void {
  database.pragma("max_page_count = 1000000");
}

/** Enough rows that they cannot fit into pages that are there already. */
function manyIds(name: string): readonly string[] {
  return Array.from({ length: 200 }, (_, index) => `req_${name}_${index}`);
}

function count(database: Database.Database, status: string): unknown {
  return database.prepare("SELECT count(*) FROM requests WHERE status = ?").pluck().get(status);
}

test("whoever waits is told, nothing is thrown, and the rows arrive when the disk is back", async () => {
  const { database, writer, clock, log } = bench();
  fillDisk(database);
  const ids = manyIds("full");
  const outcomes = Promise.allSettled(
    ids.map((id) => {
      writer.openRequest(opening(id));
      writer.openAttempt(attempt(id));
      writer.closeAttempt(attemptEnding(id));
      return writer.closeRequest(ending(id));
    }),
  );
  for (const outcome of await outcomes) {
    expect(outcome).toMatchObject({ status: "rejected", reason: { code: "ledger_unavailable" } });
  }
  expect(writer.healthy()).toBe(false);
  expect(count(database, "done")).toBe(0);

  // Still full: told at once, without touching the disk again.
  writer.openRequest(opening("req_later"));
  await expect(writer.closeRequest(ending("req_later"))).rejects.toMatchObject({ code: "ledger_unavailable" });
  clock.advance(500);
  expect(writer.healthy()).toBe(false);

  makeRoom(database);
  clock.advance(500);
  expect(writer.healthy()).toBe(true);
  writer.flush();
  expect(count(database, "done")).toBe(ids.length + 1);
  expect(database.prepare("SELECT count(*) FROM attempts WHERE status = 'done'").pluck().get()).toBe(ids.length);
  expect(log.lines).toEqual([
    "error: the ledger cannot be written; rows are kept and tried again",
    "info: the ledger can be written again",
  ]);
});

test("a request that was open before the trouble is closed after it", async () => {
  const { database, writer } = bench();
  writer.openRequest(opening("req_before"));
  writer.flush();
  fillDisk(database);
  for (const id of manyIds("full")) writer.openRequest(opening(id));
  writer.flush();
  expect(writer.healthy()).toBe(false);
  await expect(writer.closeRequest(ending("req_before"))).rejects.toMatchObject({ code: "ledger_unavailable" });
  makeRoom(database);
  writer.flush();
  expect(writer.healthy()).toBe(true);
  expect(database.prepare("SELECT status FROM requests WHERE id = 'req_before'").pluck().get()).toBe("done");
});

test("what waits in memory is bounded; requests past the bound get no row, and that is said", async () => {
  const { database, writer, log } = bench();
  fillDisk(database);
  for (const id of manyIds("full")) writer.openRequest(opening(id));
  writer.flush();
  for (let index = 0; index < 25_000; index += 1) writer.openRequest(opening(`req_more_${index}`));
  await expect(writer.closeRequest(ending("req_more_24999"))).rejects.toMatchObject({ code: "ledger_unavailable" });
  makeRoom(database);
  writer.flush();
  expect(count(database, "open")).toBe(20_000);
  expect(log.lines.at(-1)).toBe("info: the ledger can be written again");
  writer.openRequest(opening("req_after"));
  await writer.closeRequest(ending("req_after"));
  expect(count(database, "done")).toBe(1);
});
