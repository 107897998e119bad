/** The repositories of the stand-in Hub: what lies in a folder as `owner/name/…`, with hash and length of each file. */
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, statSync } from "node:fs";
import { join, relative, sep } from "node:path";

export interface ShelvedFile {
  /** On this machine. */
  readonly location: string;
  /** In its repository. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Repository {
  readonly name: string;
  /** What its branch `main` stands for. */
  readonly commit: string;
  readonly files: readonly ShelvedFile[];
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece as Buffer);
  return hash.digest("hex");
}

/** Reads and hashes everything once. */
export async function readShelf(folder: string): Promise<Map<string, Repository>> {
  const files = new Map<string, ShelvedFile[]>();
  for (const location of filesBelow(folder)) {
    const [owner = "", name = "", ...rest] = relative(folder, location).split(sep);
    if (rest.length === 0) continue;
    const repository = `${owner}/${name}`;
    const file = { location, path: rest.join("/"), bytes: statSync(location).size, sha256: await sha256Of(location) };
    files.set(repository, [...(files.get(repository) ?? []), file]);
  }
  return new Map(
    [...files].map(([name, held]) => {
      const commit = createHash("sha1")
        .update(held.map((file) => file.sha256).join())
        .digest("hex");
      return [name, { name, commit, files: held.sort((left, right) => (left.path < right.path ? -1 : 1)) }];
    }),
  );
}
