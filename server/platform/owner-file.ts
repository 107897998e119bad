/**
 * Small files for their owner only, replaced in one step so that a reader never sees half of one. Runs in the server
 * and the CLI; imports node modules only.
 */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";

/** Longest file read back: these files hold a key or an address. */
const longestBytes = 64 * 1024;

/** Writes `text` to `path` with mode 0600: complete or not at all. Throws what the file system throws. */
export function writeOwnerFile(path: string, text: string): void {
  const draft = `${path}.${process.pid}.new`;
  // A draft that a killed process left behind may have another mode, or be a link: it is never reused.
  rmSync(draft, { force: true });
  try {
    const file = openSync(draft, "wx", 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    chmodSync(draft, 0o600);
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
}

/** The text of a small file; null when it is not there, not readable or not small. */
export function readOwnerFile(path: string): string | null {
  try {
    const text = readFileSync(path, "utf8");
    return text.length > longestBytes ? null : text;
  } catch {
    return null;
  }
}

/**
 * Whether its mode lets anybody but its owner in, `allowed` bits apart. Windows keeps other lists and is believed. Throws when it is
 * not there.
 */
export function othersMayRead(path: string, allowed = 0): boolean {
  return process.platform !== "win32" && (statSync(path).mode & 0o077 & ~allowed) !== 0;
}
