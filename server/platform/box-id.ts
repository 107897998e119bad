/** Which data folder a server belongs to, as a word that tells nothing else. Runs in the server and the CLI. */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readOwnerFile, writeOwnerFile } from "./owner-file.ts";

const shape = /^[0-9a-f]{12}$/;

/**
 * 12 hex digits, made by chance when first asked for and kept in the data folder: it names what this box rents, so it goes where the folder goes,
 * whatever the machine is called. The folder must be there, and be held by the caller. Throws what the file system throws.
 */
export function boxId(home: string): string {
  const known = knownBoxId(home);
  if (known !== null) return known;
  const made = randomBytes(6).toString("hex");
  writeOwnerFile(fileOf(home), `${made}\n`);
  return made;
}

/** Null: no server has run there yet. */
export function knownBoxId(home: string): string | null {
  const text = readOwnerFile(fileOf(home))?.trim() ?? "";
  return shape.test(text) ? text : null;
}

function fileOf(home: string): string {
  return join(home, "box.id");
}
