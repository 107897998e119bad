/** The preparation process: what it counts without weights, what it refuses in time, and what its end does to others. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { examineGguf } from "../../../../models/gguf/validate.ts";
import {
  createPreparer,
  type Preparer,
  type StartPreparer,
} from "../../../../server/backends/engine/preparation/preparer.ts";
import type { VocabularyFile } from "../../../../server/backends/engine/preparation/protocol.ts";
import { preparerStarter } from "../../../../server/backends/engine/start-process.ts";
import { systemClock } from "../../../../server/platform/clock.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { demoCopy } from "../../../support/demo-copy.ts";
import { realEngine, silentLog, temporaryFolder, until } from "../../../support/real-engine.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let demo: string;
let file: VocabularyFile;
const preparers: Preparer[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  demo = await demoCopy(folder.path);
  const verdict = await examineGguf(demo);
  if (!verdict.accepted || verdict.summary === null) throw new Error("no demo");
  const { chatTemplate, tokenizer, vocabularySize } = verdict.summary;
  file = { path: demo, chatTemplate, tokenizer, vocabularySize };
});
afterAll(async () => {
  for (const preparer of preparers) preparer.close();
  await folder.remove();
});

function preparing(limits: { silenceLimitMs?: number; templateTimeLimitMs?: number } = {}, start?: StartPreparer) {
  const preparer = createPreparer({
    start: start ?? preparerStarter(silentLog),
    clock: systemClock,
    log: silentLog,
    silenceLimitMs: 10_000,
    startLimitMs: 60_000,
    templateTimeLimitMs: 2_000,
    ...limits,
  });
  preparers.push(preparer);
  return preparer;
}

const chat = (content: string) => ({ type: "chat" as const, messages: [{ role: "user", content }], tools: [] });
const raw = (...prompts: readonly (string | readonly number[])[]) => ({
  type: "raw" as const,
  prompts,
  suffix: null,
  echo: false,
});

describe("one process prepares for every model", () => {
  let preparer: Preparer;
  beforeAll(() => {
    preparer = preparing();
  });

  test("a chat through its template, raw texts without one, token ids as they are", async () => {
    const wish = { file, contextLength: 1_000 };
    const [templated, raws] = await Promise.all([
      preparer.prepare({ ...wish, prompt: chat("hello") }),
      preparer.prepare({ ...wish, prompt: { ...raw("hello", [1, 2, 3]), echo: true } }),
    ]);
    if (!("prompts" in templated) || !("prompts" in raws)) throw new Error("both fit");
    const [text, ids] = raws.prompts;
    expect(templated.prompts[0]?.tokens.join(" ")).toContain(text?.tokens.join(" "));
    expect(text?.echo).toBe("hello");
    expect(ids?.tokens).toEqual([1, 2, 3]);
    expect(ids?.echo).not.toBe("");
  });

  test("what does not fit is counted, and what cannot fit is not even tokenised to its end", async () => {
    const wish = { file, contextLength: 100 };
    const few = await preparer.prepare({ ...wish, prompt: chat("word ".repeat(150)) });
    expect(few).toMatchObject({ tooLong: { exact: true } });
    const huge = await preparer.prepare({ ...wish, prompt: chat("word ".repeat(8_000)) });
    expect(huge).toEqual({ tooLong: { promptTokens: 100, exact: false } });
    // 30 MB never reach the process.
    const absurd = await preparer.prepare({ ...wish, prompt: raw("x".repeat(30_000_000)) });
    expect(absurd).toEqual({ tooLong: { promptTokens: 100, exact: false } });
  });

  test.each([
    ["a token id beyond the vocabulary", () => raw([1, 999_999]), "prompt"],
    ["a suffix, of a model that was not trained for it", () => ({ ...raw("a"), suffix: "b" }), "suffix"],
    ["nothing", () => raw(""), "prompt"],
  ])("refuses %s", async (_what, prompt, param) => {
    const asked = preparer.prepare({ file, contextLength: 100, prompt: prompt() });
    await expect(asked).rejects.toMatchObject({ code: "invalid_request", param });
  });

  test("a vocabulary that cannot be read makes its model unavailable, and the next try looks again", async () => {
    const broken = { ...file, path: `${folder.path}/nothing.gguf` };
    const asked = () => preparer.prepare({ file: broken, contextLength: 100, prompt: chat("x") });
    await expect(asked()).rejects.toMatchObject({ code: "model_unavailable" });
    await expect(asked()).rejects.toMatchObject({ code: "model_unavailable" });
    expect(await preparer.prepare({ file, contextLength: 100, prompt: chat("x") })).toHaveProperty("prompts");
  });
});

describe("a hostile template", () => {
  const bombs = [
    ["loops", "{% for a in range(100000) %}{% for b in range(100000) %}{% set c = a * b %}{% endfor %}{% endfor %}"],
    [
      "builds a huge text",
      "{% set ns = namespace(t='x') %}{% for a in range(100000) %}{% set ns.t = ns.t + 'y' * 1000 %}{{ ns.t[:1] }}{% endfor %}",
    ],
  ] as const;
  let preparer: Preparer;
  beforeAll(() => {
    preparer = preparing({ templateTimeLimitMs: 200 });
  });
  test.each(bombs)("that %s ends at the limit, and the next prompt is prepared", async (_what, chatTemplate) => {
    const startedMs = performance.now();
    const asked = preparer.prepare({
      file: { ...file, path: demo, chatTemplate },
      contextLength: 100,
      prompt: chat("x"),
    });
    await expect(asked).rejects.toMatchObject({ code: "invalid_request" });
    expect(performance.now() - startedMs).toBeLessThan(5 * 5_000);
    expect(await preparer.prepare({ file, contextLength: 100, prompt: raw("x") })).toHaveProperty("prompts");
  });

  test("delays no answer that is running", async () => {
    const box = await realEngine([{ alias: "lanthorn-demo", path: demo }]);
    let longestGapMs = 0;
    const never = new AbortController().signal;
    const running = box.engine.chat(
      chatRequest("hi", { ignoreEos: true }),
      { requestId: "r1", callerName: "a" },
      never,
    );
    const slow = preparing({ templateTimeLimitMs: 3_000 });
    let bomb: Promise<unknown> | null = null;
    let lastMs = 0;
    for await (const event of running) {
      if (event.type !== "text") continue;
      bomb ??= slow
        .prepare({ file: { ...file, chatTemplate: bombs[0][1] }, contextLength: 100, prompt: chat("x") })
        .catch((thrown: unknown) => thrown);
      if (lastMs > 0) longestGapMs = Math.max(longestGapMs, performance.now() - lastMs);
      lastMs = performance.now();
    }
    expect(await bomb).toMatchObject({ code: "invalid_request" });
    expect(longestGapMs).toBeLessThan(3_000);
    await box.close();
  });
});

describe("when the process ends", () => {
  test("SIGKILL: what it held is prepared by the next one", async () => {
    const preparer = preparing();
    await preparer.prepare({ file, contextLength: 100, prompt: raw("a") });
    const pid = preparer.pid;
    const asked = Array.from({ length: 20 }, (_, n) =>
      preparer.prepare({ file, contextLength: 100, prompt: raw(`${n}`) }),
    );
    if (pid !== null) process.kill(pid, "SIGKILL");
    for (const prepared of await Promise.all(asked)) expect(prepared).toHaveProperty("prompts");
    expect(preparer.pid).not.toBe(pid);
  });

  test("SIGSTOP: silence is noticed, and the next one takes over", async () => {
    const preparer = preparing({ silenceLimitMs: 2_000 });
    await preparer.prepare({ file, contextLength: 100, prompt: raw("a") });
    const pid = preparer.pid;
    if (pid !== null) process.kill(pid, "SIGSTOP");
    expect(await preparer.prepare({ file, contextLength: 100, prompt: raw("b") })).toHaveProperty("prompts");
    expect(preparer.pid).not.toBe(pid);
  });

  test("a prompt that was there at two deaths is not tried a third time", async () => {
    let started = 0;
    const dying: StartPreparer = (handlers) => {
      started += 1;
      setImmediate(() => handlers.onExit("exit code 134"));
      return { pid: started, send: () => true, kill: () => {} };
    };
    const asked = preparing({}, dying).prepare({ file, contextLength: 100, prompt: raw("a") });
    await expect(asked).rejects.toMatchObject({ code: "worker_died" });
    expect(started).toBe(2);
  });
});

test("S-05 a prompt that does not fit is refused without loading the weights", async () => {
  const box = await realEngine([{ alias: "lanthorn-demo", path: demo }], { context: 256 });
  const asked = chatRequest("word ".repeat(400));
  const never = new AbortController().signal;
  await expect(collect(box.engine.chat(asked, { requestId: "r1", callerName: "a" }, never))).rejects.toMatchObject({
    code: "context_length_exceeded",
    message: expect.stringMatching(/maximum context length is 256 tokens/),
  });
  expect(await box.engine.count(chatRequest("a few words"))).toBeGreaterThan(5);
  expect(box.pids).toEqual([]);
  expect((await box.engine.models())[0]?.state).toBe("unloaded");
  await collect(box.engine.chat(chatRequest("hi"), { requestId: "r2", callerName: "a" }, never));
  await until("the weights are loaded", async () => (await box.engine.models())[0]?.state === "ready");
  await box.close();
});
