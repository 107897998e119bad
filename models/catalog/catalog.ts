/** The models this box knows by name. Pure; the data lies beside it. */
import type { CatalogEntry } from "./entry.ts";

export const catalog: readonly CatalogEntry[] = Object.freeze([]);

/** By id or alias, whatever the case; null: not in the catalog. */
export function catalogEntry(name: string): CatalogEntry | null {
  const wanted = name.toLowerCase();
  return catalog.find((entry) => entry.id === wanted || entry.aliases.includes(wanted)) ?? null;
}
