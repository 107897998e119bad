/** What somebody asks to be downloaded, read from one word: a catalog id, or a repository with a file or a quantization. Pure. */
import { Failure } from "../../server/domain/failure.ts";
import type { CatalogEntry } from "../catalog/entry.ts";
import type { Choice } from "./choose.ts";
import { isFileAlias, isRepository, isRepositoryPath, isRevision } from "./names.ts";

export interface DownloadWish {
  /** `qwen2.5-coder-7b-instruct`, `owner/name`, `owner/name:q4_k_m`, `owner/name/file.gguf`; each may end in `@revision`. */
  readonly model: string;
  /** A restricted licence was read and accepted. */
  readonly acceptLicense: boolean;
  /** What it is to be served as; null: by its file's name. */
  readonly alias: string | null;
  /** 0: no cap of its own. */
  readonly rateBytesPerSecond: number;
}

/** A file whose length and hash were known before the Hub was asked. */
export interface ExpectedFile {
  readonly path: string;
  readonly bytes: number | null;
  readonly sha256: string | null;
}

export interface Target {
  readonly repository: string;
  readonly revision: string;
  readonly choice: Choice;
  /** From the catalog; empty: whatever the Hub says. */
  readonly expected: readonly ExpectedFile[];
  readonly alias: string | null;
}

/** The demo model is written by the server itself. */
const ownAlias = /^lanthorn-demo/;

/** Throws Failure `invalid_request`. */
export function targetOf(wish: DownloadWish, catalogEntry: (name: string) => CatalogEntry | null): Target {
  if (wish.alias !== null && (!isFileAlias(wish.alias) || ownAlias.test(wish.alias))) {
    throw new Failure("invalid_request", "The alias cannot be used.", {
      param: "alias",
      why: "It becomes the file's name: small letters, digits, dots, dashes and underscores, at most 100.",
    });
  }
  const entry = catalogEntry(wish.model);
  return entry === null ? repositoryTarget(wish) : catalogTarget(entry, wish);
}

function catalogTarget(entry: CatalogEntry, wish: DownloadWish): Target {
  const { licence } = entry;
  if (licence.restricted && !wish.acceptLicense) {
    throw new Failure("invalid_request", `${entry.title} has the licence ${licence.id}, which must be accepted.`, {
      param: "acceptLicense",
      why: licence.note ?? "It forbids uses that people expect.",
      next: [`lanthorn models pull ${entry.id} --accept-license`],
    });
  }
  const [first] = entry.files;
  if (first === undefined) throw new Failure("not_found", `The catalog names no file of ${entry.title}.`);
  return {
    repository: entry.repository,
    revision: entry.revision ?? "main",
    choice: { kind: "path", path: first.path },
    expected: entry.files,
    alias: wish.alias ?? entry.id,
  };
}

/** `owner/name[/file.gguf|:quantization][@revision]`; the page's own address means the same. */
function repositoryTarget(wish: DownloadWish): Target {
  const text = wish.model.replace(/^https?:\/\/[^/]+\//i, "").replace(/\/(resolve|blob)\/([^/]+)\/(.*)$/, "/$3@$2");
  const [, name = "", revision = "main"] = /^(.*?)(?:@([^@]*))?$/.exec(text) ?? [];
  const [owner = "", rest = "", ...folders] = name.split("/");
  const [repositoryName = "", quantization] = rest.split(":", 2);
  const repository = `${owner}/${repositoryName}`;
  const path = folders.join("/");
  const isRight =
    isRepository(repository) &&
    isRevision(revision) &&
    (path === "" || (isRepositoryPath(path) && quantization === undefined)) &&
    (quantization === undefined || /^[A-Za-z0-9_-]{1,40}$/.test(quantization));
  if (!isRight) {
    throw new Failure("invalid_request", `${JSON.stringify(wish.model.slice(0, 120))} names no model.`, {
      param: "model",
      why: "It is owner/name, owner/name:q4_k_m or owner/name/file.gguf, each with @revision if need be, or a name of the catalog.",
      next: ["lanthorn models recommend"],
    });
  }
  const choice: Choice = path === "" ? { kind: "quantization", quantization: quantization ?? null } : { kind: "path", path };
  return { repository, revision, choice, expected: [], alias: wish.alias };
}
