/**
 * Whose a model is, by its alias: named in the configuration, imported from another tool, a file of our own folder, or the demo
 * that the server writes. Pure. What is not ours is never deleted.
 */
import type { ImportedModel } from "./imports.ts";
import { defaultAlias, type ModelEntry } from "./store.ts";

export type Ownership =
  /** `index`: its place in the settings' `models`. */
  | { readonly kind: "configured"; readonly index: number }
  | { readonly kind: "imported"; readonly model: ImportedModel }
  /** Written anew at every start. */
  | { readonly kind: "demo" }
  /** All its parts, names in our folder. */
  | { readonly kind: "owned"; readonly fileNames: readonly string[] }
  /** `aliases`: those there are. */
  | { readonly kind: "none"; readonly aliases: readonly string[] };

export interface OwnershipFacts {
  readonly entries: readonly ModelEntry[];
  /** Names in the data folder's `models/`. */
  readonly fileNames: readonly string[];
  readonly imports: readonly ImportedModel[];
  readonly demoAlias: string;
}

function lastPart(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** `wanted` is an alias, or the name of a file in our folder. */
export function ownershipOf(wanted: string, facts: OwnershipFacts): Ownership {
  const entryAlias = (entry: ModelEntry): string => entry.alias ?? defaultAlias(lastPart(entry.path));
  const index = facts.entries.findIndex((entry) => entryAlias(entry) === wanted);
  if (index !== -1) return { kind: "configured", index };
  const files = facts.fileNames.filter((fileName) => /\.gguf$/i.test(fileName));
  const named = files.find((fileName) => fileName === wanted);
  const alias = named === undefined ? wanted : defaultAlias(named);
  if (alias === facts.demoAlias) return { kind: "demo" };
  const own = files.filter((fileName) => defaultAlias(fileName) === alias);
  if (own.length > 0) return { kind: "owned", fileNames: own.sort() };
  const model = facts.imports.find((one) => one.alias === wanted);
  if (model !== undefined) return { kind: "imported", model };
  const aliases = new Set([
    ...facts.entries.map(entryAlias),
    ...files.map(defaultAlias),
    ...facts.imports.map((one) => one.alias),
  ]);
  return { kind: "none", aliases: [...aliases].sort() };
}
