/**
 * A conversation comes back after its worker ended, over real worker processes, the real engine and the demo model: it computes
 * only what is new, or everything, and never something else.
 */
import { copyFileSync, mkdirSync, readFileSync, renameSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constructDemo, tokenId } from "../../../../models/demo/construct.ts";
import { ensureDemoModel, swapOutputRows } from "../../../../models/demo/file.ts";
import { voices } from "../../../../models/demo/voices.ts";
import { headerOf, namesIn, storedFiles } from "../../../../server/backends/engine/kv-store/folders.ts";
import type { KvStoreOptions } from "../../../../server/backends/engine/kv-store/kv-store.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { type RealEngine, realEngine, temporaryFolder as asyncFolder, until } from "../../../support/real-engine.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const never = new AbortController().signal;
let asked = 0;
const words = (count: number, word = "word") => Array.from({ length: count }, (_, at) => `${word}${at}`).join(" ");

let models: Awaited<ReturnType<typeof asyncFolder>>;
let demo: string;
beforeAll(async () => {
  models = await asyncFolder();
  demo = await ensureDemoModel(models.path);
});
afterAll(() => models.remove());

/** One life of a server: a box, what it is asked, its end. */
async function life<Result>(
  store: Partial<KvStoreOptions>,
  work: (box: RealEngine) => Promise<Result>,
  path = demo,
): Promise<Result> {
  const box = await realEngine([{ alias: "lanthorn-demo", path }], { slots: 2, context: 4_096 }, store);
  try {
    return await work(box);
  } finally {
    await box.close();
  }
}

async function ask(box: RealEngine, text: string, sharingGroup?: string) {
  asked += 1;
  const context = { requestId: `req_${asked}`, callerName: "ayo", ...(sharingGroup === undefined ? {} : { sharingGroup }) };
  const { text: answer, end } = await collect(box.engine.chat(chatRequest(text, { maxTokens: 24 }), context, never));
  if (end.type !== "finished") throw new Error(`ended as ${end.type}`);
  return { answer, cached: end.usage.cachedTokens, prompt: end.usage.promptTokens };
}

const conversation = words(300, "turn");
const goesOn = `${conversation} and more`;

/** A store on disk in a folder of its own, in which the conversation was left. */
async function left(group?: string): Promise<{ readonly store: Partial<KvStoreOptions>; readonly folder: string }> {
  const folder = join(temporaryFolder(), "kv");
  const store = { mode: "disk", folder } as const;
  await life(store, (box) => ask(box, conversation, group));
  return { store, folder };
}

const onlyFile = (folder: string) => {
  const files = storedFiles(folder);
  expect(files).toHaveLength(1);
  return files[0]?.path ?? "";
};

describe("a conversation that comes back after a restart", () => {
  test("computes only what is new, and gets the same answer as if it had been computed", async () => {
    const { store, folder } = await left();
    const path = onlyFile(folder);
    expect([path, headerOf(path), dirname(path)].map((name) => (statSync(name).mode & 0o777).toString(8))).toEqual([
      "600",
      "600",
      "700",
    ]);
    const fresh = await life({ mode: "off" }, (box) => ask(box, goesOn));
    expect(fresh.cached).toBe(0);
    const back = await life(store, (box) => ask(box, goesOn));
    expect(back.cached).toBeGreaterThan(back.prompt * 0.9);
    expect(back.answer).toBe(fresh.answer);
  });

  test.each([
    ["one byte was changed", (path: string) => {
      const bytes = readFileSync(path);
      const at = bytes.length >> 1;
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      writeFileSync(path, bytes);
    }],
    ["it was cut short", (path: string) => truncateSync(path, 5_000)],
    ["it was emptied", (path: string) => truncateSync(path, 0)],
    ["its header is gone", (path: string) => renameSync(headerOf(path), `${path}.elsewhere`)],
  ])("computes everything when %s, to the same answer", async (_what, damage) => {
    const { store, folder } = await left();
    const path = onlyFile(folder);
    damage(path);
    const back = await life(store, async (box) => {
      const answer = await ask(box, goesOn);
      expect(storedFiles(folder).map((file) => file.path)).not.toContain(path);
      return answer;
    });
    const fresh = await life({ mode: "off" }, (box) => ask(box, goesOn));
    expect(back).toEqual(fresh);
    // What was damaged has been replaced by what was computed.
    expect((await life(store, (box) => ask(box, goesOn))).cached).toBeGreaterThan(back.prompt * 0.9);
  });

  test("computes everything when another model's state was put in its place", async () => {
    const second = await ensureDemoModel(models.path, "second");
    const folder = join(temporaryFolder(), "kv");
    const store = { mode: "disk", folder } as const;
    await life(store, (box) => ask(box, conversation), second);
    const foreign = onlyFile(folder);
    const kept = { state: readFileSync(foreign), header: readFileSync(headerOf(foreign)) };
    await life(store, (box) => ask(box, conversation));
    const [own] = storedFiles(folder).filter(({ path }) => path !== foreign);
    const place = dirname(own?.path ?? "");
    writeFileSync(own?.path ?? "", kept.state);
    writeFileSync(join(place, "moved.kv"), kept.state);
    writeFileSync(join(place, "moved.json"), kept.header);
    const back = await life(store, (box) => ask(box, goesOn));
    expect(back.cached).toBe(0);
  });

  test("computes everything when the model was replaced under its name", async () => {
    const path = join(temporaryFolder(), "model.gguf");
    copyFileSync(demo, path);
    const folder = join(temporaryFolder(), "kv");
    const store = { mode: "disk", folder } as const;
    await life(store, (box) => ask(box, conversation), path);
    const before = onlyFile(folder);
    const model = constructDemo(voices.demo);
    await swapOutputRows(path, tokenId(model, "Hello"), tokenId(model, "!"));
    const back = await life(store, (box) => ask(box, goesOn), path);
    expect(back.cached).toBe(0);
    expect(storedFiles(folder).map((file) => file.path)).not.toContain(before);
  });

  test("computes everything with other slots: the engine takes no such state", async () => {
    const { store } = await left();
    const box = await realEngine([{ alias: "lanthorn-demo", path: demo }], { slots: 1, context: 4_096 }, store);
    try {
      expect((await ask(box, goesOn)).cached).toBe(0);
    } finally {
      await box.close();
    }
  });

  test("is found again after the worker was unloaded, in memory, as long as the server lives", async () => {
    const folder = join(temporaryFolder(), "kv");
    const memoryFolder = temporaryFolder();
    const box = await realEngine(
      [{ alias: "lanthorn-demo", path: demo }],
      { slots: 1, context: 4_096 },
      { mode: "ram", folder, memoryFolder },
    );
    try {
      await ask(box, conversation);
      // Out of its slot, and so into memory; then the worker ends as a crash would end it.
      await ask(box, words(300, "other"));
      await until("it is saved", () => memoryFiles(memoryFolder).some((path) => path.endsWith(".kv")));
      process.kill(box.pids[0] ?? -1, "SIGKILL");
      await until("there is another worker", () => box.pids.length === 2);
      const back = await ask(box, goesOn);
      expect(back.cached).toBeGreaterThan(back.prompt * 0.9);
    } finally {
      await box.close();
    }
    expect(memoryFiles(memoryFolder)).toEqual([]);
  });
});

/** Files of the store in memory: one folder per server lies in there. */
function memoryFiles(folder: string): readonly string[] {
  return namesIn(folder).flatMap((name) => storedFiles(join(folder, name)).map(({ path }) => path));
}

describe("sharing groups", () => {
  test("a key that keeps apart finds nothing of others, in slots, in memory and on disk, and the others nothing of it", async () => {
    const { store } = await left();
    await life(store, async (box) => {
      expect((await ask(box, goesOn, "key-7")).cached).toBe(0);
      expect((await ask(box, goesOn, "key-8")).cached).toBe(0);
      const again = await ask(box, goesOn, "key-8");
      expect(again.cached).toBeGreaterThan(again.prompt * 0.9);
    });
    const own = await life(store, (box) => ask(box, goesOn, "key-7"));
    expect(own.cached).toBeGreaterThan(own.prompt * 0.9);
  });

  test("what was kept for a key goes with it", async () => {
    const { store, folder } = await left("key-7");
    await life(store, async (box) => {
      expect((await ask(box, goesOn, "key-7")).cached).toBeGreaterThan(0);
      box.engine.forget("key-7");
      box.kvStore.dropGroup("key-7");
      expect(storedFiles(folder)).toEqual([]);
    });
    // Its slot was not saved either.
    expect(storedFiles(folder)).toEqual([]);
  });
});

test("off keeps nothing: not out of a slot, not at the end, and not what was there before", async () => {
  const { folder } = await left();
  const memoryFolder = temporaryFolder();
  await life({ mode: "off", folder, memoryFolder }, async (box) => {
    expect((await ask(box, goesOn)).cached).toBe(0);
    for (const other of ["a", "b", "c"]) await ask(box, words(300, other));
    expect((await ask(box, goesOn)).cached).toBeLessThan(64);
  });
  expect([storedFiles(folder), namesIn(folder), namesIn(memoryFolder)]).toEqual([[], [], []]);
});

test("over the limit the conversations used longest ago go", async () => {
  const folder = join(temporaryFolder(), "kv");
  const unlimited = { mode: "disk", folder } as const;
  await life(unlimited, (box) => ask(box, words(300, "first")));
  const bytes = storedFiles(folder)[0]?.bytes ?? 0;
  // Room for two and a half.
  const store = { ...unlimited, storeBytes: bytes * 2.5 };
  for (const name of ["second", "third"]) await life(store, (box) => ask(box, words(300, name)));
  expect(storedFiles(folder)).toHaveLength(2);
  const cached = await life(store, async (box) => [
    (await ask(box, `${words(300, "third")} on`)).cached,
    (await ask(box, `${words(300, "first")} on`)).cached,
  ]);
  expect(cached[0]).toBeGreaterThan(300);
  expect(cached[1]).toBeLessThan(64);
});

test("a worker killed while it saves leaves nothing that the next start trips over", async () => {
  const { store, folder } = await left();
  const place = dirname(onlyFile(folder));
  mkdirSync(place, { recursive: true });
  // What a kill leaves: a draft of a process that is gone, a state that has no header yet.
  writeFileSync(join(place, `half.${2 ** 22 + 1}.draft`), Buffer.alloc(10_000));
  writeFileSync(join(place, "nameless.kv"), Buffer.alloc(10_000));
  const box = await realEngine([{ alias: "lanthorn-demo", path: demo }], { slots: 2, context: 4_096 }, store);
  try {
    const back = await ask(box, goesOn);
    expect(back.cached).toBeGreaterThan(back.prompt * 0.9);
    await ask(box, words(900, "big"));
    expect([...namesIn(place)].filter((name) => /half|nameless/.test(name))).toEqual([]);
    const closing = box.close();
    // In the middle of its saving, or just before or after: all are to be survived.
    process.kill(box.pids[0] ?? -1, "SIGKILL");
    await closing;
  } finally {
    await box.close();
  }
  const next = await life(store, (later) => ask(later, goesOn));
  expect(next.answer).not.toBe("");
  expect([...namesIn(place)].filter((name) => name.endsWith(".draft"))).toEqual([]);
});
