/**
 * Folders in memory for the workers' snapshots: one per worker, named after the server's process, removed when the worker is
 * gone; what a killed server left behind is removed at the next start. Runs in the server process.
 */
import { existsSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

/** Linux keeps what is written here in memory. Elsewhere there are no snapshots in memory. */
const memoryFolder = "/dev/shm";
const prefix = "lanthorn-kv-";

export interface SnapshotFolders {
  /** A fresh folder name and its bound; null: this machine has no file system in memory, or it is full. */
  make(limitBytes: number): { readonly folder: string; readonly limitBytes: number } | null;
  remove(folder: string): void;
}

/** Removes what dead servers left behind, then hands out folders. */
export function snapshotFolders(): SnapshotFolders {
  if (existsSync(memoryFolder)) removeLeftovers();
  let made = 0;
  return {
    make: (limitBytes) => {
      if (limitBytes <= 0 || !existsSync(memoryFolder)) return null;
      const space = statfsSync(memoryFolder);
      const freeBytes = space.bavail * space.bsize;
      const bounded = Math.min(limitBytes, Math.floor(freeBytes / 2));
      if (bounded < 2 ** 20) return null;
      made += 1;
      return { folder: join(memoryFolder, `${prefix}${process.pid}-${made}`), limitBytes: bounded };
    },
    remove: (folder) => rmSync(folder, { recursive: true, force: true }),
  };
}

function removeLeftovers(): void {
  for (const name of readdirSync(memoryFolder)) {
    const owner = /^lanthorn-kv-(\d+)-\d+$/.exec(name)?.[1];
    if (owner === undefined || isAlive(Number(owner))) continue;
    try {
      rmSync(join(memoryFolder, name), { recursive: true, force: true });
    } catch {
      // Somebody else's: not ours to remove.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && Reflect.get(error, "code") === "EPERM";
  }
}
