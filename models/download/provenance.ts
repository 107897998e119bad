/**
 * Where a model file came from and which SHA-256 was verified: one small file per model in the data folder's `provenance/`.
 * Runs in the server process and in commands.
 */
import { mkdirSync, rmSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { readOwnerFile, writeOwnerFile } from "../../server/platform/owner-file.ts";
import { isSha256 } from "./names.ts";

const provenanceRecord = z.object({
  version: z.literal(1),
  fileName: z.string(),
  /** Verified over every byte, in hex. */
  sha256: z.string().refine(isSha256),
  bytes: z.int().positive(),
  /** Of the file when it got its name. Another time means that somebody changed it, and nothing is known any more. */
  modifiedAtMs: z.number(),
  repository: z.string(),
  commit: z.string(),
  /** In the repository. */
  path: z.string(),
  verifiedAtMs: z.number(),
});

export type Provenance = z.output<typeof provenanceRecord>;

/** Beside `models/`, so that nothing but models lies there. */
function provenancePath(modelPath: string): string {
  return join(dirname(dirname(modelPath)), "provenance", `${basename(modelPath)}.json`);
}

/** What is known of the file at `path` in `models/`; null: nothing, or it was changed since. Reads no model byte. */
export function provenanceOf(path: string): Provenance | null {
  const text = readOwnerFile(provenancePath(path));
  if (text === null) return null;
  try {
    const parsed = provenanceRecord.safeParse(JSON.parse(text));
    const { size, mtimeMs } = statSync(path);
    const isSame = parsed.success && parsed.data.bytes === size && parsed.data.modifiedAtMs === Math.round(mtimeMs);
    return isSame ? parsed.data : null;
  } catch {
    return null;
  }
}

/** `path` is where the file will be, or is. */
export function writeProvenance(path: string, provenance: Omit<Provenance, "version" | "fileName">): void {
  const file = provenancePath(path);
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  writeOwnerFile(file, `${JSON.stringify({ version: 1, fileName: basename(path), ...provenance })}\n`);
}

export function removeProvenance(path: string): void {
  rmSync(provenancePath(path), { force: true });
}
