/**
 * Walks another tool's folder without trusting it: bounded in depth and number, never through a link to a folder, and every
 * file's real place must lie inside the folder that was asked for. Runs in commands and in the server.
 */
import { constants, type Dirent } from "node:fs";
import { open, readdir, realpath, stat } from "node:fs/promises";
import { isAbsolute, join, relative, sep } from "node:path";
import type { FoundProblem } from "./source.ts";

/** More than any collection has; a mounted disk as a "folder of models" must end, too. */
const mostEntries = 20_000;

export interface WalkedFile {
  /** As it is named there, absolute. */
  readonly path: string;
  /** Names from the root to the file. */
  readonly segments: readonly string[];
}

export interface Walk {
  readonly files: readonly WalkedFile[];
  readonly problems: readonly FoundProblem[];
}

/** True when `inner` is `root` or below it; both real. */
export function isInside(root: string, inner: string): boolean {
  const way = relative(root, inner);
  return way === "" || (way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way));
}

/** Why the file at `path` is not one of `root`'s own; null when it is. `root` need not be real. */
export async function placeProblem(root: string, path: string): Promise<string | null> {
  try {
    const [realRoot, real] = await Promise.all([realpath(root), realpath(path)]);
    if (!isInside(realRoot, real)) return "it is a link that leads out of its folder";
    return (await stat(real)).isFile() ? null : "it is not a regular file";
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
    return code === "ELOOP" ? "it is a link that leads to itself" : "there is no such file";
  }
}

/** Files at most `depth` folders below `root`, in the order of their names. `wanted` is asked by the name alone. */
export async function walk(root: string, depth: number, wanted: (name: string) => boolean): Promise<Walk> {
  const files: WalkedFile[] = [];
  const problems: FoundProblem[] = [];
  let seen = 0;

  const visit = async (folder: string, segments: readonly string[]): Promise<void> => {
    let entries: Dirent[];
    try {
      entries = await readdir(folder, { withFileTypes: true });
    } catch (thrown) {
      // The folder itself need not be there; anything else that cannot be looked into is said.
      const isAbsent = thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT";
      if (!isAbsent) problems.push({ name: segments.join("/") || "the folder", reason: "it cannot be read" });
      return;
    }
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      seen += 1;
      if (seen > mostEntries) return;
      const inner = [...segments, entry.name];
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (segments.length < depth) await visit(path, inner);
      } else if (wanted(entry.name)) {
        const problem = await placeProblem(root, path);
        if (problem === null) files.push({ path, segments: inner });
        else problems.push({ name: inner.join("/"), reason: problem });
      }
    }
  };

  await visit(root, []);
  if (seen > mostEntries)
    problems.push({
      name: "the folder",
      reason: `it holds more than ${mostEntries} entries; the rest was not looked at`,
    });
  return { files, problems };
}

/** The text of a small regular file, or null. Never waits on a pipe and never reads more than `mostBytes`. */
export async function readSmallFile(path: string, mostBytes: number): Promise<string | null> {
  try {
    if (!(await stat(path)).isFile()) return null;
    // Non-blocking, in case it was exchanged for a pipe between the two lines.
    const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
    try {
      const buffer = Buffer.alloc(mostBytes + 1);
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0);
      return bytesRead > mostBytes ? null : buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
