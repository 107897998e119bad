/**
 * Which model files this box serves: the ones named by flag or config, and every GGUF in the data folder's `models/`. Each
 * is validated from its header; what cannot be served is refused with its reason, and the others go on.
 * Runs in the server process and in commands.
 */
import { readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import type { ModelFile } from "../server/domain/ports.ts";
import { examineGguf, type GgufPart, type GgufSummary, type GgufVerdict } from "./gguf/validate.ts";

/** A model named by `--model` or in the config. */
export interface ModelEntry {
  readonly path: string;
  readonly alias?: string | undefined;
  /** Tokens per request. */
  readonly context?: number | undefined;
  readonly slots?: number | undefined;
}

/** Why a file is not served. No path. */
export interface Refusal {
  readonly fileName: string;
  /** A plain sentence's end: "it is truncated", "there is no such file". */
  readonly reason: string;
}

export interface Listing {
  readonly models: readonly ModelFile[];
  readonly refusals: readonly Refusal[];
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

/** A part of a model that was split into several files: `name-00001-of-00003.gguf`. */
interface SplitName {
  readonly stem: string;
  readonly part: number;
  readonly count: number;
}

const splitPattern = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i;

function splitNameOf(fileName: string): SplitName | null {
  const match = splitPattern.exec(fileName);
  if (match === null) return null;
  return { stem: match[1] ?? "", part: Number(match[2]), count: Number(match[3]) };
}

function partFileName(split: SplitName, part: number): string {
  const padded = (number: number): string => String(number).padStart(5, "0");
  return `${split.stem}-${padded(part)}-of-${padded(split.count)}.gguf`;
}

function defaultAlias(fileName: string): string {
  const split = splitNameOf(fileName);
  return (split?.stem ?? fileName.replace(/\.gguf$/i, "")).toLowerCase();
}

/** More parts than any model has; a file name may claim 99,999. */
const mostParts = 256;

export class ModelStore {
  readonly #folder: string;
  /** Verdicts of this process, by path, size and time of the file: a header of 20 MB is not read at every listing. */
  readonly #verdicts = new Map<string, { readonly stamp: string; readonly verdict: GgufVerdict }>();

  /** `folder`: where models lie that nobody named; it need not exist. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * What is served now, named entries first. Never throws for what is in a file or missing; a second model with an alias
   * that is taken is refused.
   */
  async list(entries: readonly ModelEntry[]): Promise<Listing> {
    const models: ModelFile[] = [];
    const refusals: Refusal[] = [];
    const taken = new Map<string, string>();
    const named = entries.map((entry) => ({ entry, asked: true }));
    const unnamed = (await this.#unnamed(entries)).map((entry) => ({ entry, asked: false }));
    for (const { entry, asked } of [...named, ...unnamed]) {
      const fileName = basename(entry.path);
      const found = await this.#modelOf(entry, asked);
      if (typeof found === "string") {
        refusals.push({ fileName, reason: found });
        continue;
      }
      const holder = taken.get(found.alias);
      if (holder !== undefined) {
        refusals.push({ fileName, reason: `its alias "${found.alias}" is already that of ${holder}` });
        continue;
      }
      taken.set(found.alias, fileName);
      models.push(found);
    }
    return { models, refusals };
  }

  /** The folder's own files, in the order of their names, without those that an entry names. */
  async #unnamed(entries: readonly ModelEntry[]): Promise<ModelEntry[]> {
    const named = new Set(await Promise.all(entries.map((entry) => realPathOf(entry.path))));
    const fileNames = await readdir(this.#folder).catch(() => []);
    const found: ModelEntry[] = [];
    for (const fileName of fileNames.sort()) {
      if (!/\.gguf$/i.test(fileName)) continue;
      const split = splitNameOf(fileName);
      // The further parts come with the first; without a first one, the lowest there is says so.
      if (split !== null && split.part > 1 && fileNames.some((other) => isEarlierPart(other, split))) continue;
      const path = join(this.#folder, fileName);
      if (!named.has(await realPathOf(path))) found.push({ path });
    }
    return found;
  }

  /** The model of an entry, or why it is refused. */
  async #modelOf(entry: ModelEntry, asked: boolean): Promise<ModelFile | string> {
    const path = resolve(entry.path);
    const fileName = basename(path);
    const alias = entry.alias ?? defaultAlias(fileName);
    const problem = aliasProblem(alias) ?? limitProblem(entry);
    if (problem !== null) return problem;
    const split = splitNameOf(fileName);
    if (split !== null && split.part !== 1) return `it is part ${split.part} of ${split.count}; name the first part`;
    const verdict = await this.#examine(path, "model");
    if (!verdict.accepted) return verdict.reason;
    if (verdict.summary === null) return "it is only a part of a model";
    const { summary } = verdict;
    const parts = await this.#furtherParts(path, split, summary);
    if (typeof parts === "string") return parts;
    const file = await stat(path).catch(() => null);
    if (file === null) return "it has just been removed";
    return {
      alias,
      path,
      fileName,
      sizeBytes: summary.sizeBytes + parts.bytes,
      createdAtMs: Math.round(file.mtimeMs),
      trainedContextLength: summary.trainedContextLength,
      demo: summary.demo,
      asked,
      context: entry.context ?? null,
      slots: entry.slots ?? null,
    };
  }

  /** Bytes of the parts after the first, or why the model is refused. */
  async #furtherParts(
    path: string,
    split: SplitName | null,
    summary: GgufSummary,
  ): Promise<{ readonly bytes: number } | string> {
    const count = split?.count ?? 1;
    if (summary.splitCount !== count) {
      return `it is one of ${summary.splitCount} parts, but its name says ${count === 1 ? "it is whole" : `${count} parts`}`;
    }
    if (count > mostParts) return `it claims to be split into ${count} parts; at most ${mostParts} are accepted`;
    let bytes = 0;
    for (let part = 2; split !== null && part <= count; part += 1) {
      const partPath = join(dirname(path), partFileName(split, part));
      const verdict = await this.#examine(partPath, "continuation");
      if (!verdict.accepted) return `its part ${part} of ${count} cannot be used: ${verdict.reason}`;
      bytes += (await stat(partPath).catch(() => null))?.size ?? 0;
    }
    return { bytes };
  }

  async #examine(path: string, part: GgufPart): Promise<GgufVerdict> {
    const file = await stat(path).catch(() => null);
    if (file === null || !file.isFile()) return examineGguf(path, part);
    const stamp = `${file.size} ${file.mtimeMs} ${file.ino}`;
    const key = `${part} ${path}`;
    const known = this.#verdicts.get(key);
    if (known?.stamp === stamp) return known.verdict;
    const verdict = await examineGguf(path, part);
    this.#verdicts.set(key, { stamp, verdict });
    return verdict;
  }
}

function isEarlierPart(fileName: string, than: SplitName): boolean {
  const split = splitNameOf(fileName);
  return split !== null && split.stem === than.stem && split.count === than.count && split.part < than.part;
}

async function realPathOf(path: string): Promise<string> {
  return realpath(path).catch(() => resolve(path));
}
