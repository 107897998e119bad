/** Completions, several answers to one request, and log-probabilities, on the real engine. */
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { constructDemo, tokenId } from "../../../../models/demo/construct.ts";
import { constructedLogprobs } from "../../../../models/demo/reference.ts";
import { voices } from "../../../../models/demo/voices.ts";
import { writeRandomModel } from "../../../../models/random/model.ts";
import { shapes } from "../../../../models/random/shapes.ts";
import type { ChatEvent, ChatRequest, Completion } from "../../../../server/domain/chat.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { demoCopy } from "../../../support/demo-copy.ts";
import { type RealEngine, realEngine, temporaryFolder } from "../../../support/real-engine.ts";

const never = new AbortController().signal;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let box: RealEngine;
let asked = 0;
beforeAll(async () => {
  folder = await temporaryFolder();
  const tiny = join(folder.path, "tiny.gguf");
  await writeRandomModel(tiny, shapes.tiny);
  box = await realEngine([
    { alias: "lanthorn-demo", path: await demoCopy(folder.path) },
    { alias: "tiny", path: tiny },
  ]);
});
afterAll(() => box.close().then(folder.remove));

const ask = (request: ChatRequest, signal = never) => {
  asked += 1;
  return collect(box.engine.chat(request, { requestId: `req_${asked}`, callerName: "ayo" }, signal));
};
const complete = (completion: Partial<Completion>, wishes: Partial<ChatRequest> = {}) =>
  ask(
    chatRequest("", {
      model: "tiny",
      messages: [],
      completion: { prompts: ["const x = "], suffix: null, echo: false, ...completion },
      maxTokens: 6,
      ignoreEos: true,
      ...wishes,
    }),
  );
const textOf = (events: readonly ChatEvent[], choice: number) =>
  events.map((event) => (event.type === "text" && (event.choice ?? 0) === choice ? event.text : "")).join("");

describe("n answers to one prompt", () => {
  test("arrive beside each other, each with its own end; the prompt counts once", async () => {
    const one = await ask(chatRequest("hello"));
    const { events, end } = await ask(chatRequest("hello", { choices: 3 }));
    for (const choice of [0, 1, 2]) expect(textOf(events, choice)).toBe(one.text);
    const ends = events.filter((event) => event.type === "choice-finished");
    expect(ends.map((event) => event.choice).sort()).toEqual([0, 1, 2]);
    expect(end).toMatchObject({ type: "finished", finishReason: "stop" });
    expect(end.usage).toMatchObject({
      promptTokens: one.end.usage.promptTokens,
      completionTokens: 3 * one.end.usage.completionTokens,
    });
  });

  test("differ under one seed, and are the same when asked again", async () => {
    const sampling = { ...chatRequest("").sampling, temperature: 100, topK: 0, topP: 1, minP: 0, seed: 5 };
    const wish = chatRequest("x", { choices: 2, sampling, maxTokens: 12, ignoreEos: true });
    const [first, again] = [await ask(wish), await ask(wish)];
    expect(textOf(first.events, 0)).not.toBe(textOf(first.events, 1));
    for (const choice of [0, 1]) expect(textOf(again.events, choice)).toBe(textOf(first.events, choice));
  });

  test("more than there are slots run after each other, and leave nothing behind when their reader leaves", async () => {
    const { events } = await ask(chatRequest("hello", { choices: 7, maxTokens: 3 }));
    expect(events.filter((event) => event.type === "choice-finished")).toHaveLength(7);
    const leaving = new AbortController();
    const answer = ask(chatRequest("hello", { choices: 7, ignoreEos: true }), leaving.signal);
    setTimeout(() => leaving.abort(), 100);
    expect((await answer).end.type).toBe("aborted");
    const next = await ask(chatRequest("hello", { maxTokens: 1 }));
    expect(next.end.type).toBe("finished");
    expect(box.engine.queue()).toEqual([]);
  });
});

describe("completions", () => {
  test("go on after the prompt, without a chat template", async () => {
    const { end } = await complete({});
    expect(end).toMatchObject({ finishReason: "length", usage: { completionTokens: 6 } });
    expect(end.usage.promptTokens).toBeLessThan(8);
  });

  test("echo begins with the prompt", async () => {
    const [plain, echoed] = [await complete({}), await complete({ echo: true })];
    expect(echoed.text).toBe(`const x = ${plain.text}`);
  });

  test("of several prompts count each, and number the answers over prompts, then choices", async () => {
    const prompts = ["const x = ", "function y("];
    const [x, y] = [await complete({ prompts: [prompts[0] ?? ""] }), await complete({ prompts: [prompts[1] ?? ""] })];
    const both = await complete({ prompts }, { choices: 2 });
    expect([0, 1, 2, 3].map((choice) => textOf(both.events, choice))).toEqual([x.text, x.text, y.text, y.text]);
    expect(both.end.usage.promptTokens).toBe(x.end.usage.promptTokens + y.end.usage.promptTokens);
    expect(both.end.usage.completionTokens).toBe(24);
  });

  test("token ids and the text they stand for are the same prompt", async () => {
    const text = await complete({ prompts: ["return"] });
    const ids = await complete({ prompts: [[...(await idsOf("return"))]] });
    expect(ids.text).toBe(text.text);
    expect(ids.end.usage.promptTokens).toBe(text.end.usage.promptTokens);
  });

  test("a suffix puts both sides between the model's own tokens; their order is its, not ours", async () => {
    const middle = await complete({ prompts: ["int add("], suffix: ") { return a + b; }" });
    const plain = await complete({ prompts: ["int add("] });
    const suffix = await complete({ prompts: [") { return a + b; }"] });
    expect(middle.end.usage.promptTokens).toBe(plain.end.usage.promptTokens + suffix.end.usage.promptTokens + 3);
    const spelled = await complete({
      prompts: ["<|fim_prefix|>int add(<|fim_suffix|>) { return a + b; }<|fim_middle|>"],
    });
    expect(middle.text).toBe(spelled.text);
  });

  test("a model without such tokens refuses a suffix by name", async () => {
    const refused = complete({ suffix: "x" }, { model: "lanthorn-demo" });
    await expect(refused).rejects.toMatchObject({ code: "invalid_request", param: "suffix" });
  });
});

/** The ids of a text, found by asking: an echo of single ids is their text. */
async function idsOf(text: string): Promise<readonly number[]> {
  const bare = await import("../../../support/bare-library.ts");
  const model = await bare.loadBare(join(folder.path, "tiny.gguf"));
  const ids = model.tokenize(text);
  await model.close();
  return ids.map(Number);
}

describe("log-probabilities", () => {
  const wish = (text: string, top: number, more: Partial<ChatRequest> = {}) =>
    ask(chatRequest(text, { logprobs: { top }, ...more }));
  const found = (events: readonly ChatEvent[]) =>
    events.flatMap((event) => (event.type === "text" ? (event.logprobs ?? []) : []));

  test("S-12 are the model's own, to a thousandth, whatever the sampling does", async () => {
    const demo = constructDemo(voices.demo);
    const sampling = { ...chatRequest("").sampling, temperature: 0.1, topK: 1, seed: 1 };
    for (const { text, heard } of [
      { text: "hello", heard: { doubt: 0, certainty: 0 } },
      { text: "maybe", heard: { doubt: 1, certainty: 0 } },
    ]) {
      const { events } = await wish(text, 3, { maxTokens: 1, sampling });
      const expected = constructedLogprobs(demo, tokenId(demo, "\n"), heard);
      const [first] = found(events);
      if (first === undefined) throw new Error("one token, one entry");
      expect(first.logprob).toBeCloseTo(expected[tokenId(demo, first.text)] ?? Number.NaN, 3);
      const best = [...expected].sort((left, right) => right - left).slice(0, 3);
      for (const [at, { logprob }] of first.top.entries()) expect(logprob).toBeCloseTo(best[at] ?? Number.NaN, 1);
      expect(first.top[0]?.text).toBe(first.text);
    }
  });

  test("S-12 their bytes put together are the text, split characters included", async () => {
    const { events, text } = await wish("hello", 0);
    const entries = found(events);
    expect(Buffer.from(entries.flatMap(({ bytes }) => [...bytes])).toString("utf8")).toBe(text);
    expect(entries.every(({ top }) => top.length === 0)).toBe(true);
    expect(entries.every(({ logprob }) => logprob <= 0 && logprob > -1)).toBe(true);
  });

  test("end with the text that a stop string leaves", async () => {
    const whole = await wish("hello", 0);
    const stop = whole.text.slice(10, 18);
    const { events, text } = await wish("hello", 0, { stop: [stop] });
    const bytes = Buffer.from(found(events).flatMap((one) => [...one.bytes])).toString("utf8");
    expect(text.startsWith(bytes)).toBe(true);
    expect(text.length - bytes.length).toBeLessThan(12);
  });

  test("are absent when nobody asked", async () => {
    const { events } = await ask(chatRequest("hello"));
    expect(events.some((event) => event.type === "text" && "logprobs" in event)).toBe(false);
  });
});
