/** Vectors and scores of real worker processes, held to those of the bare library; aborts, turns and bounds. */
import { fileURLToPath } from "node:url";
import { spawnSync } from "node:child_process";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { EmbedInput } from "../../../../server/domain/embedding.ts";
import { full } from "../../../support/full.ts";
import { bareScores, bareVectors, farthest } from "../../../support/bare-embedder.ts";
import { decoderModel, encoderModel } from "../../../support/pooled-models.ts";
import { type RealEngine, realEngine, temporaryFolder, until } from "../../../support/real-engine.ts";
import { collectWhole, resultOf } from "../../../support/whole-answer.ts";

const never = new AbortController().signal;
let asked = 0;
const context = (callerName = "ayo") => {
  asked += 1;
  return { requestId: `req_${asked}`, callerName };
};
const text = (words: string): EmbedInput => ({ type: "text", text: words });
const texts = [
  "hello world",
  "A lantern for the LAN: one box, shared.",
  "read the file and explain how the configuration is loaded",
  "x",
];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeAll(async () => {
  folder = await temporaryFolder();
});
afterAll(() => folder.remove());

const models = {
  "encoder-mean": () => encoderModel(folder.path, "mean"),
  "encoder-cls": () => encoderModel(folder.path, "cls"),
  "encoder-none": () => encoderModel(folder.path, "none"),
  "decoder-last": () => decoderModel(folder.path, "last"),
  "decoder-mean": () => decoderModel(folder.path, "mean"),
};

/** An encoder and a decoder; in full, every way to pool. */
const looked = Object.keys(models).filter((name) => full || name === "encoder-mean" || name === "decoder-last");
const rankers = {
  ranker: () => encoderModel(folder.path, "rank"),
  "yes-ranker": () => decoderModel(folder.path, "rank"),
};

/** One box with all of them: a model is loaded when it is first asked. */
let box: RealEngine;
const paths = new Map<string, string>();
beforeAll(async () => {
  for (const [alias, write] of Object.entries({ ...models, ...rankers })) {
    if (looked.includes(alias) || alias in rankers) paths.set(alias, await write());
  }
  box = await realEngine(
    [...paths].map(([alias, path]) => ({ alias, path })),
    { context: 2_048 },
  );
});
afterAll(() => box.close());

describe.each(looked)("S-10 %s", (alias) => {
  const embed = (inputs: readonly EmbedInput[], dimensions: number | null = null) =>
    resultOf(box.engine.embed({ model: alias, inputs, dimensions }, context(), never));

  test("gives the bare library's vectors, of length 1, the same every time", async () => {
    const ours = await embed(texts.map(text));
    expect(farthest(ours, await bareVectors(paths.get(alias) ?? "", texts))).toBeLessThan(1e-5);
    for (const vector of ours) expect(Math.hypot(...vector)).toBeCloseTo(1, 5);
    expect(farthest(await embed(texts.map(text)), ours)).toBe(0);
  });

  test("says once when it begins to be computed, for whoever meters that", async () => {
    let begun = 0;
    const metered = { ...context(), computing: () => (begun += 1) };
    await resultOf(box.engine.embed({ model: alias, inputs: texts.map(text), dimensions: null }, metered, never));
    expect(begun).toBe(1);
  });

  test("a batch of 256 is what its inputs are one by one", async () => {
    const many = Array.from({ length: 256 }, (_, index) => text(`text number ${index}: ${texts[index % 4]}`));
    const batch = await embed(many);
    const some = [0, 1, 100, 255];
    const single = await Promise.all(some.map(async (index) => (await embed([many[index] ?? text("")]))[0]));
    const expected = some.map((index) => batch[index] ?? []);
    expect(batch).toHaveLength(256);
    expect(
      farthest(
        expected,
        single.map((vector) => vector ?? []),
      ),
    ).toBeLessThan(1e-5);
  });
});

describe("what is asked beside the text", () => {
  const embed = (model: string, inputs: readonly EmbedInput[], dimensions: number | null = null) =>
    box.engine.embed({ model, inputs, dimensions }, context(), never);

  test("dimensions cut and bring to length 1 again; more than there are is refused", async () => {
    const [whole] = await resultOf(embed("encoder-mean", [text("hello")]));
    const [cut] = await resultOf(embed("encoder-mean", [text("hello")], 8));
    const head = Array.from(whole ?? []).slice(0, 8);
    const length = Math.hypot(...head);
    expect(farthest([cut ?? []], [head.map((value) => value / length)])).toBeLessThan(1e-6);
    expect(farthest(await resultOf(embed("encoder-mean", [text("hello")], 64)), [whole ?? []])).toBeLessThan(1e-6);
    await expect(resultOf(embed("encoder-mean", [text("hello")], 65))).rejects.toMatchObject({
      code: "invalid_request",
      param: "dimensions",
    });
  });

  test("tokens are taken as they are and closed as text is; unknown ones are refused by place", async () => {
    // In the encoder's vocabulary [CLS] is 2 and [SEP] 3; given or not, the vector is the same.
    const tokens = (...ids: readonly number[]): EmbedInput => ({ type: "tokens", tokens: ids });
    const [bare, closed] = await resultOf(embed("encoder-mean", [tokens(200, 201), tokens(2, 200, 201, 3)]));
    expect(farthest([bare ?? []], [closed ?? []])).toBe(0);
    await expect(resultOf(embed("encoder-mean", [text("a"), tokens(5, 1_000_000)]))).rejects.toMatchObject({
      code: "invalid_request",
      param: "input[1][1]",
    });
  });

  test("what looks like a special token in a text is text", async () => {
    const [first, second] = await resultOf(embed("decoder-last", [text("a<|im_end|>"), text("a<|im_end|>")]));
    const { end } = await collectWhole(embed("decoder-last", [text("a<|im_end|>")]));
    expect(end.usage.promptTokens).toBeGreaterThan(3);
    expect(farthest([first ?? []], [second ?? []])).toBe(0);
  });

  test("S-05 an input that does not fit is refused with its place and both figures; nothing is cut", async () => {
    const long = text("the ".repeat(600));
    await expect(resultOf(embed("encoder-mean", [text("a"), text("b"), long]))).rejects.toMatchObject({
      code: "context_length_exceeded",
      param: "input[2]",
      message: expect.stringMatching(/maximum context length is 512 tokens .*input\[2\] has 602/),
    });
    // To the last token it may be full: 510 words, [CLS] and [SEP].
    const { end } = await collectWhole(embed("encoder-mean", [text("the ".repeat(510))]));
    expect(end).toMatchObject({ type: "finished", usage: { promptTokens: 512 } });
  });

  test("a text too long to be counted is refused at once", async () => {
    await expect(resultOf(embed("encoder-mean", [text("a"), text("x".repeat(300_000))]))).rejects.toMatchObject({
      code: "context_length_exceeded",
      param: "input[1]",
      message: expect.stringContaining("300000 characters"),
    });
  });

  test.each(["ranker", "yes-ranker"])(
    "S-10 %s gives the scores of the bare library's ranking context",
    async (model) => {
      const documents = texts.map((one) => one.toLowerCase());
      const answer = box.engine.rerank({ model, query: "hello there", documents }, context(), never);
      const { result, end } = await collectWhole(answer);
      const bare = await bareScores(paths.get(model) ?? "", "hello there", documents);
      expect(farthest([result ?? []], [bare])).toBeLessThan(1e-5);
      expect(new Set(result).size).toBe(documents.length);
      expect(end.usage.promptTokens).toBeGreaterThan(documents.length * 4);
    },
  );

  test("S-05 a document that does not fit beside its query is refused with its place", async () => {
    const documents = ["a", "the ".repeat(600)];
    const answer = box.engine.rerank({ model: "ranker", query: "q", documents }, context(), never);
    await expect(resultOf(answer)).rejects.toMatchObject({ code: "context_length_exceeded", param: "documents[1]" });
  });

  test("a model is never asked for what it was not made for", async () => {
    await expect(resultOf(embed("ranker", [text("a")]))).rejects.toMatchObject({ param: "model" });
    const rerank = box.engine.rerank({ model: "encoder-mean", query: "q", documents: ["d"] }, context(), never);
    await expect(resultOf(rerank)).rejects.toMatchObject({ code: "invalid_request", param: "model" });
    const wrongCount = box.engine.count({ ...({} as Parameters<typeof box.engine.count>[0]), model: "encoder-mean" });
    await expect(wrongCount).rejects.toMatchObject({ code: "invalid_request", param: "model" });
  });
});

const testInFull = full ? test : () => {};

testInFull(
  "an input longer than a step is computed in pieces, up to what another order of adding changes",
  async () => {
    const long = texts.join(" ").repeat(8);
    for (const pooling of ["last", "mean"] as const) {
      const path = await decoderModel(folder.path, pooling);
      const box = await realEngine([{ alias: "m", path }], { batchSize: 32, context: 512 });
      try {
        const answer = box.engine.embed({ model: "m", inputs: [text(long)], dimensions: null }, context(), never);
        const { result, end } = await collectWhole(answer);
        expect(end.usage.promptTokens).toBeGreaterThan(128);
        const whole = await bareVectors(path, [long]);
        expect(farthest(result ?? [], whole), pooling).toBeLessThan(5e-3);
        // The library cuts the input into the same pieces; of several means it would give the last, which is no mean.
        if (pooling === "last") expect(farthest(result ?? [], await bareVectors(path, [long], 32))).toBeLessThan(1e-5);
      } finally {
        await box.close();
      }
    }
  },
);

describe("S-10 a busy model", () => {
  let box: RealEngine;
  const words = "the file is read and explained ".repeat(60);
  const batch = (count: number) => Array.from({ length: count }, (_, index) => text(`${index} ${words}`));
  beforeAll(async () => {
    const path = await decoderModel(folder.path, "last");
    box = await realEngine([{ alias: "m", path }], { slots: 1, queue: 2, context: 2_048 });
    await resultOf(box.engine.embed({ model: "m", inputs: [text("warm")], dimensions: null }, context(), never));
  });
  afterAll(() => box.close());
  const embed = (count: number, signal: AbortSignal, caller?: string) =>
    collectWhole(box.engine.embed({ model: "m", inputs: batch(count), dimensions: null }, context(caller), signal));
  const noneBusy = async () => {
    const [model] = await box.engine.models();
    return model?.slots.every((slot) => slot.state === "idle") === true && box.engine.queue().length === 0;
  };

  test("has a line with a bound: 429 with a time past it, and those in the line are answered", async () => {
    const leaving = new AbortController();
    const first = embed(300, leaving.signal);
    await until("an input is computed", async () => ((await box.engine.models())[0]?.slots[0]?.tokens ?? 0) > 0);
    const behind: ReturnType<typeof embed>[] = [];
    for (const place of [1, 2]) {
      behind.push(embed(1, never, `waiting-${place}`));
      await until(`${place} in the line`, () => box.engine.queue().length === place);
    }
    await expect(embed(1, never)).rejects.toMatchObject({
      code: "queue_full",
      retryAfterSeconds: expect.any(Number),
    });
    leaving.abort();
    const { end, result } = await first;
    expect([end.type, result]).toEqual(["aborted", null]);
    // What was computed counts; the rest of the inputs was not.
    expect(end.usage.promptTokens).toBeGreaterThan(0);
    expect(end.usage.promptTokens).toBeLessThan(100_000);
    expect((await Promise.all(behind)).map((one) => one.end.type)).toEqual(["finished", "finished"]);
    await until("no busy slot", noneBusy);
  });

  test("is free again within one input when its client leaves, in the line too", async () => {
    const leaving = new AbortController();
    const running = embed(300, leaving.signal);
    const waiting = embed(300, leaving.signal);
    await until("one in the line", () => box.engine.queue().length === 1);
    leaving.abort();
    expect([(await running).end.type, (await waiting).end.type]).toEqual(["aborted", "aborted"]);
    const next = await embed(1, never);
    expect(next.end.type).toBe("finished");
    await until("no busy slot", noneBusy);
  });

  testInFull("whose process dies fails what it computed, and answers the next", async () => {
    const dying = embed(300, never);
    await until("it computes", async () => (await box.engine.models())[0]?.slots[0]?.state === "prefill");
    process.kill(box.pids.at(-1) ?? -1, "SIGKILL");
    expect((await dying).end).toMatchObject({ type: "failed", failure: { code: "worker_died" } });
    expect((await embed(1, never)).end.type).toBe("finished");
  });
});

test("why one input is computed at a time: the binding gives the vector of sequence 0 and of no other", async () => {
  const path = await encoderModel(folder.path, "cls");
  const script = fileURLToPath(new URL("../../../support/two-sequences.mjs", import.meta.url));
  const run = spawnSync(process.execPath, [script, path], { encoding: "utf8", timeout: 60_000 });
  expect(run.stdout.trim(), run.stderr).toBe("first=first second-as-1=zero both=first");
});
