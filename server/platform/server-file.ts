/**
 * `server.json` in the data folder: where the running server is. Written by the server when it is ready, read by the CLI
 * and the desktop shell. It is a hint, not a lock: a killed server leaves it behind, so a reader still asks the address.
 */
import { rmSync } from "node:fs";
import { z } from "zod";
import { readOwnerFile, writeOwnerFile } from "./owner-file.ts";

const serverFile = z.object({
  pid: z.int().positive(),
  /** `http://127.0.0.1:4747`: an address that works from this box. */
  url: z.url({ protocol: /^https?$/ }),
  startedAtMs: z.int().nonnegative(),
  /** SHA-256 of its certificate, by which this box's own commands know it; absent without TLS. */
  fingerprint: z.string().optional(),
});

export type ServerFile = Readonly<z.output<typeof serverFile>>;

/** Mode 0600, replaced in one step. Throws what the file system throws. */
export function writeServerFile(path: string, value: ServerFile): void {
  writeOwnerFile(path, `${JSON.stringify(value)}\n`);
}

/** Null when there is none, or none that can be understood. */
export function readServerFile(path: string): ServerFile | null {
  const text = readOwnerFile(path);
  if (text === null) return null;
  try {
    const parsed = serverFile.safeParse(JSON.parse(text));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

export function removeServerFile(path: string): void {
  rmSync(path, { force: true });
}
