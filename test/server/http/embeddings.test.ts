/** Embeddings and reranking over real HTTP, with real workers, a real ledger and the official OpenAI SDK. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { farthest } from "../../support/bare-embedder.ts";
import { decoderModel, encoderModel } from "../../support/pooled-models.ts";
import { type RealBox, realBox } from "../../support/real-box.ts";
import { temporaryFolder, until } from "../../support/real-engine.ts";

interface Embeddings {
  readonly object: string;
  readonly model: string;
  readonly data: readonly { object: string; index: number; embedding: number[] | string }[];
  readonly usage: { prompt_tokens: number; total_tokens: number };
}

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let box: RealBox;
let adminKey: string;
beforeAll(async () => {
  folder = await temporaryFolder();
  const models = [
    { path: await encoderModel(folder.path, "mean"), alias: "org/encoder:tiny@f32" },
    { path: await decoderModel(folder.path, "last"), alias: "decoder", slots: 1 },
    { path: await encoderModel(folder.path, "rank"), alias: "ranker" },
  ];
  box = await realBox({ LANTHORN_MODELS: JSON.stringify(models), LANTHORN_ENGINE_QUEUE: "1" });
  adminKey = readFileSync(join(box.home, "admin.key"), "utf8").trim();
});
afterAll(async () => {
  await box.stop();
  await folder.remove();
});

const encoder = "org/encoder:tiny@f32";
const post = (path: string, body: unknown, signal?: AbortSignal) =>
  fetch(`${box.started.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
    ...(signal === undefined ? {} : { signal }),
  });
async function embed(body: object): Promise<Embeddings> {
  const response = await post("/v1/embeddings", { model: encoder, ...body });
  expect(response.status).toBe(200);
  return (await response.json()) as Embeddings;
}
const admin = async (path: string) =>
  (await fetch(`${box.started.url}${path}`, { headers: { authorization: `Bearer ${adminKey}` } })).json();
const numbers = ({ data }: Embeddings) => data.map(({ embedding }) => embedding as number[]);
const refused = async (path: string, body: unknown) => {
  const response = await post(path, body);
  const { error } = (await response.json()) as { error: { code: string; param: string; message: string } };
  return { status: response.status, ...error };
};

describe("S-10 embeddings", () => {
  test("floats and base64 hold the same numbers, in the order of the inputs", async () => {
    const input = ["one text", "another text", "a third"];
    const floats = await embed({ input, encoding_format: "float" });
    const coded = await embed({ input, encoding_format: "base64" });
    expect(floats).toMatchObject({ object: "list", model: encoder });
    expect(floats.data.map(({ index, object }) => [index, object])).toEqual([
      [0, "embedding"],
      [1, "embedding"],
      [2, "embedding"],
    ]);
    const decoded = coded.data.map(({ embedding }) => {
      const bytes = Buffer.from(String(embedding), "base64");
      return Array.from({ length: bytes.length / 4 }, (_, at) => bytes.readFloatLE(4 * at));
    });
    expect(farthest(decoded, numbers(floats))).toBeLessThan(1e-6);
    const reversed = await embed({ input: [...input].reverse() });
    expect(farthest(numbers(reversed).reverse(), numbers(floats))).toBeLessThan(1e-6);
    expect(reversed.usage).toEqual(floats.usage);
  });

  test("usage is the sum of what its inputs use", async () => {
    const input = ["one text", "another, longer text", "x"];
    const single = await Promise.all(input.map((one) => embed({ input: one })));
    const sum = single.reduce((total, { usage }) => total + usage.prompt_tokens, 0);
    expect((await embed({ input })).usage).toEqual({ prompt_tokens: sum, total_tokens: sum });
  });

  test("token arrays, one or several; dimensions", async () => {
    const one = await embed({ input: [200, 201, 202] });
    const several = await embed({ input: [[200, 201, 202], [300]] });
    expect(farthest([numbers(one)[0] ?? []], [numbers(several)[0] ?? []])).toBeLessThan(1e-6);
    const cut = await embed({ input: [200, 201, 202], dimensions: 16 });
    expect(numbers(cut)[0]).toHaveLength(16);
    expect(Math.hypot(...(numbers(cut)[0] ?? []))).toBeCloseTo(1, 5);
  });

  test("a batch of 256", async () => {
    const input = Array.from({ length: 256 }, (_, index) => `text number ${index}`);
    const batch = await embed({ input });
    expect(batch.data.map(({ index }) => index)).toEqual(input.map((_, index) => index));
    const single = await embed({ input: input[200] });
    expect(farthest([numbers(batch)[200] ?? []], numbers(single))).toBeLessThan(1e-5);
  });

  test("what is wrong is a 400 that names it", async () => {
    const wrong = (body: object) => refused("/v1/embeddings", { model: encoder, ...body });
    expect(await wrong({ input: [] })).toMatchObject({ status: 400, param: "input" });
    expect(await wrong({ input: "" })).toMatchObject({ status: 400, param: "input" });
    expect(await wrong({ input: [9, 999_999] })).toMatchObject({ status: 400, param: "input[1]" });
    expect(await wrong({ input: "a", dimensions: 65 })).toMatchObject({ status: 400, param: "dimensions" });
    expect(await wrong({ input: ["a", "the ".repeat(600)] })).toMatchObject({
      status: 400,
      param: "input[1]",
      code: "context_length_exceeded",
    });
    expect(await wrong({ model: "encoder", input: "a" })).toMatchObject({ status: 404, code: "model_not_found" });
    expect(await wrong({ model: "ranker", input: "a" })).toMatchObject({
      status: 400,
      param: "model",
      message: `"ranker" cannot make embeddings. "${encoder}", "decoder" can.`,
    });
    const chat = { model: encoder, messages: [{ role: "user", content: "hi" }] };
    expect(await refused("/v1/chat/completions", chat)).toMatchObject({ status: 400, param: "model" });
  });

  test("S-14 the official SDK, which asks for base64 by itself", async () => {
    const client = new OpenAI({ apiKey: "none", baseURL: `${box.started.url}/v1`, maxRetries: 0 });
    const answer = await client.embeddings.create({ model: encoder, input: ["one text", "another text"] });
    expect(
      farthest(
        answer.data.map(({ embedding }) => embedding),
        numbers(await embed({ input: ["one text", "another text"] })),
      ),
    ).toBeLessThan(1e-6);
    expect(answer.usage.prompt_tokens).toBeGreaterThan(0);
    const wrong = client.embeddings.create({ model: encoder, input: [] });
    await expect(wrong).rejects.toThrow(OpenAI.BadRequestError);
  });

  test("every request leaves one row, refused ones too", async () => {
    const response = await post("/v1/embeddings", { model: encoder, input: "one row" });
    const id = response.headers.get("x-request-id");
    const { usage } = (await response.json()) as Embeddings;
    expect(response.headers.get("x-lanthorn-target")).toBe(`engine/${encoder}`);
    expect(await admin(`/admin/usage/requests/${id}`)).toMatchObject({
      dialect: "openai-embeddings",
      alias: encoder,
      status: "done",
      usage: { promptTokens: usage.prompt_tokens, completionTokens: 0 },
      attempts: [{ target: `engine/${encoder}`, status: "done" }],
    });
    for (const body of [
      { model: encoder, input: [] },
      { model: "ranker", input: "x" },
    ]) {
      const refusal = await post("/v1/embeddings", body);
      const row = await admin(`/admin/usage/requests/${refusal.headers.get("x-request-id")}`);
      expect(row).toMatchObject({ alias: body.model, status: "refused", failureCode: "invalid_request", attempts: [] });
    }
  });

  test("a model that is busy takes as many as its line is long, then says 429; a client that leaves frees it", async () => {
    const words = "the file is read and explained ".repeat(80);
    const leaving = new AbortController();
    const batch = { model: "decoder", input: Array.from({ length: 400 }, (_, index) => `${index} ${words}`) };
    const first = post("/v1/embeddings", batch, leaving.signal).catch(() => null);
    const state = async () =>
      (await admin("/admin/state")) as {
        models: { id: string; slots: { state: string; tokens: number }[] }[];
        queue: unknown[];
      };
    const slot = async () => (await state()).models.find(({ id }) => id === "decoder")?.slots[0];
    await until("an input is computed", async () => ((await slot())?.tokens ?? 0) > 0);
    const second = post("/v1/embeddings", { model: "decoder", input: "short" });
    await until("one in the line", async () => (await state()).queue.length === 1);
    const third = await post("/v1/embeddings", { model: "decoder", input: "short" });
    expect(third.status).toBe(429);
    expect(third.headers.get("retry-after")).toMatch(/^[1-9]\d?$/);
    leaving.abort();
    expect(await first).toBeNull();
    expect((await second).status).toBe(200);
    await until("the slot is free", async () => (await slot())?.state === "idle");
  });
});

describe("reranking", () => {
  test("the best first, as many as asked for, with their documents when asked for", async () => {
    const documents = ["a lantern", { text: "read the file" }, "goodbye"];
    const body = { model: "ranker", query: "read the file", documents };
    const all = (await (await post("/v1/rerank", body)).json()) as {
      results: { index: number; relevance_score: number }[];
      usage: { prompt_tokens: number; total_tokens: number };
    };
    const scores = all.results.map(({ relevance_score }) => relevance_score);
    expect(scores).toEqual([...scores].sort((left, right) => right - left));
    expect(all.results.map(({ index }) => index).sort()).toEqual([0, 1, 2]);
    expect(all.usage.total_tokens).toBe(all.usage.prompt_tokens);
    const [first] = all.results;
    const texts = ["a lantern", "read the file", "goodbye"];
    expect(await (await post("/v1/rerank", { ...body, top_n: 1, return_documents: true })).json()).toMatchObject({
      model: "ranker",
      results: [{ ...first, document: { text: texts[first?.index ?? 0] } }],
    });
  });

  test("what is wrong is a 400 that names it, and there is one path only", async () => {
    const wrong = { model: "decoder", query: "q", documents: ["d"] };
    expect(await refused("/v1/rerank", wrong)).toMatchObject({
      status: 400,
      param: "model",
      message: '"decoder" cannot rerank documents. "ranker" can.',
    });
    expect((await post("/rerank", { ...wrong, model: "ranker" })).status).toBe(404);
  });
});

test("S-11 every model says what it can be asked for", async () => {
  const { data } = (await (await fetch(`${box.started.url}/v1/models`)).json()) as {
    data: { id: string; capabilities: string[]; embedding_length?: number }[];
  };
  expect(data.map(({ id, capabilities, embedding_length }) => [id, capabilities, embedding_length])).toEqual([
    [encoder, ["embeddings"], 64],
    ["decoder", ["embeddings"], 128],
    ["ranker", ["rerank"], undefined],
    ["lanthorn-demo", ["chat"], undefined],
  ]);
});
