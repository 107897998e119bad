/**
 * Where saved states lie in a tier: `<root>/<model>/<sharing group>/<name>.kv`, a header `<name>.json` beside each. Runs in
 * worker processes and in the server.
 *
 * A state is written under a name that says whose draft it is and gets its own name, and then its header, when it is whole. So a
 * process may be killed at any moment: what has no header is a draft, and drafts of dead processes are removed. Nothing is
 * forced to the disk: what a power cut leaves half-written fails its checksum and is computed again.
 */
import { readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { StoredFile } from "./decisions.ts";

export const stateEnd = ".kv";
export const headerEnd = ".json";
const draftPattern = /\.(\d+)\.draft$/;

/** The group of everybody who did not ask to be kept apart; `domain/caller.ts` makes the names. */
const groupPattern = /^[a-z0-9-]{1,64}$/;

export function isGroupName(name: string): boolean {
  return groupPattern.test(name);
}

/** Throws for a name that could lead out of the folder. */
export function groupFolder(root: string, model: string, group: string): string {
  if (!isGroupName(group)) throw new Error(`no name of a sharing group: ${group}`);
  return join(root, model, group);
}

export function draftName(name: string): string {
  return `${name}.${process.pid}.draft`;
}

export function headerOf(statePath: string): string {
  return statePath.slice(0, -stateEnd.length) + headerEnd;
}

/** Names in a folder; none when it is not there. */
export function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** Every state of a tier, whole or not, whatever its model: all of it counts against the limit. */
export function storedFiles(root: string): readonly StoredFile[] {
  return namesIn(root).flatMap((model) =>
    namesIn(join(root, model)).flatMap((group) =>
      namesIn(join(root, model, group)).flatMap((name): StoredFile[] => {
        if (name.endsWith(headerEnd)) return [];
        const path = join(root, model, group, name);
        try {
          const { size, mtimeMs } = statSync(path);
          return [{ path, bytes: size, lastUsedMs: mtimeMs }];
        } catch {
          return []; // Removed between the listing and the look.
        }
      }),
    ),
  );
}

/** The header first: a state without one is a leftover, a header without its state would be a lie. */
export function removeState(path: string): void {
  if (path.endsWith(stateEnd)) rmSync(headerOf(path), { force: true });
  rmSync(path, { force: true });
}

/** Removes what is not whole and belongs to nobody who still writes. */
export function removeLeftovers(folder: string): void {
  const names = new Set(namesIn(folder));
  for (const name of names) {
    const draftOf = draftPattern.exec(name)?.[1];
    const isWhole =
      (name.endsWith(stateEnd) && names.has(name.slice(0, -stateEnd.length) + headerEnd)) ||
      (name.endsWith(headerEnd) && names.has(name.slice(0, -headerEnd.length) + stateEnd));
    if (isWhole || (draftOf !== undefined && isAlive(Number(draftOf)))) continue;
    rmSync(join(folder, name), { recursive: true, force: true });
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && Reflect.get(error, "code") === "EPERM";
  }
}
