/** The tools whose models can be served from where they lie. Adding one is a file and a line here. */
import { folder, llamaCpp, lmStudio } from "./folder.ts";
import { hubCache } from "./hub-cache.ts";
import { ollama } from "./ollama.ts";
import type { ImportSource } from "./source.ts";

/** By the word that `models import` takes; `folder` stands for any path. */
export const importSources = Object.freeze({
  ollama,
  "lm-studio": lmStudio,
  hub: hubCache,
  "llama.cpp": llamaCpp,
  folder,
}) satisfies Readonly<Record<string, ImportSource>>;

export type ImportSourceId = keyof typeof importSources;

export function isImportSource(word: string): word is ImportSourceId {
  return Object.hasOwn(importSources, word);
}
