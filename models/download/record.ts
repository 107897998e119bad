/**
 * A download as it survives a restart: one small JSON file, replaced in one step. Where it stands within its files is not in
 * it but in their journals. Runs in the server process and in commands.
 */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { troubleEnds, type TroubleCode } from "../../server/domain/download.ts";
import { readOwnerFile, writeOwnerFile } from "../../server/platform/owner-file.ts";
import { isCommit, isModelFileName, isRepository, isRepositoryPath, isRevision, isSha256 } from "./names.ts";

const longText = z.string().max(2000);
const fileRecord = z.object({
  path: z.string().refine(isRepositoryPath),
  fileName: z.string().refine(isModelFileName),
  bytes: z.int().positive(),
  sha256: z.string().refine(isSha256),
});
const troubleRecord = z.object({
  code: z.custom<TroubleCode>((value) => typeof value === "string" && Object.hasOwn(troubleEnds, value)),
  message: longText,
  why: longText,
  next: z.array(longText).max(10),
});

/** Whoever wrote the file, only names that were checked come out of it. */
const downloadRecord = z.object({
  version: z.literal(1),
  id: z.string().regex(/^dl_[0-9a-f]{12}$/),
  model: longText,
  repository: z.string().refine(isRepository),
  revision: z.string().refine(isRevision),
  commit: z.string().refine(isCommit).nullable(),
  wanted: z.discriminatedUnion("kind", [
    z.object({ kind: z.literal("usual") }),
    z.object({ kind: z.literal("quantization"), quantization: z.string().max(100) }),
    z.object({ kind: z.literal("file"), path: z.string().refine(isRepositoryPath) }),
  ]),
  expected: z.array(z.object({ path: longText, bytes: z.int().positive(), sha256: z.string().nullable() })).max(200),
  alias: z.string().nullable(),
  rateBytesPerSecond: z.int().nonnegative(),
  /** Empty until the Hub was asked. */
  files: z.array(fileRecord).max(200),
  state: z.enum([
    "queued",
    "resolving",
    "downloading",
    "stalled",
    "paused",
    "verifying",
    "done",
    "failed",
    "cancelled",
  ]),
  since: z.number(),
  reason: longText,
  trouble: troubleRecord.nullable(),
  createdAtMs: z.number(),
});

export type DownloadRecord = z.output<typeof downloadRecord>;
export type FileRecord = z.output<typeof fileRecord>;

/** In the data folder, on the same file system as `models/`, so that a finished file is moved in one step. */
export function downloadsFolder(home: string): string {
  return join(home, "downloads");
}

export function makeDownloadsFolder(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
}

function recordPath(folder: string, id: string): string {
  return join(folder, `${id}.json`);
}

export function partPath(folder: string, id: string, index: number): string {
  return join(folder, `${id}-${index + 1}.part`);
}

/** Parts and journals of one download, whatever its record says. */
export function removeParts(folder: string, id: string): void {
  for (const name of namesIn(folder)) {
    if (name.startsWith(`${id}-`)) rmSync(join(folder, name), { force: true });
  }
}

/** What is left of downloads that have no record at all, and drafts of records that a killed process left. */
export function sweep(folder: string): void {
  const names = namesIn(folder);
  for (const name of names) {
    const id = /^(dl_[0-9a-f]{12})(-|\.json\.\d+\.new$)/.exec(name)?.[1];
    const isDraft = name.endsWith(".new");
    if (id !== undefined && (isDraft || !names.includes(`${id}.json`))) rmSync(join(folder, name), { force: true });
  }
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

export function writeRecord(folder: string, record: DownloadRecord): void {
  writeOwnerFile(recordPath(folder, record.id), `${JSON.stringify(record)}\n`);
}

export function removeRecord(folder: string, id: string): void {
  rmSync(recordPath(folder, id), { force: true });
}

/** Oldest first. What cannot be read is left where it is and not listed. */
export function readRecords(folder: string): DownloadRecord[] {
  return namesIn(folder)
    .filter((name) => /^dl_[0-9a-f]{12}\.json$/.test(name))
    .map((name) => readRecord(join(folder, name)))
    .filter((record) => record !== null)
    .sort((left, right) => left.createdAtMs - right.createdAtMs || (left.id < right.id ? -1 : 1));
}

function readRecord(path: string): DownloadRecord | null {
  try {
    const parsed = downloadRecord.safeParse(JSON.parse(readOwnerFile(path) ?? ""));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}
