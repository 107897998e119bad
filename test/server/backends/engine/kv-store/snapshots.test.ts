/** What a worker saves and brings back, over a model of paper whose states are small files. */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { storedFiles } from "../../../../../server/backends/engine/kv-store/folders.ts";
import { Tier } from "../../../../../server/backends/engine/kv-store/tier.ts";
import { type Held, Snapshots } from "../../../../../server/backends/engine/worker/snapshots.ts";
import { temporaryFolder } from "../../../../support/temporary-folder.ts";

const bytesPerToken = 1_000;
const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, at) => from + at);
const held = (tokens: readonly number[], group = "shared"): Held => ({ sequence: 0, tokens, group });

interface Wishes {
  readonly memoryBytes?: number;
  readonly diskBytes?: number;
  readonly disk?: string | null;
  readonly memory?: string | null;
}

function snapshotsIn(folder: string, wishes: Wishes = {}) {
  const { memory = join(folder, "memory"), disk = join(folder, "disk") } = wishes;
  const tier = (kind: "memory" | "disk", root: string | null, limitBytes: number) =>
    root === null ? null : new Tier(kind, { root, limitBytes }, "model", "shape");
  const lines: string[] = [];
  let writtenBytes = 0;
  const restored: string[] = [];
  const model = {
    save: async (_sequence: number, tokens: readonly number[], path: string) => {
      writeFileSync(path, Buffer.alloc(tokens.length * bytesPerToken, tokens[0]));
      writtenBytes += tokens.length * bytesPerToken;
      return tokens.length * bytesPerToken;
    },
    restore: async (_sequence: number, path: string) => {
      restored.push(path);
      return readFileSync(path).length / bytesPerToken;
    },
  };
  const snapshots = new Snapshots(
    model,
    {
      memory: tier("memory", memory, wishes.memoryBytes ?? 10_000_000),
      disk: tier("disk", disk, wishes.diskBytes ?? 100_000_000),
    },
    { monotonicMs: () => performance.now(), say: (line) => lines.push(line) },
  );
  const filesIn = (root: string | null) => (root === null ? [] : storedFiles(root));
  return {
    snapshots,
    lines,
    restored,
    writtenBytes: () => writtenBytes,
    inMemory: () => filesIn(memory).length,
    onDisk: () => filesIn(disk).length,
    memoryBytes: () => filesIn(memory).reduce((sum, { bytes }) => sum + bytes, 0),
    /** What `tokens` would find. */
    find: (tokens: readonly number[]) =>
      snapshots.facts().find((one) => one.tokens.length === tokens.length && one.tokens[0] === tokens[0]),
  };
}

const soon = () => performance.now() + 10_000;

describe("a prefix that leaves its slot", () => {
  test("goes to memory, and comes back", async () => {
    const store = snapshotsIn(temporaryFolder());
    await store.snapshots.keep(held(numbers(500)), 500);
    expect([store.inMemory(), store.onDisk()]).toEqual([1, 0]);
    const found = store.find(numbers(500));
    expect(Array.from(await store.snapshots.bring(0, found?.id ?? -1))).toEqual(numbers(500));
  });

  test("is not saved when it is short, or when it is saved already", async () => {
    const store = snapshotsIn(temporaryFolder());
    await store.snapshots.keep(held(numbers(127)), 127);
    expect(store.writtenBytes()).toBe(0);
    await store.snapshots.keep(held(numbers(500)), 500);
    await store.snapshots.keep(held(numbers(450)), 450);
    expect(store.writtenBytes()).toBe(500 * bytesPerToken);
    await store.snapshots.keep(held(numbers(500), "key-7"), 500);
    expect(store.writtenBytes()).toBe(1_000 * bytesPerToken);
  });

  test("replaces the earlier state of the same conversation, of its own group only", async () => {
    const store = snapshotsIn(temporaryFolder());
    await store.snapshots.keep(held(numbers(500), "key-7"), 500);
    await store.snapshots.keep(held(numbers(500)), 500);
    await store.snapshots.keep(held(numbers(1_000)), 1_000);
    await store.snapshots.saveAll([], soon());
    expect(store.snapshots.facts().map(({ group, tokens }) => [group, tokens.length])).toEqual([
      ["key-7", 500],
      ["shared", 1_000],
    ]);
  });

  test("moves to disk when memory is full, the oldest first, and is found there", async () => {
    const folder = temporaryFolder();
    const store = snapshotsIn(folder, { memoryBytes: 2_500_000 });
    for (const from of [10_000, 20_000, 30_000, 40_000]) {
      await store.snapshots.keep(held(numbers(1_000, from)), 1_000);
      const found = store.find(numbers(1_000, from));
      await store.snapshots.bring(0, found?.id ?? -1);
    }
    await store.snapshots.saveAll([], 0);
    expect(store.memoryBytes()).toBeLessThanOrEqual(2_500_000);
    expect(store.inMemory() + store.onDisk()).toBe(4);
    for (const from of [10_000, 40_000]) {
      const found = store.find(numbers(1_000, from));
      expect((await store.snapshots.bring(0, found?.id ?? -1)).length).toBe(1_000);
    }
    expect(store.restored.at(-2)).toContain("disk");
    expect(store.restored.at(-1)).toContain("memory");
  });

  test("is dropped, oldest first, when nothing else has room", async () => {
    const store = snapshotsIn(temporaryFolder(), { memoryBytes: 2_500_000, disk: null });
    for (const from of [10_000, 20_000, 30_000, 40_000]) {
      await store.snapshots.keep(held(numbers(1_000, from)), 1_000);
      await store.snapshots.bring(0, store.find(numbers(1_000, from))?.id ?? -1);
    }
    expect(store.snapshots.facts().map(({ tokens }) => tokens[0])).toEqual([30_000, 40_000]);
    expect(store.inMemory()).toBe(2);
  });
});

describe("at the end", () => {
  test("slots and what lies in memory go to disk, where the next worker finds them", async () => {
    const folder = temporaryFolder();
    const store = snapshotsIn(folder);
    await store.snapshots.keep(held(numbers(500, 9_000)), 500);
    await store.snapshots.saveAll([held(numbers(700)), held(numbers(300, 5_000), "key-7")], soon());
    expect([store.inMemory(), store.onDisk()]).toEqual([0, 3]);
    const next = snapshotsIn(folder);
    expect(new Set(next.snapshots.facts().map(({ group, tokens }) => `${group} ${tokens.length}`))).toEqual(
      new Set(["shared 500", "shared 700", "key-7 300"]),
    );
    const found = next.find(numbers(700));
    expect((await next.snapshots.bring(0, found?.id ?? -1)).length).toBe(700);
  });

  test("without a disk they go to memory", async () => {
    const folder = temporaryFolder();
    await snapshotsIn(folder, { disk: null }).snapshots.saveAll([held(numbers(700))], soon());
    expect(snapshotsIn(folder, { disk: null }).find(numbers(700))).toBeDefined();
  });

  test("nothing is begun that would not be done in time", async () => {
    const store = snapshotsIn(temporaryFolder());
    await store.snapshots.keep(held(numbers(500)), 500);
    await store.snapshots.saveAll([held(numbers(700, 9_000))], performance.now() - 1);
    expect(store.onDisk()).toBe(0);
  });

  test("a conversation of twenty turns, unloaded after each, writes each state once", async () => {
    const folder = temporaryFolder();
    let expected = 0;
    let written = 0;
    for (let turn = 1; turn <= 20; turn += 1) {
      const store = snapshotsIn(folder);
      await store.snapshots.saveAll([held(numbers(turn * 200))], soon());
      // And again: nothing is new.
      await store.snapshots.saveAll([held(numbers(turn * 200))], soon());
      expected += turn * 200 * bytesPerToken;
      written += store.writtenBytes();
      expect(store.onDisk()).toBe(1);
    }
    expect(written).toBe(expected);
  });
});

describe("a state that cannot be used", () => {
  test("is removed, and nothing is given", async () => {
    const folder = temporaryFolder();
    const store = snapshotsIn(folder);
    await store.snapshots.saveAll([held(numbers(500))], soon());
    const found = store.find(numbers(500));
    const path = storedFiles(join(folder, "disk"))[0]?.path ?? "";
    writeFileSync(path, Buffer.alloc(500 * bytesPerToken, 9));
    expect(await store.snapshots.bring(0, found?.id ?? -1)).toEqual([]);
    expect(store.restored).toEqual([]);
    expect(store.snapshots.facts()).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });

  test("because somebody removed it gives nothing either", async () => {
    const folder = temporaryFolder();
    const store = snapshotsIn(folder);
    await store.snapshots.saveAll([held(numbers(500))], soon());
    rmSync(join(folder, "disk"), { recursive: true });
    expect(await store.snapshots.bring(0, store.find(numbers(500))?.id ?? -1)).toEqual([]);
  });
});

test("nothing is given or saved any more of a key that ended, not even what is just being written", async () => {
  const folder = temporaryFolder();
  const store = snapshotsIn(folder, { memory: null });
  await store.snapshots.saveAll([held(numbers(500)), held(numbers(500), "key-7")], soon());
  await store.snapshots.keep(held(numbers(900, 5_000), "key-7"), 900);
  expect(store.snapshots.facts()).toHaveLength(3);
  // As the server does it.
  store.snapshots.forget("key-7");
  rmSync(join(folder, "disk", "model", "key-7"), { recursive: true });
  await store.snapshots.saveAll([held(numbers(900), "key-7"), held(numbers(700, 9_000))], soon());
  expect(store.snapshots.facts().map(({ group }) => group)).toEqual(["shared", "shared"]);
  expect(readdirSync(join(folder, "disk", "model"))).toEqual(["shared"]);
  expect([store.onDisk(), store.lines]).toEqual([2, []]);
});

test("a disk that takes nothing is given up with one line; memory goes on, and nothing fails", async () => {
  const folder = temporaryFolder();
  // Not a folder, so that nothing can be written in it.
  writeFileSync(join(folder, "disk"), "");
  const store = snapshotsIn(folder, { memoryBytes: 2_500_000 });
  for (const from of [10_000, 20_000, 30_000, 40_000]) {
    await store.snapshots.keep(held(numbers(1_000, from)), 1_000);
    await store.snapshots.bring(0, store.find(numbers(1_000, from))?.id ?? -1);
  }
  await store.snapshots.saveAll([held(numbers(800, 90_000))], soon());
  expect(store.lines).toHaveLength(1);
  expect(store.lines[0]).toMatch(/no longer go to disk/);
  expect(store.inMemory()).toBeGreaterThan(0);
  expect(store.memoryBytes()).toBeLessThanOrEqual(2_500_000);
});
