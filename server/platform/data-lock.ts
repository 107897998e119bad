/**
 * One writer per data folder. The lock is the operating system's own, held through an empty SQLite file, so the death
 * of its holder, however sudden, frees it: nobody ever has to remove a file by hand (S-23). Runs in the server and in
 * commands that work on the data folder while no server runs.
 */
import { chmodSync, closeSync, openSync } from "node:fs";
import Database from "better-sqlite3";
import { Failure } from "../domain/failure.ts";
import type { DataPaths } from "./paths.ts";
import { type ServerFile, readServerFile } from "./server-file.ts";

export interface DataLock {
  release(): void;
}

export type LockOutcome =
  | { readonly taken: true; readonly lock: DataLock }
  /** `holder` is null while the other one is starting, or is a command and not a server. */
  | { readonly taken: false; readonly holder: ServerFile | null };

/**
 * Takes the lock or says who holds it. Blocks the thread for at most `waitMs`: a command that only wants to write one
 * key can wait a moment for another such command. Throws Failure `cannot_start` when the file cannot be used at all.
 */
export function takeDataLock(paths: DataPaths, waitMs = 0): LockOutcome {
  let database: Database.Database | null = null;
  try {
    closeSync(openSync(paths.lock, "a", 0o600));
    chmodSync(paths.lock, 0o600);
    database = new Database(paths.lock, { timeout: waitMs });
    const held = database;
    held.pragma("locking_mode = EXCLUSIVE");
    // Nothing is ever written, so there is no journal that could be left behind.
    held.exec("BEGIN EXCLUSIVE");
    return { taken: true, lock: { release: () => held.close() } };
  } catch (cause) {
    database?.close();
    if (cause instanceof Database.SqliteError && cause.code.startsWith("SQLITE_BUSY")) {
      return { taken: false, holder: readServerFile(paths.serverFile) };
    }
    throw new Failure("cannot_start", `The data folder ${paths.home} cannot be locked.`, {
      cause,
      why: "Its file system must allow locks, and data.lock must belong to this user.",
      next: ["LANTHORN_HOME=<a folder on a local disk> lanthorn serve"],
    });
  }
}

/** What a second server says. */
export function dataFolderInUse(holder: ServerFile | null): Failure {
  const who = holder === null ? "another lanthorn process" : `the server at ${holder.url} (pid ${holder.pid})`;
  return new Failure("cannot_start", `The data folder is in use by ${who}.`, {
    why: "One data folder has one writer, so that its ledger stays true.",
    next: ["lanthorn stop", "LANTHORN_HOME=<another folder> lanthorn serve --port <another port>"],
  });
}
