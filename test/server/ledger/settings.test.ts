import { chmodSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { migrationsOnDisk } from "../../../server/ledger/migrations.ts";
import { openDatabase, sqliteVersionIsGood } from "../../../server/ledger/open.ts";
import { freshSum } from "./fresh-sum.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { freshLedger, rowsOf } from "./open-ledger.ts";
import { ending, opening } from "./rows.ts";

function freshPath(): string {
  return join(temporaryFolder(), "ledger.db");
}

test("S-29 DB settings: journal, sync, waits, limits, references", () => {
  const database = openDatabase(freshPath());
  const setting = (name: string) => database.pragma(name, { simple: true });
  expect(setting("journal_mode")).toBe("wal");
  expect(setting("synchronous")).toBe(1);
  expect(Number(setting("busy_timeout"))).toBeGreaterThanOrEqual(5000);
  expect(Number(setting("journal_size_limit"))).toBeGreaterThan(0);
  expect(setting("foreign_keys")).toBe(1);
  expect(setting("user_version")).toBe(migrationsOnDisk().length);
  const tables = database
    .prepare("SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite%'")
    .all();
  expect(tables).toEqual(
    expect.arrayContaining([
      { name: "keys", strict: 1 },
      { name: "requests", strict: 1 },
      { name: "attempts", strict: 1 },
    ]),
  );
  database.close();
});

test("S-29 DB settings: the SQLite in use has no known fault", () => {
  const database = new Database(":memory:");
  const { version } = database.prepare<[], { version: string }>("SELECT sqlite_version() AS version").get() ?? {
    version: "",
  };
  database.close();
  expect(sqliteVersionIsGood(version)).toBe(true);
  expect(["3.51.3", "3.51.10", "3.52.1", "3.54.1", "4.0.0"].filter(sqliteVersionIsGood)).toHaveLength(5);
  expect(["3.51.2", "3.52.0", "3.9.0", "2.99.99", ""].filter(sqliteVersionIsGood)).toEqual([]);
});

test("S-29 file modes: the ledger and its side files are for their owner only, whatever the umask and before", () => {
  const path = freshPath();
  writeFileSync(path, "");
  chmodSync(path, 0o666);
  const before = process.umask(0);
  try {
    const database = openDatabase(path);
    const files = readdirSync(join(path, "..")).sort();
    expect(files).toEqual(["ledger.db", "ledger.db-shm", "ledger.db-wal"]);
    for (const file of files) expect(statSync(join(path, "..", file)).mode & 0o777, file).toBe(0o600);
    database.close();
  } finally {
    process.umask(before);
  }
});

test("S-29 downgrade: a ledger of a newer version is refused and left exactly as it was", () => {
  const path = freshPath();
  openDatabase(path).close();
  const newer = new Database(path);
  newer.pragma("user_version = 99");
  newer.pragma("journal_mode = DELETE");
  newer.close();
  const before = readFileSync(path);
  expect(() => openDatabase(path)).toThrow(
    expect.objectContaining({
      code: "cannot_start",
      message: "The ledger was written by a newer Lanthorn.",
      why: expect.stringContaining("schema is 99"),
    }),
  );
  expect(readFileSync(path).equals(before)).toBe(true);
});

test("S-29 backup: a copy made while the ledger is written to is whole and opens as a ledger", async () => {
  const { ledger, path } = freshLedger();
  for (let index = 0; index < 200; index += 1) {
    ledger.writer.openRequest(opening(`before${index}`));
    void ledger.writer.closeRequest(ending(`before${index}`));
  }
  ledger.writer.flush();
  const copy = join(path, "..", "copy.db");
  const done = ledger.reports.backup(copy);
  ledger.writer.openRequest(opening("meanwhile"));
  await ledger.writer.closeRequest(ending("meanwhile"));
  await done;
  expect(statSync(copy).mode & 0o777).toBe(0o600);
  const restored = freshLedger(copy);
  const { total } = await restored.ledger.reports.summary();
  expect(total.requests).toBeGreaterThanOrEqual(200);
  expect(await restored.ledger.reports.integrity()).toEqual({ ok: true, problems: [] });
});

test("S-29 backup: it ends although rows keep being written, and has what was there when it began", {
  timeout: 25_000,
}, async () => {
  const { ledger, path } = freshLedger();
  const plan = { why: "x".repeat(4000) };
  const add = (id: string) => {
    ledger.writer.openRequest(opening(id));
    return ledger.writer.closeRequest({ ...ending(id), plan });
  };
  await Promise.all(Array.from({ length: 1500 }, (_, index) => add(`before${index}`)));
  const copy = join(path, "..", "copy.db");
  let isDone = false;
  const made = ledger.reports.backup(copy).finally(() => {
    isDone = true;
  });
  let more = 0;
  while (!isDone) {
    more += 1;
    await add(`meanwhile${more}`);
  }
  await made;
  expect(more).toBeGreaterThan(1);
  const restored = freshLedger(copy);
  const { total } = await restored.ledger.reports.summary();
  expect(total.requests).toBeGreaterThanOrEqual(1500);
  const database = openDatabase(copy);
  expect(total).toEqual(freshSum(database).total);
  database.close();
});

test("somebody else's database and damaged files are refused with a sentence", () => {
  const other = freshPath();
  const database = new Database(other);
  database.exec("CREATE TABLE notes (text)");
  database.close();
  expect(() => openDatabase(other)).toThrow(
    expect.objectContaining({ code: "cannot_start", message: "The ledger file belongs to another program." }),
  );
  const damaged = freshPath();
  writeFileSync(damaged, "this is no database, but it is long enough to be read as one by SQLite. ".repeat(20));
  expect(() => openDatabase(damaged)).toThrow(
    expect.objectContaining({ code: "cannot_start", message: "The ledger file is damaged." }),
  );
});

test("a migration that fails leaves the schema of before, and the next start finishes it", () => {
  const path = freshPath();
  const good = migrationsOnDisk();
  const next = good.length + 1;
  const half = { number: next, sql: "CREATE TABLE half (x INTEGER) STRICT; CREATE TABLE half (x INTEGER) STRICT;" };
  expect(() => openDatabase(path, [...good, half])).toThrow(expect.objectContaining({ code: "cannot_start" }));
  expect(rowsOf(path, "SELECT name FROM sqlite_schema WHERE name = 'half'")).toEqual([]);
  expect(rowsOf(path, "PRAGMA user_version")).toEqual([{ user_version: good.length }]);
  openDatabase(path, [...good, { number: next, sql: "CREATE TABLE half (x INTEGER) STRICT" }]).close();
  expect(rowsOf(path, "PRAGMA user_version")).toEqual([{ user_version: next }]);
});
