/**
 * Builds a ledger file of a year of requests through the product's own schema, triggers and folds; only the rows come ended, and
 * thousands in a transaction. Kept in `.cache/` between runs; what a run added to it is removed at the next.
 */
import { existsSync, mkdirSync, renameSync, rmSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import type Database from "better-sqlite3";
import { prepareFold } from "../../../server/ledger/fold.ts";
import { prepareRollUp } from "../../../server/ledger/roll-up.ts";
import { openDatabase } from "../../../server/ledger/open.ts";
import { repositoryRoot } from "../models.ts";
import { keyCount, type YearRequest, yearEndMs, yearOfRequests } from "./year.ts";

const rowsPerCommit = 5000;
const rowsPerFold = 100_000;
/** What a row takes on the disk, at most: measured 1,060 bytes, and a copy of the file for the backup besides. */
const bytesPerRow = 2600;

export function ledgerPath(rows: number, seed: number): string {
  return join(repositoryRoot, ".cache", `ledger-${rows}-${seed}.sqlite`);
}

/** The path of a ledger of so many requests, built when it is not there. Throws when the disk has no room for it. */
export function builtLedger(rows: number, seed: number, say: (sentence: string) => void): string {
  const path = ledgerPath(rows, seed);
  mkdirSync(dirname(path), { recursive: true });
  const { bavail, bsize } = statfsSync(dirname(path));
  if (bavail * bsize < rows * bytesPerRow) {
    throw new Error(`${rows} rows want ${Math.ceil((rows * bytesPerRow) / 1e9)} GB free beside ${path}`);
  }
  if (existsSync(path)) {
    const database = openDatabase(path);
    removeRowsAbove(database, rows);
    foldAll(database, 5000);
    database.close();
    return path;
  }
  const partPath = `${path}.part`;
  for (const suffix of ["", "-wal", "-shm"]) rmSync(partPath + suffix, { force: true });
  const database = openDatabase(partPath);
  // Nobody needs a half-built file after a power cut.
  database.pragma("synchronous = OFF");
  database.pragma("journal_mode = OFF");
  database.pragma("temp_store = MEMORY");
  database.pragma("cache_size = -1000000");
  fill(database, yearOfRequests(rows, seed), rows, say);
  database.close();
  renameSync(partPath, path);
  return path;
}

function foldAll(database: Database.Database, most: number): void {
  const fold = prepareFold(database);
  while (fold(most) > 0);
}

/** The load of a run before, or of one that was stopped. */
function removeRowsAbove(database: Database.Database, rows: number): void {
  database.transaction(() => {
    database.prepare("DELETE FROM attempts WHERE request > ?").run(rows);
    database.prepare("DELETE FROM requests WHERE number > ?").run(rows);
  })();
}

/** Rows of the keys come first; key `n` of the year has the id `n + 1`. */
export function fill(
  database: Database.Database,
  requests: Iterable<YearRequest>,
  expected: number,
  say: (sentence: string) => void,
): void {
  const addKey = database.prepare(
    "INSERT INTO keys (id, kind, name, hash, tail, created_at_ms) VALUES (?, 'inference', ?, ?, 'xxxx', 0)",
  );
  for (let key = 0; key < keyCount; key += 1) {
    const hash = Buffer.alloc(32);
    hash.writeInt32LE(key + 1);
    addKey.run(key + 1, `person-${key}`, hash);
  }
  const addRequest = database.prepare(
    `INSERT INTO requests (number, id, started_at_ms, caller_kind, key_id, caller_name, dialect, alias, stream, status,
       finish_reason, failure_code, duration_ms, ttft_ms, prompt_tokens, cached_tokens, completion_tokens, reasoning_tokens,
       queue_ms, load_ms, prefill_ms, decode_ms, cost_nanos, cost_basis, known_nanos, unknown_attempts, plan)
     VALUES (?, ?, ?, 'key', ?, ?, 'openai-chat', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 30, 400, ?, ?, ?, ?, ?)`,
  );
  const addAttempt = database.prepare(
    `INSERT INTO attempts (request, number, target, reason, offset_ms, status, failure_code, duration_ms, prompt_tokens,
       cached_tokens, completion_tokens, reasoning_tokens, queue_ms, load_ms, prefill_ms, decode_ms, cost_nanos, cost_basis,
       provider, upstream_model, upstream_request_id, service_tier, computed_nanos, drift_nanos, price_id, price_parts,
       raw_usage, held_nanos)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 0, 30, 400, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const fold = prepareFold(database);
  let number = 0;
  database.exec("BEGIN");
  for (const request of requests) {
    number += 1;
    const { attempts } = request;
    const known = attempts.reduce((sum, { costNanos }) => sum + (costNanos ?? 0), 0);
    const unknown = attempts.filter(({ costNanos }) => costNanos === null).length;
    const sum = (index: 0 | 1 | 2 | 3) => attempts.reduce((all, { tokens }) => all + tokens[index], 0);
    const last = attempts.at(-1);
    addRequest.run(
      ...[number, request.id, request.startedAtMs, request.key + 1, `person-${request.key}`, request.alias],
      ...[request.stream, request.status, request.status === "done" ? "stop" : null, last?.failureCode ?? null],
      ...[(last?.offsetMs ?? 0) + (last?.durationMs ?? 0), 200, sum(0), sum(1), sum(2), sum(3)],
      ...[unknown === 0 ? known : null, unknown === 0 ? "billed" : "not_priced", known, unknown, request.plan],
    );
    for (const [index, attempt] of attempts.entries()) {
      const isPriced = attempt.costNanos !== null;
      addAttempt.run(
        ...[number, index + 1, attempt.target, attempt.reason, attempt.offsetMs, attempt.status, attempt.failureCode],
        ...[attempt.durationMs, ...attempt.tokens, attempt.costNanos, attempt.costBasis, attempt.provider],
        ...[attempt.model, isPriced ? `up-${request.id}` : null, isPriced ? "standard" : null, attempt.costNanos],
        ...[isPriced ? 0 : null, attempt.priceId, attempt.parts, attempt.rawUsage, attempt.costNanos],
      );
    }
    if (number % rowsPerCommit !== 0) continue;
    database.exec("COMMIT");
    if (number % rowsPerFold === 0) while (fold(2 * rowsPerFold) > 0);
    if (number % 250_000 === 0) say(`${number} of ${expected} requests written`);
    database.exec("BEGIN");
  }
  database.exec("COMMIT");
  while (fold(2 * rowsPerFold) > 0);
  const rollUp = prepareRollUp(database);
  while (rollUp(yearEndMs));
}
