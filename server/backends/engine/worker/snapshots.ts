/**
 * Prefixes that had to leave their slot, and their way back: in memory first, then on disk, both bounded, the least recently used
 * going first. Runs in a worker process. Bringing 1,000 tokens back takes milliseconds where computing them takes seconds on a CPU.
 *
 * Only the engine's own writing and reading of a state holds the step loop up. Checksums and copies are made in slices beside
 * the steps, and a state is whole, and found by later processes, when its header has been written.
 */
import { rmSync } from "node:fs";
import { worthSaving } from "../kv-store/decisions.ts";
import { removeState } from "../kv-store/folders.ts";
import type { Contents, StoredState, Tier } from "../kv-store/tier.ts";
import type { NativeModel, SequenceId } from "./native.ts";
import { commonPrefixLength, type SnapshotFacts } from "./slots.ts";

/** Both null: nothing is kept. */
export interface SnapshotTiers {
  readonly memory: Tier | null;
  readonly disk: Tier | null;
}

/** What a slot holds. */
export interface Held {
  readonly sequence: SequenceId;
  readonly tokens: readonly number[];
  /** Sharing group of whoever computed it. */
  readonly group: string;
}

export interface SnapshotPorts {
  readonly monotonicMs: () => number;
  /** A line for the log. */
  readonly say: (line: string) => void;
}

interface Snapshot extends SnapshotFacts {
  readonly tokens: Uint32Array;
  readonly bytes: number;
  tier: Tier;
  /** Null until the file is whole. */
  state: StoredState | null;
  /** Resolves when `state` is what it will be. */
  written: Promise<void>;
  /** How many are reading or copying it: its file stays. */
  inUse: number;
}

/** Before anything was written: a slow disk. Bytes per millisecond. */
const firstRate = 100_000;
/** Memory may be over its limit by this factor while states are on their way to the disk. */
const overflow = 1.25;

export class Snapshots {
  readonly #model: Pick<NativeModel, "save" | "restore">;
  readonly #ports: SnapshotPorts;
  readonly #memory: Tier | null;
  #disk: Tier | null;
  /** Oldest use first. */
  #kept: Snapshot[] = [];
  #count = 0;
  #bytesPerToken = 0;
  #bytesPerMs = firstRate;
  /** Groups whose key is gone. */
  readonly #forgotten = new Set<string>();
  /** Moving to disk what has no room in memory, one after the other. */
  #spilling: Promise<void> = Promise.resolve();

  /** Takes over what earlier workers left in the tiers. */
  constructor(model: Pick<NativeModel, "save" | "restore">, tiers: SnapshotTiers, ports: SnapshotPorts) {
    this.#model = model;
    this.#ports = ports;
    this.#memory = tiers.memory;
    this.#disk = tiers.disk;
    for (const tier of [tiers.disk, tiers.memory]) {
      if (tier === null) continue;
      for (const state of tier.open()) this.#add(tier, state, state.bytes).state = state;
    }
    const sample = this.#kept.at(-1);
    if (sample !== undefined) this.#bytesPerToken = sample.bytes / sample.tokens.length;
  }

  facts(): readonly SnapshotFacts[] {
    return this.#kept;
  }

  /** Saves what a slot is about to lose, unless it is too little or saved already. Never throws. */
  async keep(held: Held, lostTokens: number): Promise<void> {
    await this.#save(held, lostTokens, [this.#memory, this.#disk], false);
  }

  /** Puts a snapshot into a sequence and gives the tokens that are there now; none when it could not be read. */
  async bring(sequence: SequenceId, id: number): Promise<ArrayLike<number>> {
    const snapshot = this.#kept.find((one) => one.id === id);
    if (snapshot === undefined) return [];
    this.#kept = [...this.#kept.filter((one) => one !== snapshot), snapshot];
    snapshot.inUse += 1;
    try {
      await snapshot.written;
      const { state, tier } = snapshot;
      if (state !== null && (await tier.isWhole(state))) {
        const count = await this.#model.restore(sequence, state.path);
        if (count === snapshot.tokens.length) {
          tier.touch(state);
          return snapshot.tokens;
        }
      }
    } catch {
      // Treated like any other snapshot that does not hold what it should.
    } finally {
      snapshot.inUse -= 1;
    }
    this.#remove(snapshot);
    return [];
  }

  /**
   * Before the process ends: saves these slots, then what is in memory only, as far as it gets until `untilMs`. Without a disk it
   * goes to memory, which lasts as long as the server. Never throws.
   */
  async saveAll(slots: readonly Held[], untilMs: number): Promise<void> {
    const inTime = (tokens: number) => {
      const expectedMs = (tokens * this.#bytesPerToken) / this.#bytesPerMs;
      return this.#ports.monotonicMs() + expectedMs < untilMs;
    };
    await Promise.all(this.#kept.map(({ written }) => written));
    await this.#spilling;
    for (const held of slots) {
      if (!inTime(held.tokens.length)) return;
      const saved = await this.#save(held, held.tokens.length, [this.#disk, this.#memory], true);
      await saved?.written;
    }
    for (const snapshot of [...this.#kept].reverse()) {
      if (this.#disk === null || snapshot.tier !== this.#memory) continue;
      if (!inTime(snapshot.tokens.length)) return;
      await this.#toDisk(snapshot);
    }
  }

  /** A key has ended: nothing of its group is kept from now on. The server removes what is there, of all models at once. */
  forget(group: string): void {
    this.#forgotten.add(group);
    this.#kept = this.#kept.filter((one) => one.group !== group);
  }

  /** Into the first of the tiers that takes it. `last`: there will be no later chance. */
  async #save(held: Held, lost: number, tiers: readonly (Tier | null)[], last: boolean): Promise<Snapshot | null> {
    const { tokens, group } = held;
    if (this.#forgotten.has(group)) return null;
    for (const tier of tiers) {
      if (tier === null) continue;
      const alike = this.#kept.filter((one) => one.group === group && (!last || one.tier === tier));
      const saved = alike.reduce((most, one) => Math.max(most, commonPrefixLength(one.tokens, tokens)), 0);
      if (!worthSaving({ tokens: tokens.length, lost, saved, tier: tier.kind, last })) return null;
      const snapshot = await this.#saveTo(tier, held);
      if (snapshot !== null) return snapshot;
    }
    return null;
  }

  async #saveTo(tier: Tier, { sequence, tokens, group }: Held): Promise<Snapshot | null> {
    let draft: string | null = null;
    try {
      if (!tier.hasRoom(this.#bytesPerToken * tokens.length) || this.#isFarOver(tier)) return null;
      draft = tier.draft(group);
      const startedAtMs = this.#ports.monotonicMs();
      const bytes = await this.#model.save(sequence, tokens, draft);
      this.#learn(bytes, tokens.length, this.#ports.monotonicMs() - startedAtMs);
      const contents = { group, tokens: Uint32Array.from(tokens) };
      const snapshot = this.#add(tier, contents, bytes);
      snapshot.written = this.#seal(snapshot, draft, contents);
      return snapshot;
    } catch (thrown) {
      if (draft !== null) rmSync(draft, { force: true });
      this.#failed(tier, thrown);
      return null;
    }
  }

  async #seal(snapshot: Snapshot, draft: string, contents: Contents): Promise<void> {
    try {
      const state = await snapshot.tier.seal(draft, contents);
      if (this.#kept.includes(snapshot)) snapshot.state = state;
      else removeState(state.path);
      this.#settle(snapshot);
    } catch (thrown) {
      rmSync(draft, { force: true });
      this.#kept = this.#kept.filter((one) => one !== snapshot);
      this.#failed(snapshot.tier, thrown);
    }
  }

  /** A state is whole: what it contains is not needed twice, and the limit holds again. */
  #settle(newer: Snapshot): void {
    const { tier, group, tokens } = newer;
    for (const one of this.#kept) {
      // What is on disk outlives what is in memory.
      const isContained = one !== newer && one.group === group && (one.tier === tier || tier === this.#disk);
      if (!isContained || one.inUse > 0 || commonPrefixLength(one.tokens, tokens) < one.tokens.length) continue;
      this.#remove(one);
    }
    for (const { path } of tier.overLimit()) {
      const own = this.#kept.find(({ state }) => state?.path === path);
      if (own === undefined) removeState(path);
      else if (own.inUse > 0) continue;
      else if (tier === this.#memory && this.#disk !== null)
        this.#spilling = this.#spilling.then(() => this.#toDisk(own));
      else this.#remove(own);
    }
  }

  /** Moves a state from memory to disk; without room there it is lost. Never throws. */
  async #toDisk(snapshot: Snapshot): Promise<void> {
    const { state } = snapshot;
    const disk = this.#disk;
    if (state === null || snapshot.tier === disk || snapshot.inUse > 0 || !this.#kept.includes(snapshot)) return;
    snapshot.inUse += 1;
    let moved: StoredState | null = null;
    try {
      const startedAtMs = this.#ports.monotonicMs();
      if (disk?.hasRoom(state.bytes)) moved = await disk.take(state);
      this.#learn(state.bytes, state.tokens.length, this.#ports.monotonicMs() - startedAtMs);
    } catch (thrown) {
      if (disk !== null) this.#failed(disk, thrown);
    } finally {
      snapshot.inUse -= 1;
    }
    if (moved === null || disk === null) {
      this.#remove(snapshot);
      return;
    }
    removeState(state.path);
    snapshot.tier = disk;
    snapshot.state = moved;
    if (this.#kept.includes(snapshot)) this.#settle(snapshot);
    else removeState(moved.path);
  }

  /** States come faster than the disk takes them. */
  #isFarOver(tier: Tier): boolean {
    const bytes = this.#kept.reduce((sum, one) => sum + (one.tier === tier ? one.bytes : 0), 0);
    return bytes > tier.limitBytes * overflow;
  }

  #add(tier: Tier, { group, tokens }: Contents, bytes: number): Snapshot {
    this.#count += 1;
    const written = Promise.resolve();
    const snapshot: Snapshot = { id: this.#count, group, tokens, bytes, tier, state: null, written, inUse: 0 };
    this.#kept.push(snapshot);
    return snapshot;
  }

  #remove(snapshot: Snapshot): void {
    this.#kept = this.#kept.filter((one) => one !== snapshot);
    if (snapshot.state !== null) removeState(snapshot.state.path);
  }

  #learn(bytes: number, tokens: number, ms: number): void {
    this.#bytesPerToken = bytes / tokens;
    if (ms > 1) this.#bytesPerMs = bytes / ms;
  }

  /**
   * Memory may have room again later, and a file that is gone was removed on purpose: for somebody's need of room, or with its
   * key. A disk that is full or cannot be written is not tried again by this worker.
   */
  #failed(tier: Tier, thrown: unknown): void {
    if (tier !== this.#disk || (thrown instanceof Error && Reflect.get(thrown, "code") === "ENOENT")) return;
    this.#disk = null;
    const why = thrown instanceof Error ? thrown.message : String(thrown);
    this.#ports.say(`saved prefixes no longer go to disk: ${why}`);
  }
}
