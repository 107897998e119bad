/**
 * The store's folder in memory: one per server process, named after it and its data folder. Runs in the server process.
 *
 * A server that ends removes its own. What a killed one left is taken over by the next server of the same data folder, and
 * removed by that of any other: it is memory that nobody else would free.
 */
import { createHash } from "node:crypto";
import { existsSync, renameSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { isAlive, namesIn, storedFiles } from "./folders.ts";

/** Linux keeps what is written here in memory. Elsewhere there is no tier in memory. */
const memoryFolder = "/dev/shm";
const prefix = "lanthorn-kv-";
const pattern = /^lanthorn-kv-(\d+)(?:-([0-9a-z]+))?$/;
/** Less is not worth a folder. Bytes. */
const leastBytes = 2 ** 20;

/** The folder for this process; null: this machine has no file system in memory. Nothing is made, leftovers are taken over. */
export function memoryRoot(dataFolder: string, folder = memoryFolder): string | null {
  if (!existsSync(folder)) return null;
  const tag = createHash("sha256").update(dataFolder).digest("hex").slice(0, 12);
  const own = join(folder, `${prefix}${process.pid}-${tag}`);
  for (const name of namesIn(folder)) {
    const [, pid, of] = pattern.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      if (of === tag && !existsSync(own)) renameSync(join(folder, name), own);
      else rmSync(join(folder, name), { recursive: true, force: true });
    } catch {
      // Another user's: not ours to remove.
    }
  }
  return own;
}

/** How much may lie in `root`: what was asked for, and never more than half of what the rest of the machine leaves free. */
export function memoryLimit(root: string, wantedBytes: number): number | null {
  const { bavail, bsize } = statfsSync(join(root, ".."));
  const usedBytes = storedFiles(root).reduce((sum, { bytes }) => sum + bytes, 0);
  const limitBytes = Math.min(wantedBytes, Math.floor((bavail * bsize + usedBytes) / 2));
  return limitBytes < leastBytes ? null : limitBytes;
}
