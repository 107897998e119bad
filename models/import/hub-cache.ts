/**
 * The cache of the Hub's own tools: `models--owner--name/snapshots/<revision>/<file>`, a link to `../../blobs/<hash>`, or the
 * file itself where links are not allowed. Of several snapshots with the same file the newest reference counts.
 */
import { join } from "node:path";
import { realpath } from "node:fs/promises";
import { stemOf } from "../split-name.ts";
import { aliasFrom, isModelFile } from "./names.ts";
import type { Findings, FoundModel, FoundProblem, ImportSource } from "./source.ts";
import { readSmallFile, walk, type WalkedFile } from "./walk.ts";

/** models--owner--name, snapshots, revision, and folders of the repository. */
const depth = 6;

interface Placed {
  readonly file: WalkedFile;
  /** `owner/name`. */
  readonly repository: string;
  readonly revision: string;
  readonly inner: readonly string[];
}

function placed(file: WalkedFile): Placed | null {
  const [repositoryFolder, snapshots, revision, ...inner] = file.segments;
  const match = /^models--([^/]+?)--([^/]+)$/.exec(repositoryFolder ?? "");
  if (match === null || snapshots !== "snapshots" || revision === undefined || inner.length === 0) return null;
  return { file, repository: `${match[1]}/${match[2]}`, revision, inner };
}

async function find(folder: string): Promise<Findings> {
  const { files, problems } = await walk(folder, depth, isModelFile);
  const all = files.map(placed).filter((one) => one !== null);
  const mains = new Map<string, string | null>();
  for (const { file, repository } of all) {
    if (mains.has(repository)) continue;
    const main = await readSmallFile(join(folder, file.segments[0] ?? "", "refs", "main"), 256);
    mains.set(repository, main?.trim() ?? null);
  }
  const isMain = ({ repository, revision }: Placed): boolean => mains.get(repository) === revision;
  all.sort((a, b) => Number(isMain(b)) - Number(isMain(a)));
  const models: FoundModel[] = [];
  const unnamed: FoundProblem[] = [];
  const seen = new Set<string>();
  for (const one of all) {
    const real = await realpath(one.file.path).catch(() => one.file.path);
    if (seen.has(real)) continue;
    seen.add(real);
    const name = `${one.repository}/${one.inner.join("/")}`;
    const stem = stemOf(one.inner.at(-1) ?? "");
    const older = models.some((other) => other.name === name);
    const alias = aliasFrom(older ? `${stem}@${one.revision.slice(0, 8)}` : stem);
    if (alias === null) unnamed.push({ name, reason: "no alias can be made of its name" });
    else models.push({ alias, name: older ? `${name}@${one.revision.slice(0, 8)}` : name, path: one.file.path });
  }
  return { models, problems: [...problems, ...unnamed] };
}

export const hubCache: ImportSource = {
  title: "the Hub's cache",
  folders: ({ environment, home }) => {
    if (environment.HF_HUB_CACHE) return [environment.HF_HUB_CACHE];
    if (environment.HF_HOME) return [join(environment.HF_HOME, "hub")];
    return [join(environment.XDG_CACHE_HOME || join(home, ".cache"), "huggingface", "hub")];
  },
  find,
};
