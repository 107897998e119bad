/** The store as the server keeps house in it: whose files stay, which tiers there are, what killed servers left. */
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createKvStore, type KvStoreOptions } from "../../../../../server/backends/engine/kv-store/kv-store.ts";
import { silentLog } from "../../../../support/real-engine.ts";
import { temporaryFolder } from "../../../../support/temporary-folder.ts";

/** No process has this id: Linux ends at 2^22. */
const deadPid = 2 ** 22 + 1;

interface Home extends KvStoreOptions {
  readonly memoryFolder: string;
  /** A model's file; its content id is its name. */
  model(name: string): string;
}

function home(change: Partial<KvStoreOptions> = {}): Home {
  const root = temporaryFolder();
  const memoryFolder = join(root, "memory");
  mkdirSync(memoryFolder);
  return {
    mode: "disk",
    memoryBytes: 2 ** 26,
    storeBytes: 2 ** 30,
    folder: join(root, "kv"),
    contentId: async (path) => path.split("/").at(-1) ?? "",
    build: "build",
    keepsGroup: (group) => group !== "key-9",
    log: silentLog,
    ...change,
    memoryFolder,
    model: (name) => {
      const path = join(root, name);
      writeFileSync(path, name);
      return path;
    },
  };
}

const place = (options: Home, name: string) =>
  createKvStore(options).placeOf({ path: options.model(name), architecture: "qwen2" });

/** A file of a group, as a worker would have left it. */
function leave(root: string, model: string, group: string): string {
  const folder = join(root, model, group);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, "a.kv");
  writeFileSync(path, "state");
  return path;
}

describe("a worker is told", () => {
  test("of both tiers, and of none when nothing is to be kept", async () => {
    const options = home();
    expect(await place(options, "m1")).toMatchObject({
      model: "m1",
      build: "build",
      architecture: "qwen2",
      memory: { limitBytes: 2 ** 26 },
      disk: { root: options.folder, limitBytes: 2 ** 30 },
    });
    expect(await place(home({ mode: "ram" }), "m1")).toMatchObject({ disk: null, memory: { limitBytes: 2 ** 26 } });
    expect(await place(home({ mode: "ram", storeBytes: 2 ** 25 }), "m1")).toMatchObject({
      memory: { limitBytes: 2 ** 25 },
    });
    expect(await place(home({ memoryBytes: 0 }), "m1")).toMatchObject({ memory: null, disk: { limitBytes: 2 ** 30 } });
    expect(await place(home({ mode: "off" }), "m1")).toBeNull();
    expect(await place(home({ memoryBytes: 0, storeBytes: 0 }), "m1")).toBeNull();
  });

  test("of none when its file cannot be read, and loads all the same", async () => {
    const broken = home({ contentId: () => Promise.reject(new Error("no")) });
    expect(await place(broken, "m1")).toBeNull();
  });
});

describe("what is removed", () => {
  test("the states of a model whose file is gone, or was written to", async () => {
    const options = home();
    const store = createKvStore(options);
    const path = options.model("m1");
    await store.placeOf({ path, architecture: "qwen2" });
    const state = leave(options.folder, "m1", "shared");
    createKvStore(options);
    expect(existsSync(state)).toBe(true);
    utimesSync(path, 1_000, 1_000);
    createKvStore(options);
    expect(existsSync(state)).toBe(false);
  });

  test("the states of a model that was taken away, as soon as the box looks at its files again", async () => {
    const options = home();
    const store = createKvStore(options);
    const path = options.model("m1");
    await store.placeOf({ path, architecture: "qwen2" });
    const state = leave(options.folder, "m1", "shared");
    store.sweep();
    expect(existsSync(state)).toBe(true);
    rmSync(path);
    store.sweep();
    expect(existsSync(state)).toBe(false);
  });

  test("the states of a model whose content changed, as soon as the new one is loaded", async () => {
    let content = "old";
    const options = home({ contentId: async () => content });
    const store = createKvStore(options);
    const path = options.model("m1");
    await store.placeOf({ path, architecture: "qwen2" });
    const state = leave(options.folder, "old", "shared");
    content = "new";
    writeFileSync(path, "something else");
    await store.placeOf({ path, architecture: "qwen2" });
    expect(existsSync(state)).toBe(false);
  });

  test("the states of keys that ended, at the next start or at once", async () => {
    const options = home();
    await place(options, "m1");
    const groups = ["shared", "key-7", "key-9"].map((group) => leave(options.folder, "m1", group));
    const store = createKvStore(options);
    expect(groups.map((path) => existsSync(path))).toEqual([true, true, false]);
    store.dropGroup("key-7");
    store.dropGroup("..");
    expect(groups.map((path) => existsSync(path))).toEqual([true, false, false]);
  });

  test("everything on disk when the settings say that nothing is kept there", async () => {
    for (const mode of ["off", "ram"] as const) {
      const options = home();
      await place(options, "m1");
      leave(options.folder, "m1", "shared");
      createKvStore({ ...options, mode });
      expect(existsSync(options.folder)).toBe(false);
    }
  });
});

describe("memory", () => {
  const folderOf = (options: Home) => readdirSync(options.memoryFolder);

  test("is given back when the server ends", async () => {
    const options = home();
    const store = createKvStore(options);
    await store.placeOf({ path: options.model("m1"), architecture: "qwen2" });
    expect(folderOf(options)).toHaveLength(1);
    store.close();
    expect(folderOf(options)).toEqual([]);
  });

  test("of a killed server is taken over by the next of its data folder, and freed by others", async () => {
    const options = home();
    const path = options.model("m1");
    await createKvStore(options).placeOf({ path, architecture: "qwen2" });
    const [own] = folderOf(options);
    const tag = own?.split("-").at(-1);
    createKvStore(options).close();

    const root = join(options.memoryFolder, `lanthorn-kv-${deadPid}-${tag}`);
    await claimed(root, path);
    const state = leave(root, "m1", "shared");
    const stranger = leave(join(options.memoryFolder, `lanthorn-kv-${deadPid}-0123456789ab`), "m1", "shared");
    const living = leave(join(options.memoryFolder, "lanthorn-kv-1-0123456789ab"), "m1", "shared");
    createKvStore(options);
    expect(folderOf(options).sort()).toEqual([own, "lanthorn-kv-1-0123456789ab"].sort());
    expect(existsSync(state.replace(root, join(options.memoryFolder, own ?? "")))).toBe(true);
    expect([existsSync(stranger), existsSync(living)]).toEqual([false, true]);
  });
});

/** Says in the folder of `m1` that it is of this file, as a store does. */
async function claimed(root: string, path: string): Promise<void> {
  const other = home({ folder: root });
  await createKvStore({ ...other, contentId: async () => "m1" }).placeOf({ path, architecture: "qwen2" });
}
