/**
 * The files of every caller: uploaded, listed, read, removed, and gone when their time is over. Runs in the server. What batches do
 * with them is in `batches.ts`.
 */
import type { BatchFile, BatchRecords } from "../domain/batch.ts";
import { type Caller, callerId } from "../domain/caller.ts";
import { Failure } from "../domain/failure.ts";
import type { Clock } from "../domain/ports.ts";
import { newFileId } from "../platform/ids.ts";
import type { Contents, Draft } from "./contents.ts";

export interface Files {
  /** Writes an upload as it comes. Throws Failure `payload_too_large`, `storage_full` or `forbidden` (no batches here). */
  receive(body: AsyncIterable<Uint8Array>): Promise<Draft>;
  /** What was received becomes a file. `keepMs` null: as long as files are kept here. */
  keep(caller: Caller, draft: Draft, name: string, keepMs: number | null): Promise<BatchFile>;
  drop(draft: Draft): void;
  /** Newest first. */
  files(caller: Caller): readonly BatchFile[];
  /** These three throw Failure `not_found` for what is not this caller's. */
  file(caller: Caller, id: string): BatchFile;
  /** Where its content lies. */
  content(caller: Caller, id: string): string;
  /** Throws Failure `invalid_request` while a batch reads it. */
  remove(caller: Caller, id: string): void;
}

export interface FilesParts {
  /** 0: none are kept. */
  readonly keepMs: number;
  readonly records: BatchRecords;
  readonly contents: Contents;
  readonly clock: Clock;
}

/** For the room itself. */
export interface OpenFiles {
  readonly served: Files;
  /** Throws Failure `not_found` unless it is this caller's, meant for batches and not over. */
  checkInput(owner: string, id: string): void;
  /** Those that a batch reads stay until it is over. */
  removeExpired(): void;
  removeAllOf(owner: string): void;
}

/** Removes contents that no record knows. Throws what the file system throws when the folder cannot be made. */
export function openFiles({ keepMs, records, contents, clock }: FilesParts): OpenFiles {
  const written = records.open().flatMap(({ outputFile, errorFile }) => [outputFile, errorFile]);
  const known = new Set([...records.fileIds(), ...written]);
  contents.open((name) => known.has(name));

  function remove(id: string): void {
    contents.remove(id);
    records.removeFile(id);
  }

  function file(caller: Caller, id: string): BatchFile {
    const found = records.file(callerId(caller), id);
    if (found === null || found.expiresAtMs <= clock.now()) throw noSuch("file", id);
    return found;
  }

  const served: Files = {
    async receive(body) {
      if (keepMs === 0) throw new Failure("forbidden", "This server keeps no files: batch.keepDays is 0.");
      return contents.receive(newFileId(), body);
    },
    async keep(caller, draft, name, wishedMs) {
      const nowMs = clock.now();
      const id = newFileId();
      const kept: BatchFile = {
        ...{ id, caller: callerId(caller), purpose: "batch", name, bytes: draft.bytes },
        ...{ createdAtMs: nowMs, expiresAtMs: nowMs + Math.min(keepMs, wishedMs ?? keepMs) },
      };
      await contents.keep(id, draft);
      try {
        records.addFile(kept);
      } catch (thrown) {
        contents.remove(id);
        throw thrown;
      }
      return kept;
    },
    drop: (draft) => contents.drop(draft),
    files: (caller) => records.files(callerId(caller)).filter(({ expiresAtMs }) => expiresAtMs > clock.now()),
    file,
    content: (caller, id) => contents.path(file(caller, id).id),
    remove(caller, id) {
      const { id: known } = file(caller, id);
      const reader = records.open().find(({ inputFile }) => inputFile === known);
      if (reader !== undefined) {
        throw new Failure("invalid_request", `The batch ${reader.id} still reads this file. Cancel it first.`);
      }
      remove(known);
    },
  };

  return {
    served,
    checkInput(owner, id) {
      const found = records.file(owner, id);
      if (found === null || found.purpose !== "batch" || found.expiresAtMs <= clock.now()) {
        throw new Failure("not_found", `There is no file "${id}" of yours with purpose batch.`, {
          param: "input_file_id",
        });
      }
    },
    removeExpired() {
      const read = new Set(records.open().map(({ inputFile }) => inputFile));
      for (const { id } of records.expiredFiles(clock.now())) if (!read.has(id)) remove(id);
    },
    removeAllOf(owner) {
      for (const { id } of records.files(owner)) remove(id);
    },
  };
}

export function noSuch(what: string, id: string): Failure {
  return new Failure("not_found", `There is no ${what} "${id}" of yours.`);
}
