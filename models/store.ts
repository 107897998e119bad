/**
 * Which model files this box serves: the ones named by flag or config, every GGUF in the data folder's `models/`, and those
 * of other tools that were imported. Each is validated from its header; what cannot be served is refused with its
 * reason, and the others go on.
 * Runs in the server process and in commands.
 */
import { readdir, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { ModelFile } from "../server/domain/ports.ts";
import { abilityOf, type ModelKind } from "./ability.ts";
import type { GgufHeader } from "./gguf/format.ts";
import { shapeOf } from "./gguf/shape.ts";
import { examineGguf, type GgufSummary } from "./gguf/validate.ts";
import { mostParts, partFileName, type SplitName, splitNameOf, stemOf } from "./split-name.ts";
import { placeProblem } from "./import/walk.ts";
import { type ImportedModel, readImports } from "./imports.ts";

/** A model named by `--model` or in the config. */
export interface ModelEntry {
  readonly path: string;
  readonly alias?: string | undefined;
  /** Tokens per request. */
  readonly context?: number | undefined;
  readonly slots?: number | undefined;
  /** What it is to be used for; by default its header decides. */
  readonly kind?: ModelKind | undefined;
  /** Unused for so long it leaves memory; `always`: it stays. */
  readonly keepAliveMs?: number | "always" | undefined;
  readonly pin?: boolean | undefined;
  readonly preload?: boolean | undefined;
  /** Shown instead of the path's last part, where that is only a hash. */
  readonly shownName?: string | undefined;
}

/** Why a file is not served. No path. */
export interface ModelRefusal {
  readonly fileName: string;
  /** A plain sentence's end: "it is truncated", "there is no such file". */
  readonly reason: string;
}

export interface Listing {
  readonly files: readonly ModelFile[];
  readonly refusals: readonly ModelRefusal[];
}

const aliasBytes = 200;

/** Why a client could not ask for this alias; null when it could. */
function aliasProblem(alias: string): string | null {
  if (alias === "" || alias !== alias.trim()) return "its alias is empty or begins or ends with a space";
  if (/\p{Cc}/u.test(alias)) return "its alias holds a control character";
  return Buffer.byteLength(alias) > aliasBytes ? `its alias is longer than ${aliasBytes} bytes` : null;
}

function limitProblem(entry: ModelEntry): string | null {
  for (const [name, value] of [
    ["context", entry.context],
    ["slots", entry.slots],
  ] as const) {
    if (value !== undefined && (!Number.isSafeInteger(value) || value < 1))
      return `its ${name} is not a whole number above 0`;
  }
  return null;
}

/** What a file is served under when nobody gives it a name. */
export function defaultAlias(fileName: string): string {
  return stemOf(fileName).toLowerCase();
}

/** Bytes and headers of the parts after the first, or why the model is refused. */
async function furtherParts(
  path: string,
  split: SplitName | null,
  summary: GgufSummary,
): Promise<{ readonly bytes: number; readonly headers: readonly GgufHeader[] } | string> {
  const count = split?.count ?? 1;
  if (summary.splitCount !== count) {
    return `it is one of ${summary.splitCount} parts, but its name says ${count === 1 ? "it is whole" : `${count} parts`}`;
  }
  if (count > mostParts) return `it claims to be split into ${count} parts; at most ${mostParts} are accepted`;
  let bytes = 0;
  const headers: GgufHeader[] = [];
  for (let part = 2; split !== null && part <= count; part += 1) {
    const verdict = await examineGguf(join(dirname(path), partFileName(split, part)), "continuation");
    if (!verdict.accepted) return `its part ${part} of ${count} cannot be used: ${verdict.reason}`;
    bytes += verdict.sizeBytes;
    headers.push(verdict.header);
  }
  return { bytes, headers };
}

function residencyWishes({ keepAliveMs, pin, preload }: ModelEntry): Partial<ModelFile> {
  return {
    ...(keepAliveMs === undefined ? {} : { keepAliveMs: keepAliveMs === "always" ? null : keepAliveMs }),
    ...(pin === undefined ? {} : { pin }),
    ...(preload === undefined ? {} : { preload }),
  };
}

/** The model of an entry, or why it is refused. */
async function modelOf(entry: ModelEntry, asked: boolean): Promise<ModelFile | string> {
  const path = resolve(entry.path);
  const fileName = basename(path);
  const alias = entry.alias ?? defaultAlias(fileName);
  const problem = aliasProblem(alias) ?? limitProblem(entry);
  if (problem !== null) return problem;
  const split = splitNameOf(fileName);
  if (split !== null && split.part !== 1) return `it is part ${split.part} of ${split.count}; the first part is needed`;
  const verdict = await examineGguf(path);
  if (!verdict.accepted) return verdict.reason;
  if (verdict.summary === null) return "it is only a part of a model";
  const pooled = abilityOf(verdict.summary, entry.kind ?? null);
  if (typeof pooled === "string") return pooled;
  const parts = await furtherParts(path, split, verdict.summary);
  if (typeof parts === "string") return parts;
  return {
    alias,
    path,
    fileName: entry.shownName ?? fileName,
    sizeBytes: verdict.sizeBytes + parts.bytes,
    createdAtMs: verdict.modifiedAtMs,
    trainedContextLength: verdict.summary.trainedContextLength,
    pooled,
    architecture: verdict.summary.architecture,
    shape: parts.headers.length === 0 ? verdict.summary.shape : shapeOf(verdict.header, parts.headers),
    vocabularySize: verdict.summary.vocabularySize,
    tokenizer: verdict.summary.tokenizer,
    chatTemplate: verdict.summary.chatTemplate,
    demo: verdict.summary.demo,
    asked,
    context: entry.context ?? null,
    slots: entry.slots ?? null,
    ...residencyWishes(entry),
  };
}

/** The model of one entry as it would be served, or why it would not: the end of a sentence. */
export function describeModel(entry: ModelEntry): Promise<ModelFile | string> {
  return modelOf(entry, false);
}

function isEarlierPart(fileName: string, than: SplitName): boolean {
  const split = splitNameOf(fileName);
  return split !== null && split.stem === than.stem && split.count === than.count && split.part < than.part;
}

async function realPathOf(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}

/** The folder's own files, in the order of their names, without those that an entry names. */
async function unnamed(folder: string, entries: readonly ModelEntry[]): Promise<ModelEntry[]> {
  const named = new Set(await Promise.all(entries.map((entry) => realPathOf(entry.path))));
  const fileNames = await readdir(folder).catch(() => []);
  const found: ModelEntry[] = [];
  for (const fileName of fileNames.sort()) {
    if (!/\.gguf$/i.test(fileName)) continue;
    const split = splitNameOf(fileName);
    // The further parts come with the first; without a first one, the lowest there is says so.
    if (split !== null && fileNames.some((other) => isEarlierPart(other, split))) continue;
    const path = join(folder, fileName);
    if (!named.has(await realPathOf(path))) found.push({ path });
  }
  return found;
}

/** Imported models that nobody named and that do not lie in the folder, those that are gone with their reason. */
async function imported(folder: string, others: readonly ModelEntry[]): Promise<(ModelEntry & ImportProblem)[]> {
  const models = readImports(folder) ?? [];
  const known = new Set(await Promise.all(others.map((entry) => realPathOf(entry.path))));
  const found: (ModelEntry & ImportProblem)[] = [];
  for (const model of models) {
    if (known.has(await realPathOf(model.path))) continue;
    const { path, alias } = model;
    found.push({ path, alias, shownName: shownNameOf(model), problem: await importProblem(model) });
  }
  return found;
}

interface ImportProblem {
  readonly problem: string | null;
}

async function importProblem({ root, path, source }: ImportedModel): Promise<string | null> {
  const problem = await placeProblem(root, path);
  return problem === "there is no such file" ? `it is missing: it was imported from ${source}` : problem;
}

function shownNameOf({ name, path }: ImportedModel): string {
  return name.split("/").at(-1) || basename(path);
}

export interface ListOptions {
  /** Where models lie that nobody named; it need not exist. */
  readonly folder: string;
  /** The models that somebody named. */
  readonly entries: readonly ModelEntry[];
}

/**
 * What can be served now, named models first, then the folder's in the order of their names, then imported ones. Never throws
 * for what is in a file or missing. A second model with an alias that is taken is refused.
 */
export async function listModels({ folder, entries }: ListOptions): Promise<Listing> {
  const files: ModelFile[] = [];
  const refusals: ModelRefusal[] = [];
  const holderOf = new Map<string, string>();
  const others = await unnamed(folder, entries);
  const imports = await imported(folder, [...entries, ...others]);
  if (readImports(folder) === null)
    refusals.push({ fileName: "imports.json", reason: "it cannot be understood, so no imported model is served" });
  const all: readonly (ModelEntry & Partial<ImportProblem>)[] = [...entries, ...others, ...imports];
  for (const entry of all) {
    const fileName = entry.shownName ?? basename(entry.path);
    const found = entry.problem ?? (await modelOf(entry, entries.includes(entry)));
    if (typeof found === "string") {
      refusals.push({ fileName, reason: found });
      continue;
    }
    const holder = holderOf.get(found.alias);
    if (holder !== undefined) {
      refusals.push({ fileName, reason: `its alias "${found.alias}" is already that of ${holder}` });
      continue;
    }
    holderOf.set(found.alias, fileName);
    files.push(found);
  }
  return { files, refusals };
}
