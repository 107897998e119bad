/**
 * A conversation comes back after its worker ended, over real worker processes, the real engine and the demo model: it computes
 * only what is new, or everything, and never something else.
 */
import {
  copyFileSync,
  cpSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constructDemo, tokenId } from "../../../../models/demo/construct.ts";
import { swapOutputRows } from "../../../../models/demo/file.ts";
import { voices } from "../../../../models/demo/voices.ts";
import { headerOf, namesIn, storedFiles } from "../../../../server/backends/engine/kv-store/folders.ts";
import type { KvStoreOptions } from "../../../../server/backends/engine/kv-store/kv-store.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { demoCopy } from "../../../support/demo-copy.ts";
import { full } from "../../../support/full.ts";
import { type RealEngine, realEngine, temporaryFolder as asyncFolder, until } from "../../../support/real-engine.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const never = new AbortController().signal;
let asked = 0;
const words = (count: number, word = "word") => Array.from({ length: count }, (_, at) => `${word}${at}`).join(" ");
const conversation = words(300, "turn");
const goesOn = `${conversation} and more`;
const names = ["one", "two", "three", "four"];

let folder: Awaited<ReturnType<typeof asyncFolder>>;
let demo: string;
/** A store in which `conversation` was left by somebody of the shared group; in full, one with a conversation of each name. */
let withOne: string;
let withFour: string;
/** What `goesOn` is answered when all of it is computed; in full, what the four are. */
let fresh: Answered;
let freshFour: readonly Answered[];
beforeAll(async () => {
  folder = await asyncFolder();
  demo = await demoCopy(folder.path);
  withOne = join(folder.path, "one");
  withFour = join(folder.path, "four");
  await Promise.all([
    life({ mode: "disk", folder: withOne }, (box) => ask(box, conversation)),
    full &&
      life({ mode: "disk", folder: withFour }, async (box) => {
        for (const name of names) await ask(box, words(300, name));
      }),
    life({ mode: "off" }, async (box) => {
      fresh = await ask(box, goesOn);
      if (full) freshFour = await askFour(box);
    }),
  ]);
}, 120_000);
afterAll(() => folder.remove());

interface LifeWishes {
  readonly path?: string;
  readonly slots?: number;
}

/** One life of a server: a box, what it is asked, its end. */
async function life<Result>(
  store: Partial<KvStoreOptions>,
  work: (box: RealEngine) => Promise<Result>,
  { path = demo, slots = 4 }: LifeWishes = {},
): Promise<Result> {
  const box = await realEngine([{ alias: "lanthorn-demo", path }], { slots, context: 4_096 }, store);
  try {
    return await work(box);
  } finally {
    await box.close();
  }
}

interface Answered {
  readonly answer: string;
  readonly cached: number;
  readonly prompt: number;
}

async function ask(box: RealEngine, text: string, sharingGroup?: string): Promise<Answered> {
  asked += 1;
  const group = sharingGroup === undefined ? {} : { sharingGroup };
  const context = { requestId: `req_${asked}`, callerName: "ayo", ...group };
  const { text: answer, end } = await collect(box.engine.chat(chatRequest(text, { maxTokens: 24 }), context, never));
  if (end.type !== "finished") throw new Error(`ended as ${end.type}`);
  return { answer, cached: end.usage.cachedTokens, prompt: end.usage.promptTokens };
}

/** The four conversations go on. */
async function askFour(box: RealEngine): Promise<readonly Answered[]> {
  const answers: Answered[] = [];
  for (const name of names) answers.push(await ask(box, `${words(300, name)} and more`));
  return answers;
}

/** A copy for one test, to be damaged at will. */
function storeLike(left: string): { readonly mode: "disk"; readonly folder: string } {
  const copy = join(temporaryFolder(), "kv");
  cpSync(left, copy, { recursive: true, preserveTimestamps: true });
  return { mode: "disk", folder: copy };
}

function expectFound({ cached, prompt }: Answered): void {
  expect(cached).toBeGreaterThan(prompt * 0.9);
}

const pathsIn = (store: { readonly folder: string }) => storedFiles(store.folder).map(({ path }) => path);

const testInFull = full ? test : () => {};

describe("a conversation that comes back after a restart", () => {
  test("computes only what is new, and gets the same answer as if it had been computed", async () => {
    const [path = ""] = pathsIn({ folder: withOne });
    const modes = [path, headerOf(path), dirname(path)].map((name) => (statSync(name).mode & 0o777).toString(8));
    expect(modes).toEqual(["600", "600", "700"]);
    expect(fresh.cached).toBe(0);
    const back = await life(storeLike(withOne), (box) => ask(box, goesOn));
    expectFound(back);
    expect(back.answer).toBe(fresh.answer);
  });

  testInFull(
    "computes everything, to the same answer, when the state is changed, cut short, emptied or without its header",
    async () => {
      const store = storeLike(withFour);
      const [changed = "", cut = "", emptied = "", nameless = ""] = pathsIn(store);
      const bytes = readFileSync(changed);
      const at = bytes.length >> 1;
      bytes[at] = (bytes[at] ?? 0) ^ 0xff;
      writeFileSync(changed, bytes);
      truncateSync(cut, 5_000);
      truncateSync(emptied, 0);
      renameSync(headerOf(nameless), join(store.folder, "elsewhere"));
      const back = await life(store, askFour);
      expect(back.map(({ cached }) => cached < 64)).toEqual([true, true, true, true]);
      expect(back.map(({ answer }) => answer)).toEqual(freshFour.map(({ answer }) => answer));
      // What was damaged has been replaced by what was computed.
      for (const answered of await life(store, askFour)) expectFound(answered);
      expect(pathsIn(store)).not.toContain(changed);
    },
  );

  testInFull("computes everything when another model's state was put in its place", async () => {
    const second = await demoCopy(folder.path, "second");
    const store = storeLike(withOne);
    const [own = ""] = pathsIn(store);
    await life(store, (box) => ask(box, conversation), { path: second });
    const foreign = pathsIn(store).find((path) => path !== own) ?? "";
    // Its bytes under our header, and both of its files under another name.
    copyFileSync(foreign, own);
    copyFileSync(foreign, join(dirname(own), "moved.kv"));
    copyFileSync(headerOf(foreign), join(dirname(own), "moved.json"));
    expect(await life(store, (box) => ask(box, goesOn))).toEqual(fresh);
  });

  testInFull("computes everything when the model was replaced under its name", async () => {
    const path = join(temporaryFolder(), "model.gguf");
    copyFileSync(demo, path);
    const store = { mode: "disk", folder: join(temporaryFolder(), "kv") } as const;
    await life(store, (box) => ask(box, conversation), { path });
    const [before] = pathsIn(store);
    expect(before).toBeDefined();
    const model = constructDemo(voices.demo);
    await swapOutputRows(path, tokenId(model, "Hello"), tokenId(model, "!"));
    expect((await life(store, (box) => ask(box, goesOn), { path })).cached).toBe(0);
    expect(pathsIn(store)).not.toContain(before);
  });

  testInFull("computes everything with other slots: the engine takes no such state", async () => {
    expect(await life(storeLike(withOne), (box) => ask(box, goesOn), { slots: 1 })).toEqual(fresh);
  });
});

testInFull(
  "a worker that dies loses only what was not saved yet: the next one finds the rest in memory, and the end frees it",
  async () => {
    const memoryFolder = temporaryFolder();
    const back = await life(
      { mode: "ram", memoryFolder },
      async (box) => {
        await ask(box, conversation);
        // Out of its slot, and so into memory.
        await ask(box, words(300, "other"));
        await until("it is saved", () => memoryFiles(memoryFolder).some((path) => path.endsWith(".kv")));
        process.kill(box.pids[0] ?? -1, "SIGKILL");
        await until("there is another worker", () => box.pids.length === 2);
        return ask(box, goesOn);
      },
      { slots: 1 },
    );
    expectFound(back);
    expect(memoryFiles(memoryFolder)).toEqual([]);
  },
);

/** Files of the store in memory: one folder per server lies in there. */
function memoryFiles(folder: string): readonly string[] {
  return namesIn(folder).flatMap((name) => storedFiles(join(folder, name)).map(({ path }) => path));
}

describe("sharing groups", () => {
  test("a key that keeps apart finds nothing of others, in slots and on disk, and what is its own", async () => {
    const store = storeLike(withOne);
    await life(store, async (box) => {
      expect((await ask(box, goesOn, "key-7")).cached).toBe(0);
      expect((await ask(box, goesOn, "key-8")).cached).toBe(0);
      expectFound(await ask(box, goesOn, "key-8"));
      expectFound(await ask(box, goesOn));
    });
    await life(store, async (box) => {
      expectFound(await ask(box, goesOn, "key-7"));
      box.engine.forget("key-7");
      box.kvStore.dropGroup("key-7");
    });
    // What its slot held was not saved again.
    expect(pathsIn(store).map((path) => basename(dirname(path)))).not.toContain("key-7");
    expect(pathsIn(store).map((path) => basename(dirname(path)))).toContain("key-8");
  });
});

testInFull("off keeps nothing: not out of a slot, not at the end, and not what was there before", async () => {
  const { folder: left } = storeLike(withOne);
  const memoryFolder = temporaryFolder();
  const off = { mode: "off", folder: left, memoryFolder } as const;
  await life(
    off,
    async (box) => {
      expect((await ask(box, goesOn)).cached).toBe(0);
      await ask(box, words(300, "other"));
      expect((await ask(box, goesOn)).cached).toBeLessThan(64);
    },
    { slots: 1 },
  );
  expect([namesIn(left), namesIn(memoryFolder)]).toEqual([[], []]);
});

testInFull("over the limit the conversations used longest ago go", async () => {
  const store = storeLike(withFour);
  const bytes = storedFiles(store.folder)[0]?.bytes ?? 0;
  for (const [at, path] of pathsIn(store).entries()) utimesSync(path, 1_000 + at, 1_000 + at);
  const [first = "", second = "", third = "", fourth = ""] = pathsIn(store);
  // Room for three and a half, and a fifth comes.
  await life({ ...store, storeBytes: bytes * 3.5 }, (box) => ask(box, words(300, "five")));
  const left = pathsIn(store);
  expect([first, second, third, fourth].map((path) => left.includes(path))).toEqual([false, false, true, true]);
  expect(left).toHaveLength(3);
});

testInFull("a worker killed while it saves leaves nothing that the next start trips over", async () => {
  const store = storeLike(withOne);
  const place = dirname(pathsIn(store)[0] ?? "");
  // What a kill leaves: a draft of a process that is gone, a state that has no header yet.
  writeFileSync(join(place, `half.${2 ** 22 + 1}.draft`), Buffer.alloc(10_000));
  writeFileSync(join(place, "nameless.kv"), Buffer.alloc(10_000));
  const box = await realEngine([{ alias: "lanthorn-demo", path: demo }], { slots: 4, context: 4_096 }, store);
  try {
    expectFound(await ask(box, goesOn));
    expect(namesIn(place).filter((name) => /half|nameless/.test(name))).toEqual([]);
    await ask(box, words(900, "big"));
    const closing = box.close();
    // In the middle of its saving, or just before or after: all are to be survived.
    process.kill(box.pids[0] ?? -1, "SIGKILL");
    await closing;
  } finally {
    await box.close();
  }
  expectFound(await life(store, (later) => ask(later, goesOn)));
  expect(namesIn(place).filter((name) => name.endsWith(".draft"))).toEqual([]);
});
