/** Temporary folders of a bench, removed when they are given back or, at the latest, when the bench ends. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const kept = new Set<string>();

export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "lanthorn-bench-"));
  kept.add(path);
  return path;
}

/** Whoever wrote in it has ended. */
export function removeFolder(path: string): void {
  rmSync(path, { recursive: true, force: true });
  kept.delete(path);
}

/** For the exit handler, after the children have been killed. */
export function removeAllFolders(): void {
  for (const path of kept) removeFolder(path);
}
