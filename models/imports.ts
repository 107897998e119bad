/**
 * The record of imported models: files of other tools that are served from where they lie. A small file of ours in the data
 * folder's `models/`; the models themselves are never touched. Runs in the server process and in commands.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../server/domain/failure.ts";
import { writeOwnerFile } from "../server/platform/owner-file.ts";

export interface ImportedModel {
  readonly alias: string;
  /** The file, absolute; of a model in parts the first one. */
  readonly path: string;
  /** The folder it was found in: its real place must stay in there. */
  readonly root: string;
  /** `ollama`, `hub` …: which tool's it is. */
  readonly source: string;
  /** As that tool calls it. */
  readonly name: string;
  /** Epoch milliseconds. */
  readonly importedAtMs: number;
}

const importShape = z.object({
  alias: z.string().min(1).max(200),
  path: z.string().min(1).max(4096),
  root: z.string().min(1).max(4096),
  source: z.string().max(100),
  name: z.string().max(4096),
  importedAtMs: z.number(),
});

const recordShape = z.object({ version: z.literal(1), models: z.array(importShape).max(10_000) });

const recordBytes = 16 * 1024 ** 2;

/** In the folder of models, whose own files are found without being named anywhere. */
export function importsFile(modelsFolder: string): string {
  return join(modelsFolder, "imports.json");
}

/** Null: it is there but cannot be understood, and must not be written over. */
export function readImports(modelsFolder: string): readonly ImportedModel[] | null {
  const path = importsFile(modelsFolder);
  try {
    const { size } = statSync(path);
    if (size > recordBytes) return null;
  } catch {
    return [];
  }
  try {
    const parsed = recordShape.safeParse(JSON.parse(readFileSync(path, "utf8")));
    return parsed.success ? parsed.data.models : null;
  } catch {
    return null;
  }
}

function readForChange(modelsFolder: string): readonly ImportedModel[] {
  const models = readImports(modelsFolder);
  if (models !== null) return models;
  throw new Failure("invalid_request", "The record of imported models cannot be understood.", {
    why: "models/imports.json was changed by hand or is of another version; it is left as it is.",
    next: ["mv models/imports.json models/imports.json.old   # in the data folder; then import again"],
  });
}

function write(modelsFolder: string, models: readonly ImportedModel[]): void {
  writeOwnerFile(importsFile(modelsFolder), `${JSON.stringify({ version: 1, models }, null, 2)}\n`);
}

/** Adds models; one with the same alias or file is replaced. Complete or not at all. Throws Failure, or what the disk throws. */
export function addImports(modelsFolder: string, added: readonly ImportedModel[]): void {
  const isReplaced = (old: ImportedModel): boolean =>
    added.some(({ alias, path }) => alias === old.alias || path === old.path);
  write(modelsFolder, [...readForChange(modelsFolder).filter((old) => !isReplaced(old)), ...added]);
}

/** Forgets one; its file stays where it is. False: there was none of that alias. */
export function forgetImport(modelsFolder: string, alias: string): boolean {
  const models = readForChange(modelsFolder);
  const others = models.filter((model) => model.alias !== alias);
  if (others.length === models.length) return false;
  write(modelsFolder, others);
  return true;
}
