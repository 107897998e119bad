/** Files of one tier: what is found again, what is refused before the engine sees it, what is swept. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { headerOf, storedFiles } from "../../../../../server/backends/engine/kv-store/folders.ts";
import { headerText, readHeader } from "../../../../../server/backends/engine/kv-store/header.ts";
import { type StoredState, Tier } from "../../../../../server/backends/engine/kv-store/tier.ts";
import { temporaryFolder } from "../../../../support/temporary-folder.ts";

const mebibyte = 2 ** 20;
/** No process has this id: Linux ends at 2^22. */
const deadPid = 2 ** 22 + 1;

function tierIn(root: string, model = "model-a", shape = "shape", limitBytes = 64 * mebibyte): Tier {
  return new Tier("memory", { root, limitBytes }, model, shape);
}

/** A state of so many bytes, as the engine would write it. */
function written(tier: Tier, first: number, bytes = 3 * mebibyte, group = "shared"): Promise<StoredState> {
  const draft = tier.draft(group);
  writeFileSync(draft, Buffer.alloc(bytes, first));
  return tier.seal(draft, { group, tokens: Uint32Array.from([first, 2, 4_000_000_000]) });
}

describe("a state that was sealed", () => {
  test("is found again with its tokens by the same model in the same shape, and by no other", async () => {
    const root = temporaryFolder();
    const state = await written(tierIn(root), 7);
    expect(tierIn(root).open()).toEqual([state]);
    expect([...(tierIn(root).open()[0]?.tokens ?? [])]).toEqual([7, 2, 4_000_000_000]);
    expect(await tierIn(root).isWhole(state)).toBe(true);
    expect(tierIn(root, "model-b").open()).toEqual([]);
    expect(tierIn(root, "model-a", "other shape").open()).toEqual([]);
    expect(existsSync(state.path)).toBe(true);
  });

  test("is its owner's alone to read: 0600 in folders of 0700", async () => {
    const root = join(temporaryFolder(), "kv");
    const { path } = await written(tierIn(root), 1);
    const modeOf = (name: string) => (statSync(name).mode & 0o777).toString(8);
    expect([path, headerOf(path)].map(modeOf)).toEqual(["600", "600"]);
    expect([root, join(root, "model-a"), dirname(path)].map(modeOf)).toEqual(["700", "700", "700"]);
  });

  test("is not shown to the engine when one bit of it has changed", async () => {
    const tier = tierIn(temporaryFolder());
    const state = await written(tier, 1);
    const bytes = readFileSync(state.path);
    bytes[2 * mebibyte] = (bytes[2 * mebibyte] ?? 0) ^ 1;
    writeFileSync(state.path, bytes);
    expect(await tier.isWhole(state)).toBe(false);
  });

  test("is removed when it was cut short, or its header was changed anywhere", async () => {
    const root = temporaryFolder();
    const cut = await written(tierIn(root), 1);
    truncateSync(cut.path, 1_000);
    const changed = await written(tierIn(root), 2);
    const header = readFileSync(headerOf(changed.path), "utf8");
    writeFileSync(headerOf(changed.path), header.replace('"tokens":"A', '"tokens":"B'));
    expect(header).toContain('"tokens":"A');
    expect(tierIn(root).open()).toEqual([]);
    expect(storedFiles(root)).toEqual([]);
  });

  test("of another model is refused under this one's name, with its header and without", async () => {
    const root = temporaryFolder();
    const foreign = await written(tierIn(root, "model-b"), 1);
    const own = await written(tierIn(root), 2);
    // Its bytes under our header.
    writeFileSync(own.path, readFileSync(foreign.path));
    expect(await tierIn(root).isWhole(own)).toBe(false);
    // Both files, moved over.
    const moved = join(dirname(own.path), "moved.kv");
    renameSync(foreign.path, moved);
    renameSync(headerOf(foreign.path), headerOf(moved));
    expect(tierIn(root).open()).toEqual([own]);
    expect(existsSync(moved)).toBe(false);
  });

  test("of one group is refused in the folder of another", async () => {
    const root = temporaryFolder();
    const state = await written(tierIn(root), 1, 1_000, "key-7");
    renameSync(dirname(state.path), join(root, "model-a", "shared"));
    expect(tierIn(root).open()).toEqual([]);
  });
});

test("what killed processes left half-written is swept; what a living one writes stays", async () => {
  const root = temporaryFolder();
  const whole = await written(tierIn(root), 1);
  const folder = dirname(whole.path);
  const leave = (name: string) => writeFileSync(join(folder, name), "half");
  for (const name of [`a.${deadPid}.draft`, "b.kv", "c.json", `d.json.${deadPid}.draft`, `e.${process.pid}.draft`]) {
    leave(name);
  }
  expect(tierIn(root).open()).toEqual([whole]);
  const name = whole.path.slice(folder.length + 1, -3);
  expect([...readdirSync(folder)].sort()).toEqual([`${name}.json`, `${name}.kv`, `e.${process.pid}.draft`].sort());
});

test("the limit is for all models together, and the least recently used goes first", async () => {
  const root = temporaryFolder();
  const limited = tierIn(root, "model-a", "shape", 8 * mebibyte);
  const [old, used, foreign] = [
    await written(limited, 1),
    await written(limited, 2),
    await written(tierIn(root, "model-b"), 3),
  ];
  for (const [at, { path }] of [old, used, foreign].entries()) utimesSync(path, 1_000 + at, 1_000 + at);
  expect(limited.overLimit().map(({ path }) => path)).toEqual([old.path]);
  limited.touch(old);
  expect(limited.overLimit().map(({ path }) => path)).toEqual([used.path]);
  expect(limited.hasRoom(5 * mebibyte)).toBe(false);
});

test("a state moves to another tier, unless it was changed since", async () => {
  const [from, to] = [tierIn(temporaryFolder()), tierIn(temporaryFolder())];
  const state = await written(from, 1);
  const moved = await to.take(state);
  expect(to.open()).toEqual([moved]);
  writeFileSync(state.path, Buffer.alloc(3 * mebibyte, 9));
  expect(await to.take(state)).toBeNull();
  expect(to.open()).toEqual([moved]);
});

test("a header says no more than what it was given", () => {
  const header = { model: "m", shape: "s", group: "g", tokens: Uint32Array.of(1, 2), bytes: 5, crc32: 6 };
  expect(readHeader(headerText(header))).toEqual(header);
  for (const text of [
    "",
    "{}",
    "null",
    headerText({ ...header, bytes: 0 }),
    headerText(header).replace('"format":1', '"format":2'),
  ]) {
    expect(readHeader(text)).toBeNull();
  }
});

test("a name that leads out of the folder is refused", () => {
  const root = temporaryFolder();
  mkdirSync(join(root, "model-a"), { recursive: true });
  for (const group of ["..", "a/b", "", "A", "x".repeat(65)]) expect(() => tierIn(root).draft(group)).toThrow();
});
