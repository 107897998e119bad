/** Rows of files and batches. Runs on the server's thread; nothing of a prompt or an answer is in them. */
import type Database from "better-sqlite3";
import type { Batch, BatchFile, BatchProblem, BatchRecords, BatchStatus } from "../domain/batch.ts";
import type { CallerKind } from "../domain/caller.ts";
import { noWishes, type RouteWishes } from "../domain/routing/request-facts.ts";
import { noUsage, type Usage } from "../domain/usage.ts";
import { askedFor } from "./asked.ts";

interface FileColumns {
  readonly id: string;
  readonly caller: string;
  readonly purpose: BatchFile["purpose"];
  readonly name: string;
  readonly bytes: number;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
}

interface BatchColumns {
  readonly number: number;
  readonly id: string;
  readonly caller: string;
  readonly caller_kind: CallerKind;
  readonly key_id: number | null;
  readonly endpoint: string;
  readonly input_file: string;
  readonly output_file: string | null;
  readonly error_file: string | null;
  readonly status: BatchStatus;
  readonly errors: string | null;
  readonly metadata: string | null;
  readonly wishes: string | null;
  readonly usage: string | null;
  readonly output_keep_ms: number;
  readonly total: number;
  readonly completed: number;
  readonly failed: number;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly started_at_ms: number | null;
  readonly ended_at_ms: number | null;
  readonly cancelling_at_ms: number | null;
}

/** The names of a batch's fields in the table. */
const columns = Object.freeze({
  caller: "caller",
  callerKind: "caller_kind",
  keyId: "key_id",
  endpoint: "endpoint",
  inputFile: "input_file",
  outputFile: "output_file",
  errorFile: "error_file",
  status: "status",
  errors: "errors",
  metadata: "metadata",
  wishes: "wishes",
  usage: "usage",
  outputKeepMs: "output_keep_ms",
  total: "total",
  completed: "completed",
  failed: "failed",
  createdAtMs: "created_at_ms",
  expiresAtMs: "expires_at_ms",
  startedAtMs: "started_at_ms",
  endedAtMs: "ended_at_ms",
  cancellingAtMs: "cancelling_at_ms",
}) satisfies Record<keyof Omit<Batch, "number" | "id">, string>;

const fields = Object.keys(columns) as (keyof typeof columns)[];

function fileOf({ created_at_ms: createdAtMs, expires_at_ms: expiresAtMs, ...row }: FileColumns): BatchFile {
  return { ...row, createdAtMs, expiresAtMs };
}

function batchOf(row: BatchColumns): Batch {
  return {
    number: row.number,
    id: row.id,
    caller: row.caller,
    callerKind: row.caller_kind,
    keyId: row.key_id,
    endpoint: row.endpoint,
    inputFile: row.input_file,
    outputFile: row.output_file,
    errorFile: row.error_file,
    status: row.status,
    errors: row.errors === null ? [] : (JSON.parse(row.errors) as readonly BatchProblem[]),
    metadata: row.metadata === null ? null : (JSON.parse(row.metadata) as Readonly<Record<string, string>>),
    wishes: row.wishes === null ? noWishes : (JSON.parse(row.wishes) as RouteWishes),
    usage: row.usage === null ? noUsage : (JSON.parse(row.usage) as Usage),
    outputKeepMs: row.output_keep_ms,
    total: row.total,
    completed: row.completed,
    failed: row.failed,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    startedAtMs: row.started_at_ms,
    endedAtMs: row.ended_at_ms,
    cancellingAtMs: row.cancelling_at_ms,
  };
}

/** What the table takes; lists and maps as JSON, empty ones as NULL. */
function stored(value: Batch[keyof Batch] | undefined): string | number | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== "object") return value;
  return Array.isArray(value) && value.length === 0 ? null : JSON.stringify(value);
}

const asked = askedFor("Files and batches");

export function createBatchRecords(database: Database.Database): BatchRecords {
  const insertFile = database.prepare(
    "INSERT INTO batch_files (id, caller, purpose, name, bytes, created_at_ms, expires_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET bytes = excluded.bytes",
  );
  const oneFile = database.prepare<[string, string], FileColumns>(
    "SELECT * FROM batch_files WHERE caller = ? AND id = ?",
  );
  const filesOf = database.prepare<[string], FileColumns>(
    "SELECT * FROM batch_files WHERE caller = ? ORDER BY created_at_ms DESC, id DESC LIMIT 10000",
  );
  const storedBytes = database.prepare<[], { readonly bytes: number }>(
    "SELECT coalesce(sum(bytes), 0) AS bytes FROM batch_files",
  );
  const fileIds = database.prepare<[], { readonly id: string }>("SELECT id FROM batch_files");
  const removeEnded = database.prepare("DELETE FROM batches WHERE ended_at_ms <= ?");
  const removeFile = database.prepare("DELETE FROM batch_files WHERE id = ?");
  const expired = database.prepare<[number], FileColumns>(
    "SELECT * FROM batch_files WHERE expires_at_ms <= ? LIMIT 1000",
  );
  const insert = database.prepare<unknown[], BatchColumns>(
    `INSERT INTO batches (id, ${fields.map((field) => columns[field]).join(", ")})
     VALUES (?${", ?".repeat(fields.length)}) RETURNING *`,
  );
  const one = database.prepare<[string, string], BatchColumns>("SELECT * FROM batches WHERE caller = ? AND id = ?");
  const list = database.prepare<[string], BatchColumns>(
    "SELECT * FROM batches WHERE caller = ? ORDER BY number DESC LIMIT 1000",
  );
  const open = database.prepare<[], BatchColumns>(
    "SELECT * FROM batches WHERE status IN ('validating', 'in_progress', 'finalizing', 'cancelling') ORDER BY number",
  );

  return {
    addFile: ({ id, caller, purpose, name, bytes, createdAtMs, expiresAtMs }) =>
      asked(() => void insertFile.run(id, caller, purpose, name, bytes, createdAtMs, expiresAtMs)),
    file: (caller, id) =>
      asked(() => {
        const row = oneFile.get(caller, id);
        return row === undefined ? null : fileOf(row);
      }),
    files: (caller) => asked(() => filesOf.all(caller).map(fileOf)),
    storedBytes: () => asked(() => storedBytes.get()?.bytes ?? 0),
    fileIds: () => asked(() => fileIds.all().map(({ id }) => id)),
    removeFile: (id) => asked(() => void removeFile.run(id)),
    expiredFiles: (nowMs) => asked(() => expired.all(nowMs).map(fileOf)),
    add: (batch) =>
      asked(() => batchOf(insert.get(batch.id, ...fields.map((field) => stored(batch[field]))) as BatchColumns)),
    batch: (caller, id) =>
      asked(() => {
        const row = one.get(caller, id);
        return row === undefined ? null : batchOf(row);
      }),
    batches: (caller) => asked(() => list.all(caller).map(batchOf)),
    removeEnded: (beforeMs) => asked(() => void removeEnded.run(beforeMs)),
    open: () => asked(() => open.all().map(batchOf)),
    change: (id, change) =>
      asked(() => {
        const changed = fields.filter((field) => change[field] !== undefined);
        if (changed.length === 0) return;
        const set = changed.map((field) => `${columns[field]} = ?`).join(", ");
        database
          .prepare(`UPDATE batches SET ${set} WHERE id = ?`)
          .run(...changed.map((field) => stored(change[field])), id);
      }),
  };
}
