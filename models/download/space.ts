/** Room on the disk: what a download needs beside all the others, and what is free. The decision is pure. */
import { statfs } from "node:fs/promises";
import { DownloadTrouble, never } from "./trouble.ts";

/** What this user may still write in each of the folders; one that is not there yet says nothing. */
export async function leastFreeBytesOf(...folders: readonly string[]): Promise<number> {
  const free = await Promise.all(
    folders.map((folder) =>
      statfs(folder).then(
        ({ bavail, bsize }) => bavail * bsize,
        () => Number.POSITIVE_INFINITY,
      ),
    ),
  );
  return Math.min(...free);
}

export interface SpaceFacts {
  readonly freeBytes: number;
  /** Not fetched yet of this download. */
  readonly neededBytes: number;
  /** Not fetched yet of the others that wait or run. */
  readonly promisedBytes: number;
  /** Left free whatever happens: the ledger and the system need room too. */
  readonly keptBytes: number;
}

/** Null when it fits. */
export function spaceTrouble(facts: SpaceFacts): DownloadTrouble | null {
  const { freeBytes, neededBytes, promisedBytes, keptBytes } = facts;
  if (neededBytes + promisedBytes + keptBytes <= freeBytes) return null;
  const others = promisedBytes === 0 ? "" : ` Other downloads still need ${gibibytes(promisedBytes)}.`;
  return new DownloadTrouble("no_space", never, `There is no room on the disk for ${gibibytes(neededBytes)}.`, {
    why: `${gibibytes(freeBytes)} are free, of which ${gibibytes(keptBytes)} stay free.${others}`,
    next: ["lanthorn models list", "LANTHORN_HOME=<a folder on a larger disk> lanthorn models pull <name>"],
  });
}

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(bytes < 2 ** 30 ? 2 : 1)} GiB`;
}
