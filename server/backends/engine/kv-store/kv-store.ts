/**
 * The KV store as the server sees it: which tiers there are, whose files are in them, and when those go. Runs in the server
 * process; the states themselves are written and read by the workers (`worker/snapshots.ts`, `tier.ts`).
 *
 * In the data folder: `kv/<content id of the model>/<sharing group>/`, and in each model's folder `model.json`, which says of
 * which file it is. A folder whose model is gone or has changed, and one whose key has ended, is removed.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import type { Log, ModelFile } from "../../../domain/ports.ts";
import type { Surroundings } from "../../../platform/lan/surroundings.ts";
import { isGroupName, namesIn } from "./folders.ts";
import { memoryLimit, memoryRoot } from "./memory-root.ts";
import type { KvPlace } from "./place.ts";

export interface KvStore {
  /** Where a worker of this model keeps and finds states; null: nowhere. Never throws. */
  placeOf(file: Pick<ModelFile, "path" | "architecture">): Promise<KvPlace | null>;
  /** Removes at once what belongs to files that are gone or were changed; also done at the start and before each load. */
  sweep(): void;
  /** Everything of a sharing group goes, whatever the model. */
  dropGroup(group: string): void;
  /** The memory is given back. After the workers have ended. */
  close(): void;
}

export interface KvStoreOptions {
  /** `ram`: what is kept ends with this server. */
  readonly mode: "off" | "ram" | "disk";
  /** Most bytes in memory, for all models together. */
  readonly memoryBytes: number;
  /** Most bytes on disk, or of the memory where there is no disk, for all models together. */
  readonly storeBytes: number;
  /** The data folder's `kv`. */
  readonly folder: string;
  /** Names a model by what is in its file. */
  readonly contentId: (path: string) => Promise<string>;
  readonly build: string;
  /** Whether the files of a sharing group may stay: its key still works. */
  readonly keepsGroup: (group: string) => boolean;
  readonly log: Log;
  /** Where memory is a file system; tests have their own. */
  readonly memoryFolder?: string;
}

/** Takes stock of what earlier servers left, and removes what is of no use any more. */
/** At home what was computed outlives the server; a rented disk outlives the rental. */
export function kvStoreMode(
  asked: "auto" | KvStoreOptions["mode"],
  { container, rental }: Surroundings,
): KvStoreOptions["mode"] {
  if (asked !== "auto") return asked;
  return container || rental ? "ram" : "disk";
}

export function createKvStore(options: KvStoreOptions): KvStore {
  const { mode, folder, log } = options;
  const memory = memoryRoot(folder, options.memoryFolder);
  const disk = mode === "disk" ? folder : null;
  // What is not wanted any more is removed, not merely left alone.
  if (mode === "off" && memory !== null) removeFolder(memory, log);
  if (disk === null) removeFolder(folder, log);
  const roots = [memory, disk].filter((root) => root !== null);
  const sweep = () => {
    for (const root of roots) removeStale(root, options);
  };
  sweep();

  const tiers = () => {
    const wanted = mode === "ram" ? Math.min(options.memoryBytes, options.storeBytes) : options.memoryBytes;
    const memoryBytes = memory === null ? null : memoryLimit(memory, wanted);
    return {
      memory: memory === null || memoryBytes === null ? null : { root: memory, limitBytes: memoryBytes },
      disk: disk === null || options.storeBytes === 0 ? null : { root: disk, limitBytes: options.storeBytes },
    };
  };
  return {
    placeOf: async ({ path, architecture }) => {
      if (mode === "off") return null;
      try {
        const model = await options.contentId(path);
        const place: KvPlace = { model, architecture, build: options.build, ...tiers() };
        for (const tier of [place.memory, place.disk]) if (tier !== null) claim(tier.root, model, path);
        sweep();
        return place.memory === null && place.disk === null ? null : place;
      } catch (cause) {
        log.warn({ cause }, "no prefixes are kept for this model");
        return null;
      }
    },
    sweep,
    dropGroup: (group) => {
      if (!isGroupName(group)) return;
      for (const root of roots) {
        for (const model of namesIn(root)) removeFolder(join(root, model, group), log);
      }
    },
    close: () => {
      if (memory !== null) removeFolder(memory, log);
    },
  };
}

const sourceShape = z.object({ path: z.string(), sizeBytes: z.number(), modifiedMs: z.number() });
const sourceName = "model.json";

/** Says in the model's folder of which file it is. */
function claim(root: string, model: string, path: string): void {
  const { size, mtimeMs } = statSync(path);
  const text = JSON.stringify({ path, sizeBytes: size, modifiedMs: mtimeMs });
  const folder = join(root, model);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `${sourceName}.${process.pid}.draft`);
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, join(folder, sourceName));
}

function removeStale(root: string, { keepsGroup, log }: KvStoreOptions): void {
  for (const model of namesIn(root)) {
    const folder = join(root, model);
    if (!isAsItWas(join(folder, sourceName))) {
      removeFolder(folder, log);
      continue;
    }
    for (const group of namesIn(folder)) {
      if (!group.startsWith(sourceName) && !keepsGroup(group)) removeFolder(join(folder, group), log);
    }
  }
}

/** The file that a model's folder is of is there, and nobody has written to it. */
function isAsItWas(sourceFile: string): boolean {
  try {
    const { path, sizeBytes, modifiedMs } = sourceShape.parse(JSON.parse(readFileSync(sourceFile, "utf8")));
    const { size, mtimeMs } = statSync(path);
    return size === sizeBytes && mtimeMs === modifiedMs;
  } catch {
    return false;
  }
}

function removeFolder(folder: string, log: Log): void {
  try {
    if (existsSync(folder)) rmSync(folder, { recursive: true, force: true });
  } catch (cause) {
    log.warn({ cause }, "saved prefixes could not be removed");
  }
}
