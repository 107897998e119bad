/**
 * Opens the ledger's file for its one writer: mode, settings, version, migrations. Runs in the server and in commands that
 * hold the data lock. The settings are S-29's.
 */
import { chmodSync, closeSync, openSync } from "node:fs";
import Database from "better-sqlite3";
import { Failure } from "../domain/failure.ts";
import { type Migration, migrationsOnDisk } from "./migrations.ts";

/** In the file's header, so that nobody's other database is taken for a ledger: "LNTN". */
const applicationId = 0x4c_4e_54_4e;

/** A reader's checkpoint or a person's sqlite3 shell may hold the file for a moment. */
const busyTimeoutMs = 5000;

/** The write-ahead log is cut back to this when it starts over. */
const journalSizeLimitBytes = 16 * 1024 ** 2;

/**
 * Checkpoints sync the disk, which takes milliseconds that running streams would feel, so the reader thread makes them
 * (`checkpoint.ts`). Only past this many pages (64 MiB) does the writer do it itself.
 */
const writerCheckpointPages = 16_384;

/** 3.51.3 fixed a rare corruption of WAL files; 3.52.0 was withdrawn. */
export function sqliteVersionIsGood(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  if (version === "3.52.0") return false;
  return major > 3 || (major === 3 && (minor > 51 || (minor === 51 && patch >= 3)));
}

function refused(message: string, why: string, cause?: unknown): Failure {
  return new Failure("cannot_start", message, {
    cause,
    why,
    next: ["lanthorn doctor", "LANTHORN_HOME=<another folder> lanthorn serve"],
  });
}

function schemaVersion(database: Database.Database): number {
  return Number(database.pragma("user_version", { simple: true }));
}

function migrate(database: Database.Database, migrations: readonly Migration[]): void {
  const found = schemaVersion(database);
  const known = migrations.length;
  if (found > known) {
    throw refused(
      "The ledger was written by a newer Lanthorn.",
      `Its schema is ${found}; this version knows schemas up to ${known}. It was left untouched.`,
    );
  }
  if (found === known) return;
  // A table that is built anew is away for a moment; nothing may be dropped or refused because of that. The setting has no
  // effect inside a transaction, so it is changed around all of them, and each is looked through before it is committed.
  database.pragma("foreign_keys = OFF");
  try {
    for (const migration of migrations.slice(found)) {
      database
        .transaction(() => {
          database.exec(migration.sql);
          const lost = database.prepare("PRAGMA foreign_key_check").all();
          if (lost.length > 0)
            throw new Error(`migration ${migration.number} leaves ${lost.length} rows without theirs`);
          database.pragma(`user_version = ${migration.number}`);
        })
        .immediate();
    }
  } finally {
    database.pragma("foreign_keys = ON");
  }
}

function isOurs(database: Database.Database): boolean {
  if (Number(database.pragma("application_id", { simple: true })) === applicationId) return true;
  const things = database.prepare<[], { count: number }>("SELECT count(*) AS count FROM sqlite_schema").get();
  return schemaVersion(database) === 0 && things?.count === 0;
}

function settle(database: Database.Database, migrations: readonly Migration[]): void {
  const version = database.prepare<[], { version: string }>("SELECT sqlite_version() AS version").get()?.version ?? "";
  if (!sqliteVersionIsGood(version)) {
    throw refused("The ledger cannot be opened safely.", `SQLite ${version} has a fault that can damage it.`);
  }
  if (!isOurs(database)) {
    throw refused("The ledger file belongs to another program.", "It is a database, but not one of Lanthorn's.");
  }
  // A newer file is refused before anything, the journal mode included, is changed in it.
  if (schemaVersion(database) <= migrations.length) {
    database.pragma(`application_id = ${applicationId}`);
    database.pragma("journal_mode = WAL");
    database.pragma("synchronous = NORMAL");
    database.pragma(`journal_size_limit = ${journalSizeLimitBytes}`);
    database.pragma(`wal_autocheckpoint = ${writerCheckpointPages}`);
    database.pragma("foreign_keys = ON");
    database.pragma("trusted_schema = OFF");
  }
  migrate(database, migrations);
}

/**
 * Opens, creates or migrates the file at `path`; 0600, and so are its `-wal` and `-shm`. Throws Failure `cannot_start`.
 * `migrations` is for tests; everybody else takes those on disk.
 */
export function openDatabase(path: string, migrations: readonly Migration[] = migrationsOnDisk()): Database.Database {
  let database: Database.Database | null = null;
  try {
    // SQLite gives the two side files the mode of the main one, so that has to be right before it is opened.
    closeSync(openSync(path, "a", 0o600));
    chmodSync(path, 0o600);
    database = new Database(path, { timeout: busyTimeoutMs });
    settle(database, migrations);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof Failure) throw cause;
    const code = cause instanceof Database.SqliteError ? cause.code : "";
    const damaged = code.startsWith("SQLITE_NOTADB") || code.startsWith("SQLITE_CORRUPT");
    throw refused(
      damaged ? "The ledger file is damaged." : "The ledger cannot be opened.",
      damaged
        ? "SQLite does not recognise it. Move it away, or restore a backup in its place."
        : "The file or its disk did not allow it.",
      cause,
    );
  }
}
