/**
 * One tier of the KV store as a worker uses it: states of one model and one context shape, in files. Runs in worker processes;
 * all file work is synchronous and short, or in slices (`file-slices.ts`).
 */
import { randomBytes } from "node:crypto";
import {
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { oldestOver, type StoredFile } from "./decisions.ts";
import { checksumOf, copyFile, type Sum } from "./file-slices.ts";
import {
  draftName,
  groupFolder,
  headerEnd,
  headerOf,
  namesIn,
  removeLeftovers,
  removeState,
  stateEnd,
  storedFiles,
} from "./folders.ts";
import { headerText, readHeader, type StateHeader } from "./header.ts";
import type { KvTier } from "./place.ts";

/** States of one model that are looked through for every request. */
const mostStates = 256;
/** A header is read whole: a million and a half tokens. Bytes. */
const longestHeaderBytes = 2 ** 23;
/** What a disk keeps free for everybody else. Bytes. */
const leftFreeBytes = 512 * 2 ** 20;

export type Contents = Pick<StateHeader, "group" | "tokens">;

/** A whole state in this tier. */
export interface StoredState extends StateHeader {
  /** Of the engine's file. */
  readonly path: string;
}

export class Tier {
  readonly kind: "memory" | "disk";
  readonly limitBytes: number;
  readonly #root: string;
  readonly #model: string;
  readonly #shape: string;

  constructor(kind: "memory" | "disk", place: KvTier, model: string, shape: string) {
    this.kind = kind;
    this.limitBytes = place.limitBytes;
    this.#root = place.root;
    this.#model = model;
    this.#shape = shape;
  }

  /** What earlier workers of this model left here, the least recently used first. What is not whole or not ours is removed. */
  open(): readonly StoredState[] {
    const folder = join(this.#root, this.#model);
    const found: { state: StoredState; usedMs: number }[] = [];
    for (const group of namesIn(folder)) {
      // What is beside the groups' folders is the server's.
      if (!isFolder(join(folder, group))) continue;
      removeLeftovers(join(folder, group));
      for (const name of namesIn(join(folder, group))) {
        if (!name.endsWith(stateEnd)) continue;
        const path = join(folder, group, name);
        const header = this.#headerOf(path);
        if (header === null || header.model !== this.#model || header.group !== group) removeState(path);
        // Of the same model in another shape: of use again when the settings are what they were.
        else if (header.shape === this.#shape)
          found.push({ state: { ...header, path }, usedMs: statSync(path).mtimeMs });
      }
    }
    found.sort((left, right) => left.usedMs - right.usedMs);
    return found.slice(-mostStates).map(({ state }) => state);
  }

  /** Whether a state of this size may be added at all. Throws when the file system cannot be asked. */
  hasRoom(bytes: number): boolean {
    if (bytes > this.limitBytes / 2) return false;
    if (this.kind === "memory") return true;
    mkdirSync(this.#root, { recursive: true, mode: 0o700 });
    const { bavail, bsize } = statfsSync(this.#root);
    return bavail * bsize - bytes >= leftFreeBytes;
  }

  /** An empty file of its owner's for the engine to write a state into. */
  draft(group: string): string {
    const path = this.#newDraft(group);
    // Made by us, because the engine's own files are everybody's to read.
    closeSync(openSync(path, "wx", 0o600));
    return path;
  }

  /** Makes a draft that the engine has written a whole state. Throws when its folder or the disk is gone. */
  async seal(draft: string, contents: Contents): Promise<StoredState> {
    chmodSync(draft, 0o600);
    return this.#publish(draft, contents, await checksumOf(draft));
  }

  /** A state of another tier, in this one. Null: it was changed since it was written. */
  async take(state: StoredState): Promise<StoredState | null> {
    const draft = this.#newDraft(state.group);
    try {
      const sum = await copyFile(state.path, draft);
      if (sum.crc32 === state.crc32 && sum.bytes === state.bytes) return this.#publish(draft, state, sum);
    } catch (thrown) {
      rmSync(draft, { force: true });
      throw thrown;
    }
    rmSync(draft, { force: true });
    return null;
  }

  /** The file is there and what it was: it may be shown to the engine. */
  async isWhole(state: StoredState): Promise<boolean> {
    try {
      const sum = await checksumOf(state.path);
      return sum.crc32 === state.crc32 && sum.bytes === state.bytes;
    } catch {
      return false;
    }
  }

  /** Used just now: the last to go. */
  touch(state: StoredState): void {
    const now = new Date();
    try {
      utimesSync(state.path, now, now);
    } catch {
      // It was removed by another worker's need for room.
    }
  }

  /** What has to go so that all models together keep to the limit. */
  overLimit(): readonly StoredFile[] {
    return oldestOver(storedFiles(this.#root), this.limitBytes);
  }

  #newDraft(group: string): string {
    const folder = groupFolder(this.#root, this.#model, group);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return join(folder, draftName(randomBytes(8).toString("hex")));
  }

  #publish(draft: string, { group, tokens }: Contents, sum: Sum): StoredState {
    const header: StateHeader = { model: this.#model, shape: this.#shape, group, tokens, ...sum };
    const name = draft.slice(dirname(draft).length + 1).split(".", 1)[0] ?? "";
    const path = join(dirname(draft), name + stateEnd);
    const headerDraft = join(dirname(draft), draftName(name + headerEnd));
    writeFileSync(headerDraft, headerText(header), { mode: 0o600, flag: "wx" });
    renameSync(draft, path);
    renameSync(headerDraft, headerOf(path));
    return { ...header, path };
  }

  #headerOf(path: string): StateHeader | null {
    try {
      if (statSync(headerOf(path)).size > longestHeaderBytes) return null;
      const header = readHeader(readFileSync(headerOf(path), "utf8"));
      // Cut short: no need to read it all to know.
      return header !== null && statSync(path).size === header.bytes ? header : null;
    } catch {
      return null;
    }
  }
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
}
