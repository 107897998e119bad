/** What somebody asks to be downloaded, from one word to a repository with a choice of its files. Pure. */
import { Failure } from "../../server/domain/failure.ts";
import type { CatalogFile } from "../catalog/entry.ts";
import { type ModelName, resolveModelName, type WantedFile } from "../catalog/name.ts";
import { isFileAlias } from "./names.ts";

export interface DownloadWish {
  /** A name of the catalog, `owner/name`, `owner/name:Q4_K_M`, `owner/name/file.gguf`; with `@revision` behind the repository. */
  readonly model: string;
  /** A restricted licence was read and accepted. */
  readonly acceptLicense: boolean;
  /** What it is to be served as; null: by its catalog id or its file's name. */
  readonly alias: string | null;
  /** 0: no cap of its own. */
  readonly rateBytesPerSecond: number;
}

export interface Target {
  readonly repository: string;
  readonly revision: string;
  readonly wanted: WantedFile;
  /** From the catalog; empty: whatever the Hub says. */
  readonly expected: readonly CatalogFile[];
  /** What its file is called; null: as in the repository. */
  readonly alias: string | null;
}

/** A model of the catalog or of the Hub. Throws Failure. */
export function nameOf(wish: DownloadWish): ModelName {
  if (wish.alias !== null && !isFileAlias(wish.alias)) {
    throw new Failure("invalid_request", "The alias cannot be used.", {
      param: "alias",
      why: "It becomes the file's name: small letters, digits, dots, dashes and underscores, and not the demo's.",
    });
  }
  const shown = JSON.stringify(wish.model.slice(0, 120));
  const verdict = resolveModelName(wish.model);
  if (verdict.kind === "refused") {
    const why = `It is refused: ${verdict.reason}.`;
    throw new Failure("invalid_request", `${shown} cannot be the name of a model.`, { param: "model", why });
  }
  if (verdict.kind === "unknown") {
    const { nearest, reason } = verdict;
    throw new Failure("not_found", `There is no model ${shown}.`, {
      param: "model",
      why: `${reason.charAt(0).toUpperCase()}${reason.slice(1)}.`,
      next: [nearest === null ? "lanthorn models recommend" : `lanthorn models pull ${nearest}`],
    });
  }
  return verdict;
}

export function targetOf(name: ModelName, alias: string | null): Target {
  if (name.kind === "hub") {
    const { repository, revision, wanted } = name;
    return { repository, revision: revision ?? "main", wanted, expected: [], alias };
  }
  const [first] = name.kind === "catalog" ? name.entry.files : [];
  if (name.kind !== "catalog" || first === undefined) {
    throw new Failure("not_found", "There is nothing to download under that name.", { param: "model" });
  }
  const { id, repository, revision, files } = name.entry;
  const wanted: WantedFile = { kind: "file", path: first.path };
  return { repository, revision: revision ?? "main", wanted, expected: files, alias: alias ?? id };
}
