/** Models coming into memory and leaving it, over real worker processes: who waits, who is spared, what is given back. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PlanLoad } from "../../../../server/domain/fit/load-plan.ts";
import { simplePlan } from "../../../../server/backends/engine/load-plan.ts";
import type { EngineSettings } from "../../../../server/backends/engine/model-host.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { demoCopy } from "../../../support/demo-copy.ts";
import { full } from "../../../support/full.ts";
import { decoderModel } from "../../../support/pooled-models.ts";
import {
  isAlive,
  modelFile,
  type RealEngine,
  realEngine,
  temporaryFolder,
  testSettings,
  until,
} from "../../../support/real-engine.ts";
import { keepBusy } from "../../../support/busy-model.ts";

const never = new AbortController().signal;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let demo: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  demo = await demoCopy(folder.path);
});
afterAll(() => folder.remove());

/** Each model takes one byte, and there is room for `room` of them. */
const onePerModel =
  (settings: EngineSettings = testSettings): PlanLoad =>
  (file) => ({ ...simplePlan(settings)(file), footprint: { ramBytes: 1, vramBytes: 0 } });

async function box(
  aliases: readonly string[],
  room: number,
  settings: Partial<EngineSettings> = {},
): Promise<RealEngine & { ask(model: string, signal?: AbortSignal): ReturnType<typeof collect> }> {
  const models = aliases.map((alias) => ({ alias, path: demo }));
  const capacity = { ramBytes: room, vramBytes: 0, totalBytes: room };
  const all = { ...testSettings, context: 32_768, ...settings };
  const engine = await realEngine(models, all, { capacity, plan: onePerModel(all) });
  let asked = 0;
  return {
    ...engine,
    ask: (model, signal = never) => {
      asked += 1;
      const context = { requestId: `req_${asked}`, callerName: "lin" };
      return collect(engine.engine.chat(chatRequest("hi", { model, maxTokens: 2 }), context, signal));
    },
  };
}

/** Most tests share one box with two models and room for one; each begins with nothing loaded. */
let shared: Awaited<ReturnType<typeof box>>;
beforeAll(async () => {
  shared = await box(["one", "two"], 1);
});
afterAll(() => shared.close());

/** The shared box with nothing loaded, and the workers that are started from now on. */
async function emptied() {
  for (const { id, state } of await shared.engine.models()) if (state !== "unloaded") shared.engine.unload(id, true);
  await until("nothing is loaded", async () =>
    (await shared.engine.models()).every(({ state }) => state === "unloaded"),
  );
  const [firstWorker, firstSent] = [shared.pids.length, shared.sent.length];
  return {
    ...shared,
    workers: () => shared.pids.slice(firstWorker),
    get sent() {
      return shared.sent.slice(firstSent);
    },
  };
}

const stateOf = async ({ engine }: Pick<RealEngine, "engine">, alias: string) => (await engine.model(alias)).state;

/** No request was sent to a worker after it had been told to end. */
function expectNoneSentToTheEnding({ sent }: Pick<RealEngine, "sent">): void {
  const ending = new Set<number>();
  for (const { pid, type } of sent) {
    if (type === "shutdown") ending.add(pid);
    else if (type === "generate" || type === "embed") expect(ending).not.toContain(pid);
  }
}

const describeInFull = full ? describe : () => {};
const testInFull = full ? test : () => {};

describe("S-20 a swap", () => {
  test("waits for the busy model, serves all who still wait in one go, and sends nothing to a worker that ends", async () => {
    const here = await emptied();
    const busy = await keepBusy(here.engine, "one", "busy");
    const leaving = new AbortController();
    const left = here.ask("two", leaving.signal);
    const waiting = ["two", "two", "two"].map((model) => here.ask(model));
    await until("four wait", async () => (await here.engine.model("two")).waiting === 4);
    leaving.abort();
    expect((await left).end.type).toBe("aborted");
    const before = busy.tokens();
    await until("the busy one goes on", () => busy.tokens() > before + 20);
    expect(await stateOf(here, "one")).toBe("ready");
    expect((await here.engine.model("two")).reason).toBe("3 requests wait for room; one is answering");
    await busy.stop();
    const answers = await Promise.all(waiting);
    expect(answers.map(({ end }) => end.type)).toEqual(["finished", "finished", "finished"]);
    expect(here.workers()).toHaveLength(2);
    expect(isAlive(here.workers()[0] ?? -1)).toBe(false);
    expectNoneSentToTheEnding(here);
  });

  test("does not happen when all who waited for it have left: the busy model stays, and answers without a load", async () => {
    const here = await emptied();
    const busy = await keepBusy(here.engine, "one", "busy");
    const leaving = new AbortController();
    const [first, second] = [here.ask("two", leaving.signal), here.ask("two", leaving.signal)];
    await until("two wait", async () => (await here.engine.model("two")).waiting === 2);
    leaving.abort();
    expect([(await first).end.type, (await second).end.type]).toEqual(["aborted", "aborted"]);
    await busy.stop();
    expect((await here.ask("one")).end.type).toBe("finished");
    expect(here.workers()).toHaveLength(1);
  });

  test("a request that comes while its model is leaving has it back, without a failure", async () => {
    const here = await emptied();
    await here.ask("one");
    here.engine.unload("one", false);
    expect(await stateOf(here, "one")).toBe("stopping");
    expect((await here.ask("one")).end.type).toBe("finished");
    expect(here.workers()).toHaveLength(2);
    expectNoneSentToTheEnding(here);
  });

  test("forty interleaved requests to two models that do not fit together: no failure, and few swaps", async () => {
    const here = await box(["one", "two"], 1, { minimumStayMs: 100, slots: 4 });
    try {
      const answers = await Promise.all(Array.from({ length: 40 }, (_, at) => here.ask(at % 2 === 0 ? "one" : "two")));
      expect(answers.filter(({ end }) => end.type !== "finished")).toEqual([]);
      // All that waits for a model is served before the next swap: one load each is enough.
      expect(here.pids.length).toBeLessThanOrEqual(4);
      expectNoneSentToTheEnding(here);
    } finally {
      await here.close();
    }
  });

  testInFull("an embedding model and a chat model take turns too", async () => {
    const models = [
      { alias: "chat", path: demo },
      { alias: "vectors", path: await decoderModel(folder.path, "mean") },
    ];
    const here = await realEngine(
      models,
      {},
      { capacity: { ramBytes: 1, vramBytes: 0, totalBytes: 1 }, plan: onePerModel() },
    );
    try {
      for (let round = 0; round < 2; round += 1) {
        const context = { requestId: `req_${round}`, callerName: "lin" };
        const request = { model: "vectors", inputs: [{ type: "text" as const, text: "hello" }], dimensions: null };
        const types: string[] = [];
        for await (const { type } of here.engine.embed(request, context, never)) types.push(type);
        expect(types).toEqual(["result", "finished"]);
        const chat = chatRequest("hi", { model: "chat", maxTokens: 1 });
        expect((await collect(here.engine.chat(chat, context, never))).end.type).toBe("finished");
      }
      expect(here.pids).toHaveLength(4);
      expectNoneSentToTheEnding(here);
    } finally {
      await here.close();
    }
  });
});

describe("S-17 abort during a load", () => {
  test("the one that stays is served, and only one worker was started", async () => {
    const here = await emptied();
    const leaving = new AbortController();
    const first = here.ask("one", leaving.signal);
    const second = here.ask("one");
    await until("it loads", async () => (await stateOf(here, "one")) === "loading");
    leaving.abort();
    expect((await first).end.type).toBe("aborted");
    expect((await second).end.type).toBe("finished");
    expect(here.workers()).toHaveLength(1);
  });

  testInFull("when all have left, the load finishes and the next request finds the model there", async () => {
    const here = await emptied();
    const leaving = new AbortController();
    const first = here.ask("one", leaving.signal);
    await until("it loads", async () => (await stateOf(here, "one")) === "loading");
    leaving.abort();
    expect((await first).end.type).toBe("aborted");
    expect((await here.ask("one")).end.type).toBe("finished");
    expect(here.workers()).toHaveLength(1);
  });
});

describe("keep-alive", () => {
  test("S-21 an unused model leaves, its process with it; one that answers stays", async () => {
    const here = await box(["one"], 1, { keepAliveMs: 300 });
    try {
      const busy = await keepBusy(here.engine, "one", "busy");
      await new Promise((resolve) => setTimeout(resolve, 900));
      expect(await stateOf(here, "one")).toBe("ready");
      expect((await here.engine.model("one")).until).toBeNull();
      await busy.stop();
      const { until: unloadsAt } = await here.engine.model("one");
      expect(unloadsAt).toBeGreaterThan(Date.now() - 1_500);
      await until("it leaves", async () => (await stateOf(here, "one")) === "unloaded");
      expect(here.pids.map(isAlive)).toEqual([false]);
      expect((await here.engine.model("one")).reason).toBe("nobody used it");
    } finally {
      await here.close();
    }
  });

  testInFull("a pin, and a file's own time, go before the setting", async () => {
    const here = await box([], 3, { keepAliveMs: 100 });
    try {
      const file = await modelFile("pinned", demo);
      here.engine.setFiles([
        { ...file, pin: true },
        { ...file, alias: "always", keepAliveMs: null },
        { ...file, alias: "usual" },
      ]);
      for (const alias of ["pinned", "always", "usual"]) await here.ask(alias);
      await until("the usual one leaves", async () => (await stateOf(here, "usual")) === "unloaded");
      expect([await stateOf(here, "pinned"), await stateOf(here, "always")]).toEqual(["ready", "ready"]);
      here.engine.pin("pinned", false);
      await until("it leaves when it is not pinned", async () => (await stateOf(here, "pinned")) === "unloaded");
    } finally {
      await here.close();
    }
  });
});

describe("room", () => {
  test("a pinned model is not pushed out: the other is refused, with the reason and a time", async () => {
    const here = await emptied();
    await here.ask("one");
    here.engine.pin("one", true);
    await expect(here.ask("two")).rejects.toMatchObject({
      code: "no_room",
      message: 'There is no room for "two": it needs 1 MiB, and one is pinned.',
      retryAfterSeconds: 60,
    });
    here.engine.pin("one", false);
    expect((await here.ask("two")).end.type).toBe("finished");
  });

  testInFull("what is larger than everything is refused with both figures", async () => {
    const gibibyte = 2 ** 30;
    const footprint = { ramBytes: 12 * gibibyte, vramBytes: 0 };
    const plan: PlanLoad = (file) => ({ ...simplePlan(testSettings)(file), footprint });
    const capacity = { ramBytes: 64 * gibibyte, vramBytes: 0, totalBytes: 8 * gibibyte };
    const here = await realEngine([{ alias: "large", path: demo }], {}, { capacity, plan });
    try {
      const asked = here.engine.chat(chatRequest("hi", { model: "large" }), { requestId: "r", callerName: "l" }, never);
      await expect(collect(asked)).rejects.toMatchObject({
        code: "no_room",
        message:
          'There is no room for "large": it needs 12.0 GiB, and models may take 8.0 GiB here (engine.memoryLimit).',
      });
      expect(here.pids).toEqual([]);
    } finally {
      await here.close();
    }
  });

  testInFull("a plan that refuses is told as it is, and nothing is loaded", async () => {
    const footprint = { ramBytes: 0, vramBytes: 24 * 2 ** 30 };
    const reason = "It needs a GPU with 24 GiB, and there is none.";
    const plan: PlanLoad = () => ({ type: "refuse", footprint, reason, alternatives: [] });
    const here = await realEngine([{ alias: "large", path: demo }], {}, { plan });
    try {
      await expect(here.engine.load("large", never)).rejects.toMatchObject({
        code: "no_room",
        message: '"large" cannot be loaded here. It needs a GPU with 24 GiB, and there is none.',
      });
      expect(here.pids).toEqual([]);
    } finally {
      await here.close();
    }
  });

  test("what is loaded ahead pushes nobody out", async () => {
    const here = await emptied();
    await here.ask("one");
    here.engine.preload("two");
    expect([await stateOf(here, "one"), await stateOf(here, "two")]).toEqual(["ready", "unloaded"]);
  });

  testInFull("a worker that dies keeps its room, and is back in it", async () => {
    const here = await emptied();
    await here.ask("one");
    process.kill(here.workers()[0] ?? -1, "SIGKILL");
    await until("a second worker", () => here.workers().length === 2);
    await until("it is back", async () => (await stateOf(here, "one")) === "ready");
    expect((await here.ask("two")).end.type).toBe("finished");
    expect(here.workers().map(isAlive)).toEqual([false, false, true]);
  });
});

describeInFull("the admin", () => {
  test("a model in use is not unloaded, unless it may finish first; one that waits in its queue is in use too", async () => {
    const here = await box(["one"], 1, { slots: 1 });
    try {
      const busy = await keepBusy(here.engine, "one", "busy");
      const queued = here.ask("one");
      await until("it queues", () => here.engine.queue().length === 1);
      expect(() => here.engine.unload("one", false)).toThrow(
        expect.objectContaining({ code: "model_busy", message: '"one" is in use: 2 requests use it.' }),
      );
      here.engine.unload("one", true);
      expect(await stateOf(here, "one")).toBe("ready");
      await busy.stop();
      expect((await queued).end.type).toBe("finished");
      await until("it is unloaded", async () => (await stateOf(here, "one")) === "unloaded");
      expect(here.pids.map(isAlive)).toEqual([false]);
      expectNoneSentToTheEnding(here);
    } finally {
      await here.close();
    }
  });

  test("load brings a model in, unload takes it out while it still loads", async () => {
    const here = await emptied();
    await here.engine.load("one", never);
    expect(await stateOf(here, "one")).toBe("ready");
    here.engine.unload("one", false);
    await until("it is out", async () => (await stateOf(here, "one")) === "unloaded");
    here.engine.preload("one");
    await until("it loads", () => here.workers().length === 2);
    here.engine.unload("one", false);
    await until("it is out again", async () => (await stateOf(here, "one")) === "unloaded");
    await until("its process is gone", () =>
      here
        .workers()
        .map(isAlive)
        .every((alive) => !alive),
    );
    expect((await here.ask("one")).end.type).toBe("finished");
  });
});

describeInFull("files that come and go", () => {
  test("a new one can be asked for; a running answer of one that is gone ends as it would", async () => {
    const here = await box(["one"], 2);
    try {
      const busy = await keepBusy(here.engine, "one", "busy");
      here.engine.setFiles([await modelFile("two", demo)]);
      expect(here.engine.served().map(({ alias }) => alias)).toEqual(["two"]);
      await expect(here.ask("one")).rejects.toMatchObject({ code: "model_not_found" });
      expect((await here.ask("two")).end.type).toBe("finished");
      const before = busy.tokens();
      await until("it goes on", () => busy.tokens() > before + 20);
      expect(await busy.stop()).toBe("aborted");
      await until("its process is gone", () => !isAlive(here.pids[0] ?? -1));
    } finally {
      await here.close();
    }
  });

  test("another file under the same name takes its place, and both are counted while both are there", async () => {
    const here = await box(["one"], 1);
    try {
      const busy = await keepBusy(here.engine, "one", "busy");
      const file = await modelFile("one", demo);
      here.engine.setFiles([{ ...file, createdAtMs: 1 }]);
      const next = here.ask("one");
      await until("it waits for the old one's room", async () => (await here.engine.model("one")).waiting === 1);
      await busy.stop();
      expect((await next).end.type).toBe("finished");
      expect(here.pids.map(isAlive)).toEqual([false, true]);
    } finally {
      await here.close();
    }
  });
});
