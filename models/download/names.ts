/**
 * Names that come from somewhere else, where a download meets them: what is not plainly a name is refused, and where a file
 * goes is made of checked parts only, always directly inside `models/`. What a name may look like is said in
 * `catalog/name-rules.ts`. Pure.
 */
import { join } from "node:path";
import { pathProblem, repositoryProblem, revisionProblem, segmentProblem } from "../catalog/name-rules.ts";
import { DownloadTrouble, never } from "./trouble.ts";

export function isRepository(text: string): boolean {
  const [owner = "", name = "", ...more] = text.split("/");
  return more.length === 0 && repositoryProblem(owner, name) === null;
}

export function isRevision(text: string): boolean {
  return revisionProblem(text) === null;
}

export function isCommit(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}

/** In hex. */
export function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

/** A GGUF in a repository. */
export function isRepositoryPath(path: string): boolean {
  return pathProblem(path) === null;
}

/** Bytes. With an ending of ours it must still be a name on every file system. */
const longestFileName = 200;

/** A GGUF in `models/`: a name and no path. */
export function isModelFileName(name: string): boolean {
  return (
    name.length <= longestFileName && !name.includes("/") && segmentProblem(name) === null && /\.gguf$/i.test(name)
  );
}

/** `name-00001-of-00003.gguf`. */
const splitEnd = /-\d{5}-of-\d{5}\.gguf$/i;

/** What the file is called in `models/`: its own name, or the alias that was asked for, with the part's number. */
export function targetFileName(path: string, alias: string | null): string {
  const own = path.slice(path.lastIndexOf("/") + 1);
  const name = alias === null ? own : `${alias}${splitEnd.exec(own)?.[0] ?? ".gguf"}`;
  if (!isRepositoryPath(path)) throw badName(path);
  if (!isModelFileName(name) || isOwnName(name)) throw badName(name);
  return name;
}

/** An alias that can be a file's name. Small letters, because the alias of a file is its name in small letters. */
export function isFileAlias(alias: string): boolean {
  const name = `${alias}.gguf`;
  return (
    /^[a-z0-9](?:[a-z0-9_-]|\.(?!\.|$)){0,99}$/.test(alias) &&
    isModelFileName(name) &&
    !splitEnd.test(name) &&
    !isOwnName(name)
  );
}

/** The demo models are written by the server itself, over whatever has their name. */
function isOwnName(name: string): boolean {
  return /^lanthorn-demo/i.test(name);
}

/** Inside `models/`, whatever was asked. */
export function targetPath(modelsFolder: string, fileName: string): string {
  if (!isModelFileName(fileName)) throw badName(fileName);
  return join(modelsFolder, fileName);
}

function badName(name: string): DownloadTrouble {
  // Whoever shows it makes it printable; a name of kilobytes helps nobody.
  const shown = JSON.stringify(name.slice(0, 80));
  return new DownloadTrouble("bad_name", never, `${shown} cannot be the name of a model file here.`, {
    why: "It must be a plain file name that ends in .gguf, and not the demo's.",
    next: ["lanthorn models pull <name> --alias <another>"],
  });
}
