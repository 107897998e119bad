/**
 * The last steps of a download: is the place free, is it a model, give it its name. Nothing here ever overwrites a file. Runs
 * in the server process and in commands.
 */
import { constants, copyFile, link, lstat, open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { examineGguf } from "../gguf/validate.ts";
import { followHash } from "./follow-hash.ts";
import type { FileIdentity } from "./journal.ts";
import { removePartFile } from "./part-file.ts";
import { provenanceOf, removeProvenance, writeProvenance } from "./provenance.ts";
import { DownloadTrouble, never } from "./trouble.ts";

export interface Origin {
  readonly repository: string;
  readonly commit: string;
  readonly path: string;
}

/**
 * Whether this very file lies at `target` already: by what is known of it, else by its bytes. Throws DownloadTrouble
 * `file_exists` for any other file.
 */
export async function isInPlace(
  target: string,
  identity: FileIdentity,
  origin: Origin,
  nowMs: number,
): Promise<boolean> {
  const found = await lstat(target).catch(() => null);
  if (found === null) return false;
  if (provenanceOf(target)?.sha256 === identity.sha256) return true;
  if (found.isFile() && found.size === identity.bytes) {
    const hash = followHash(target);
    try {
      if ((await hash.finish(identity.bytes, () => {})) === identity.sha256) {
        noteProvenance(target, identity, origin, found.mtimeMs, nowMs);
        return true;
      }
    } finally {
      await hash.close();
    }
  }
  throw new DownloadTrouble("file_exists", never, `There is another ${basename(target)} in models/.`, {
    why: "Nothing is overwritten.",
    next: [
      `lanthorn models rm ${basename(target)
        .replace(/\.gguf$/i, "")
        .toLowerCase()}`,
      "lanthorn models pull <name> --alias <another>",
    ],
  });
}

/** Throws DownloadTrouble `bad_model` with the reason; `isFurther`: a part of a split model after its first. */
export async function checkHeader(part: string, fileName: string, isFurther: boolean): Promise<void> {
  const verdict = await examineGguf(part, isFurther ? "continuation" : "model");
  if (verdict.accepted) return;
  throw new DownloadTrouble("bad_model", never, `${fileName} cannot be served: ${verdict.reason}.`, {
    why: "Its bytes are the ones that the Hub promised, so its owner made it so.",
  });
}

/** From now on it is a model. Throws DownloadTrouble `file_exists` when somebody else was faster. */
export async function giveName(
  part: string,
  target: string,
  identity: FileIdentity,
  origin: Origin,
  nowMs: number,
): Promise<void> {
  const ready = await onSameDisk(part, target);
  const { mtimeMs } = await stat(ready);
  // First, so that whoever finds the file knows what it is.
  noteProvenance(target, identity, origin, mtimeMs, nowMs);
  try {
    await linkOrRename(ready, target);
  } catch (thrown) {
    removeProvenance(target);
    throw thrown;
  }
  await removePartFile(part);
  await syncFolder(dirname(target));
}

/** Where `models/` was put on another disk, by a link or a mount, the file has to be copied once. */
async function onSameDisk(part: string, target: string): Promise<string> {
  const [here, there] = await Promise.all([stat(part), stat(dirname(target))]);
  if (here.dev === there.dev) return part;
  const copy = `${target}.partial`;
  await rm(copy, { force: true });
  await copyFile(part, copy, constants.COPYFILE_EXCL);
  return copy;
}

function noteProvenance(target: string, identity: FileIdentity, origin: Origin, mtimeMs: number, nowMs: number): void {
  const { sha256, bytes } = identity;
  const { repository, commit, path } = origin;
  const modifiedAtMs = Math.round(mtimeMs);
  writeProvenance(target, { sha256, bytes, modifiedAtMs, repository, commit, path, verifiedAtMs: nowMs });
}

/** A link fails where a rename would overwrite. File systems without links get the rename, after a look. */
async function linkOrRename(part: string, target: string): Promise<void> {
  try {
    await link(part, target);
    await rm(part);
  } catch (thrown) {
    const code = thrown instanceof Error && "code" in thrown ? thrown.code : "";
    if (code === "EEXIST" || (await lstat(target).catch(() => null)) !== null) {
      throw new DownloadTrouble(
        "file_exists",
        never,
        `There is another ${basename(target)} in models/ since just now.`,
      );
    }
    await rename(part, target);
  }
}

/** The name itself survives a power cut. Not every system can. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, "r").catch(() => null);
  await handle?.sync().catch(() => {});
  await handle?.close();
}
