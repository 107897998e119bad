/**
 * Names that come from somewhere else: of repositories, files, revisions. What is not plainly a name is refused, and where a
 * file goes is made of checked parts only, always directly inside `models/`. Pure.
 */
import { join } from "node:path";
import { DownloadTrouble, never } from "./trouble.ts";

/** Bytes; with an ending of ours it must still be a name on every file system. */
const longestFileName = 200;
const longestPath = 500;

/** `owner/name`; each letters, digits, `-`, `_`, `.`, and neither hidden nor a way up. */
export function isRepository(text: string): boolean {
  if (text.length > 200) return false;
  const parts = text.split("/");
  return parts.length === 2 && parts.every((part) => /^[A-Za-z0-9][A-Za-z0-9._-]{0,95}$/.test(part) && !/\.\.|--$/.test(part));
}

/** A branch, a tag, `refs/pr/1` or a commit. */
export function isRevision(text: string): boolean {
  return (
    text.length <= 200 &&
    text.split("/").every((part) => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(part) && !part.includes(".."))
  );
}

export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** Names that Windows takes for devices, whatever follows the first dot. */
const deviceName = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i;

/** One name of a file: no folder, no way up, nothing a file system or a terminal takes for something else. */
export function isPlainFileName(name: string): boolean {
  return (
    Buffer.byteLength(name) <= longestFileName &&
    /^[\p{L}\p{N}][\p{L}\p{N} ._+@()[\]=,-]*$/u.test(name) &&
    !name.includes("..") &&
    !/[. ]$/.test(name) &&
    !deviceName.test(name)
  );
}

/** A path inside a repository, of plain names. */
export function isRepositoryPath(path: string): boolean {
  return path.length <= longestPath && path.split("/").every(isPlainFileName);
}

/** `name-00001-of-00003.gguf`. */
const splitEnd = /-\d{5}-of-\d{5}\.gguf$/i;

/** What the file is called in `models/`: its own name, or the alias that was asked for, with the part's number. */
export function targetFileName(path: string, alias: string | null): string {
  const own = path.split("/").at(-1) ?? "";
  if (!isRepositoryPath(path) || !/\.gguf$/i.test(own)) throw badName(path);
  if (alias === null) return own;
  if (!isFileAlias(alias)) throw badName(alias);
  return `${alias}${splitEnd.exec(own)?.[0] ?? ".gguf"}`;
}

/** An alias that can be a file's name. Small letters, because the alias of a file is its name in small letters. */
export function isFileAlias(alias: string): boolean {
  return /^[a-z0-9][a-z0-9._-]{0,99}$/.test(alias) && isPlainFileName(`${alias}.gguf`) && !splitEnd.test(`${alias}.gguf`);
}

/** The alias that a file of this name is served under. */
export function aliasOf(fileName: string): string {
  return fileName.replace(splitEnd, "").replace(/\.gguf$/i, "").toLowerCase();
}

/** Inside `models/`, whatever was asked. */
export function targetPath(modelsFolder: string, fileName: string): string {
  if (!isPlainFileName(fileName)) throw badName(fileName);
  return join(modelsFolder, fileName);
}

function badName(name: string): DownloadTrouble {
  // Whoever shows it makes it printable; a name of kilobytes helps nobody.
  return new DownloadTrouble("bad_name", never, `${JSON.stringify(name.slice(0, 80))} cannot be the name of a model file.`, {
    why: "It must be a plain file name that ends in .gguf.",
  });
}
