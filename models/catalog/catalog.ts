/** The models this box knows by name. Pure; the data lies in `families/`, one file for those that belong together. */
import type { CatalogEntry } from "./entry.ts";
import { agents } from "./families/agents.ts";
import { deepseek } from "./families/deepseek.ts";
import { llama } from "./families/llama.ts";
import { qwen25Coder } from "./families/qwen25-coder.ts";
import { retrieval } from "./families/retrieval.ts";

function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

export const catalog: readonly CatalogEntry[] = frozen([
  ...qwen25Coder,
  ...deepseek,
  ...agents,
  ...llama,
  ...retrieval,
]);

/** By id or alias, whatever the case; null: not in the catalog. */
export function catalogEntry(name: string): CatalogEntry | null {
  const wanted = name.toLowerCase();
  return catalog.find((entry) => entry.id === wanted || entry.aliases.includes(wanted)) ?? null;
}

/** The entry whose repository this is, whatever is asked of it; null: none. */
export function entryOfRepository(repository: string): CatalogEntry | null {
  const wanted = repository.toLowerCase();
  return catalog.find((entry) => entry.repository.toLowerCase() === wanted) ?? null;
}
