/** The engine over real worker processes and the demo model: what it answers, shares, survives and gives back. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constructDemo, tokenId } from "../../../../models/demo/construct.ts";
import { voices } from "../../../../models/demo/voices.ts";
import { type ChatRequest, isEnd } from "../../../../server/domain/chat.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { demoCopy } from "../../../support/demo-copy.ts";
import { isAlive, type RealEngine, realEngine, temporaryFolder, until } from "../../../support/real-engine.ts";

const never = new AbortController().signal;
let asked = 0;
const context = (callerName = "ayo") => {
  asked += 1;
  return { requestId: `req_${asked}`, callerName };
};
const words = (count: number, word = "word") => Array.from({ length: count }, (_, at) => `${word}${at}`).join(" ");

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let demo: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  demo = await demoCopy(folder.path);
});
afterAll(() => folder.remove());

describe("answers", () => {
  let box: RealEngine;
  beforeAll(async () => {
    box = await realEngine([{ alias: "lanthorn-demo", path: demo }], { context: 4_096 });
  });
  afterAll(() => box.close());
  const ask = (text: string, wishes = {}) => collect(box.engine.chat(chatRequest(text, wishes), context(), never));

  test("S-12 greedy answers are the same every time", async () => {
    const answers = await Promise.all([1, 2, 3, 4].map(() => ask("who are you?")));
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1);
    expect(answers[0]?.end).toMatchObject({ type: "finished", finishReason: "stop" });
  });

  test("S-12 a seed makes sampling repeatable, another seed another answer", async () => {
    const wishes = (seed: number) => ({
      maxTokens: 24,
      ignoreEos: true,
      sampling: { ...chatRequest("").sampling, temperature: 100, topK: 0, topP: 1, minP: 0, seed },
    });
    const [first, again, other] = [await ask("x", wishes(7)), await ask("x", wishes(7)), await ask("x", wishes(8))];
    expect(again.text).toBe(first.text);
    expect(other.text).not.toBe(first.text);
  });

  test("S-12 stop strings end the answer and are not part of it", async () => {
    const whole = await ask("hello");
    const stop = whole.text.slice(10, 18);
    const cut = await ask("hello", { stop: [stop] });
    expect(cut.text).toBe(whole.text.slice(0, whole.text.indexOf(stop)));
    expect(cut.end).toMatchObject({ type: "finished", finishReason: "stop" });
  });

  test("S-12 finish is `length` at the limit, and `ignore_eos` goes on to it", async () => {
    const { end } = await ask("hello", { maxTokens: 100, ignoreEos: true });
    expect(end).toMatchObject({ finishReason: "length", usage: { completionTokens: 100 } });
  });

  test("fills the context to its last token and then ends with `length`, shifting nothing", async () => {
    const { end } = await ask("hello", { ignoreEos: true });
    expect(end).toMatchObject({ type: "finished", finishReason: "length" });
    expect(end.usage.promptTokens + end.usage.completionTokens).toBe(4_096);
  });

  test("S-05 a prompt that does not fit is refused with both figures", async () => {
    await expect(ask(words(3_000))).rejects.toMatchObject({
      code: "context_length_exceeded",
      message: expect.stringMatching(/maximum context length is 4096 tokens/),
    });
  });

  test("a returning conversation computes only what is new", async () => {
    const first = await ask(words(200, "turn"), { maxTokens: 4 });
    const second = await ask(`${words(200, "turn")} and more`, { maxTokens: 4 });
    expect(second.end.usage.cachedTokens).toBeGreaterThan(first.end.usage.promptTokens - 20);
  });

  test("`cache_prompt: false` computes everything", async () => {
    await ask(words(100, "again"), { maxTokens: 1 });
    const fresh = await ask(words(100, "again"), { maxTokens: 1, cachePrompt: false });
    expect(fresh.end.usage.cachedTokens).toBe(0);
  });

  test("several requests with one new prefix compute it once", async () => {
    const prefix = words(400, "burst");
    const answers = await Promise.all([1, 2].map((n) => ask(`${prefix} ${n}`, { maxTokens: 2 })));
    const cached = answers.map((answer) => answer.end.usage.cachedTokens).sort((a, b) => a - b);
    const prompt = answers[0]?.end.usage.promptTokens ?? 0;
    expect(cached[0]).toBeLessThan(prompt / 10);
    expect(cached[1]).toBeGreaterThan(prompt * 0.9);
  });

  test("a prefix that was pushed out of its slot is brought back", async () => {
    const mine = words(300, "mine");
    await ask(mine, { maxTokens: 2 });
    for (const other of ["a", "b", "c"]) await ask(words(300, other), { maxTokens: 2 });
    const back = await ask(`${mine} next`, { maxTokens: 2 });
    expect(back.end.usage.cachedTokens).toBeGreaterThan(back.end.usage.promptTokens * 0.9);
  });

  test("json_object is JSON", async () => {
    const { text, end } = await ask("give me json", { responseFormat: { type: "json-object" }, maxTokens: 400 });
    expect(end).toMatchObject({ finishReason: "stop" });
    expect(JSON.parse(text)).toBeTypeOf("object");
  });

  describe("a required tool", () => {
    const parameters = {
      type: "object",
      properties: { city: { type: "string", enum: ["Paris", "Rome"] }, days: { type: "integer" } },
      required: ["city"],
    };
    const tools = [{ name: "get_weather", description: null, parameters }];
    const forced = async (wishes: Partial<ChatRequest>) => {
      const { events, text, end } = await ask("weather?", { tools, toolChoice: { type: "required" }, ...wishes });
      const calls = events.filter((event) => event.type === "tool-call");
      const json = calls.map(({ index }) =>
        events.map((event) => (event.type === "tool-arguments" && event.index === index ? event.text : "")).join(""),
      );
      return { calls, json, text, end };
    };

    test("is called once when parallel calls are not wanted, with arguments that follow its schema", async () => {
      const { calls, json, text, end } = await forced({ parallelToolCalls: false });
      expect(calls).toMatchObject([{ index: 0, name: "get_weather", id: expect.stringMatching(/^call_\w{22}$/) }]);
      expect(["Paris", "Rome"]).toContain(JSON.parse(json[0] ?? "").city);
      expect(JSON.stringify(JSON.parse(json[0] ?? ""))).toBe(json[0]);
      expect({ text, end }).toMatchObject({ text: "", end: { finishReason: "tool-calls" } });
    });

    test("may be called several times, each with an id of its own, and it comes to an end", async () => {
      const { calls, json, end } = await forced({ toolChoice: { type: "named", name: "get_weather" } });
      expect(calls.length).toBeGreaterThan(1);
      expect(calls.length).toBeLessThanOrEqual(8);
      expect(calls.map((call) => call.index)).toEqual(calls.map((_, at) => at));
      expect(new Set(calls.map((call) => call.id)).size).toBe(calls.length);
      expect(json.every((text) => ["Paris", "Rome"].includes(JSON.parse(text).city))).toBe(true);
      expect(end).toMatchObject({ finishReason: "tool-calls" });
    });

    test("is not cut by a stop string, and is by the token limit", async () => {
      const { json, end } = await forced({ parallelToolCalls: false, stop: ["city", '"'] });
      expect(JSON.parse(json[0] ?? "")).toHaveProperty("city");
      expect(end).toMatchObject({ finishReason: "tool-calls" });
      expect(await forced({ maxTokens: 3 })).toMatchObject({ calls: [], end: { finishReason: "length" } });
    });
  });

  test("logit_bias -100 forbids a token", async () => {
    const model = constructDemo(voices.demo);
    const whole = await ask("hello", { maxTokens: 1 });
    expect(whole.text).toBe("Hello");
    const never100 = new Map([[tokenId(model, "Hello"), -100]]);
    const biased = await ask("hello", { maxTokens: 1, sampling: { ...chatRequest("").sampling, logitBias: never100 } });
    expect(biased.text).not.toBe("Hello");
  });

  // The last one here: the box is closed after it.
  test("leaves no process behind when the box closes", async () => {
    await ask("hi");
    await box.close();
    expect(box.pids.map(isAlive)).toEqual([false]);
  });
});

describe("S-17 abort", () => {
  let box: RealEngine;
  beforeAll(async () => {
    box = await realEngine([{ alias: "lanthorn-demo", path: demo }], { slots: 1, context: 8_192 });
  });
  afterAll(() => box.close());

  const noneBusy = async () => {
    const [model] = await box.engine.models();
    return model?.slots.every((slot) => slot.state === "idle") === true && box.engine.queue().length === 0;
  };

  test("while decoding, in prefill, in the queue and before the load: the slot is free again", async () => {
    const leaving = new AbortController();
    const long = (text: string, signal: AbortSignal) =>
      collect(box.engine.chat(chatRequest(text, { ignoreEos: true, maxTokens: 7_000 }), context(), signal));
    // The first is still waiting for the model to load; the second is in the queue behind it.
    const first = long("hello", leaving.signal);
    const second = long(words(1_500, "queued"), leaving.signal);
    leaving.abort();
    expect([(await first).end.type, (await second).end.type]).toEqual(["aborted", "aborted"]);
    await until("no busy slot", noneBusy);

    const prefill = new AbortController();
    for await (const event of box.engine.chat(chatRequest(words(1_500)), context(), prefill.signal)) {
      if (event.type === "started") prefill.abort();
      if (isEnd(event)) expect(event.type).toBe("aborted");
    }
    await until("no busy slot", noneBusy);
    const { end } = await collect(box.engine.chat(chatRequest("still there?"), context(), never));
    expect(end.type).toBe("finished");
  });

  test("60 clients cut mid-stream leave no busy slot and no queue", async () => {
    const many = await Promise.all(
      Array.from({ length: 60 }, async (_, at) => {
        const leaving = new AbortController();
        const request = chatRequest(`client ${at}`, { ignoreEos: true, maxTokens: 5_000 });
        setTimeout(() => leaving.abort(), at * 5);
        return collect(box.engine.chat(request, context(`client-${at}`), leaving.signal));
      }),
    );
    expect(new Set(many.map((answer) => answer.end.type))).toEqual(new Set(["aborted"]));
    await until("no busy slot", noneBusy);
  });
});

describe("a worker that dies", () => {
  test("S-23 costs only its own requests; the other model and the queue go on; it is restarted", async () => {
    const box = await realEngine(
      [
        { alias: "one", path: demo },
        { alias: "two", path: demo },
      ],
      { slots: 1, context: 8_192 },
    );
    try {
      const endless = (model: string) => chatRequest("hello", { model, ignoreEos: true, maxTokens: 8_000 });
      const warm = await collect(box.engine.chat({ ...endless("one"), maxTokens: 1 }, context(), never));
      expect(warm.end.type).toBe("finished");
      const [victim] = box.pids;
      let killed = false;
      const texts: string[] = [];
      const dying = (async () => {
        for await (const event of box.engine.chat(endless("one"), context(), never)) {
          if (event.type === "text") texts.push(event.text);
          if (!killed && texts.length === 3 && victim !== undefined) {
            killed = true;
            process.kill(victim, "SIGKILL");
          }
          if (isEnd(event)) return event;
        }
        throw new Error("no end");
      })();
      const queued = collect(box.engine.chat({ ...endless("one"), maxTokens: 3 }, context("lin"), never));
      const other = collect(box.engine.chat({ ...endless("two"), maxTokens: 1_500 }, context(), never));

      const end = await dying;
      expect(end).toMatchObject({ type: "failed", failure: { code: "worker_died" } });
      expect(end.usage.completionTokens).toBeGreaterThan(0);
      expect((await queued).end.type).toBe("finished");
      expect((await other).end.type).toBe("finished");
      expect(box.pids.length).toBeGreaterThanOrEqual(3);
    } finally {
      await box.close();
    }
  });

  test("S-23 one that was stopped (SIGSTOP) is noticed and replaced", async () => {
    const box = await realEngine([{ alias: "lanthorn-demo", path: demo }], { watchdogMs: 1_000 });
    try {
      await collect(box.engine.chat(chatRequest("hi"), context(), never));
      const [stopped] = box.pids;
      if (stopped === undefined) throw new Error("no worker");
      process.kill(stopped, "SIGSTOP");
      const { end } = await collect(box.engine.chat(chatRequest("hi"), context(), never)).catch(() => ({
        end: { type: "failed" },
      }));
      // The request that was inside may be lost; the next one is answered by a new process.
      expect(["finished", "failed"]).toContain(end.type);
      const next = await collect(box.engine.chat(chatRequest("hi"), context(), never));
      expect(next.end.type).toBe("finished");
      expect(isAlive(stopped)).toBe(false);
      expect(box.pids.length).toBe(2);
    } finally {
      await box.close();
    }
  });

  test("one that keeps dying is given up, with the reason and a time", async () => {
    const box = await realEngine([{ alias: "lanthorn-demo", path: demo }]);
    try {
      await collect(box.engine.chat(chatRequest("hi"), context(), never));
      for (let crash = 1; crash <= 5; crash += 1) {
        await until(`worker ${crash}`, () => box.pids.length === crash);
        process.kill(box.pids[crash - 1] ?? -1, "SIGKILL");
      }
      await until("given up", async () => (await box.engine.models())[0]?.state === "failed");
      const [model] = await box.engine.models();
      expect(model?.reason).toContain("kept dying");
      expect(model?.until).toBeGreaterThan(Date.now());
      const answer = collect(box.engine.chat(chatRequest("hi"), context(), never));
      await expect(answer).rejects.toMatchObject({ code: "model_unavailable", retryAfterSeconds: 60 });
    } finally {
      await box.close();
    }
  });
});
