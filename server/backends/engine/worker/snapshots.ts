/**
 * Prefixes that had to leave their slot, kept as files in memory (tmpfs), bounded in bytes, the least recently used going
 * first. Runs in a worker process. Bringing 1,000 tokens back takes milliseconds where computing them takes seconds on a CPU.
 *
 * The files die with the worker: the parent removes their folder. Nothing here outlives a process or touches a disk.
 */
import { chmodSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { NativeModel, SequenceId } from "./native.ts";
import { commonPrefixLength, type SnapshotFacts } from "./slots.ts";

export interface SnapshotSettings {
  readonly folder: string;
  readonly limitBytes: number;
}

interface Snapshot extends SnapshotFacts {
  readonly path: string;
  readonly bytes: number;
}

/** A shorter loss is computed again sooner than saved and found. Tokens. */
const smallestLoss = 128;

export class Snapshots {
  readonly #model: Pick<NativeModel, "save" | "restore">;
  readonly #settings: SnapshotSettings | null;
  /** Oldest use first. */
  #kept: Snapshot[] = [];
  #count = 0;
  #bytesPerToken = 0;

  constructor(model: Pick<NativeModel, "save" | "restore">, settings: SnapshotSettings | null) {
    this.#model = model;
    this.#settings = settings;
    if (settings !== null) mkdirSync(settings.folder, { recursive: true, mode: 0o700 });
  }

  facts(): readonly SnapshotFacts[] {
    return this.#kept;
  }

  /** Saves what a sequence holds, unless `lostTokens` of it are too few or a snapshot holds them already. Never throws. */
  async keep(sequence: SequenceId, tokens: readonly number[], lostTokens: number): Promise<void> {
    if (this.#settings === null || lostTokens < smallestLoss || this.#holds(tokens)) return;
    const expectedBytes = this.#bytesPerToken * tokens.length;
    if (expectedBytes > this.#settings.limitBytes / 2) return;
    this.#count += 1;
    const path = join(this.#settings.folder, `${this.#count}.kv`);
    try {
      const bytes = await this.#model.save(sequence, tokens, path);
      chmodSync(path, 0o600);
      this.#bytesPerToken = bytes / tokens.length;
      // An earlier state of the same conversation is contained in this one.
      for (const older of this.#kept.filter((one) => commonPrefixLength(one.tokens, tokens) === one.tokens.length)) {
        this.#remove(older);
      }
      this.#kept.push({ id: this.#count, tokens: tokens.slice(), path, bytes });
      this.#makeRoom(this.#settings.limitBytes);
    } catch {
      // No room in memory: the prefix is computed again when somebody comes back for it.
      rmSync(path, { force: true });
    }
  }

  /** Puts a snapshot into a sequence and gives the tokens that are there now; none when it could not be read. */
  async bring(sequence: SequenceId, id: number): Promise<readonly number[]> {
    const snapshot = this.#kept.find((one) => one.id === id);
    if (snapshot === undefined) return [];
    this.#kept = [...this.#kept.filter((one) => one !== snapshot), snapshot];
    try {
      const count = await this.#model.restore(sequence, snapshot.path);
      if (count === snapshot.tokens.length) return snapshot.tokens;
    } catch {
      // Treated like any other snapshot that does not hold what it should.
    }
    this.#remove(snapshot);
    return [];
  }

  #holds(tokens: readonly number[]): boolean {
    return this.#kept.some((one) => commonPrefixLength(one.tokens, tokens) === tokens.length);
  }

  #makeRoom(limitBytes: number): void {
    let total = this.#kept.reduce((sum, one) => sum + one.bytes, 0);
    for (const oldest of [...this.#kept]) {
      if (total <= limitBytes) return;
      total -= oldest.bytes;
      this.#remove(oldest);
    }
  }

  #remove(snapshot: Snapshot): void {
    this.#kept = this.#kept.filter((one) => one !== snapshot);
    rmSync(snapshot.path, { force: true });
  }
}
