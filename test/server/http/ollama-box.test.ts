/** Ollama's SDK against a whole box: the engine's demo model, an embedder with random weights, and the rows they leave. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ollama } from "ollama";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decoderModel, encoderModel } from "../../support/pooled-models.ts";
import { type RealBox, realBox } from "../../support/real-box.ts";
import { temporaryFolder } from "../../support/real-engine.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let box: RealBox;
let client: Ollama;
beforeAll(async () => {
  folder = await temporaryFolder();
  const models = [
    { path: await encoderModel(folder.path, "mean"), alias: "embedder", preload: false },
    { path: await decoderModel(folder.path, "last"), alias: "other", preload: false },
  ];
  box = await realBox({ LANTHORN_MODELS: JSON.stringify(models) });
  client = new Ollama({ host: box.started.url });
});
afterAll(async () => {
  await box.stop();
  await folder.remove();
});

const demo = "lanthorn-demo";
const messages = [{ role: "user", content: "Hello" }];
const options = { temperature: 0, num_predict: 12 };
interface Row {
  readonly dialect: string;
  readonly alias: string;
  readonly status: string;
  readonly notes: unknown;
  readonly usage: { readonly promptTokens: number; readonly completionTokens: number };
}
async function rows(): Promise<Row[]> {
  const authorization = `Bearer ${readFileSync(join(box.home, "admin.key"), "utf8").trim()}`;
  const response = await fetch(`${box.started.url}/admin/usage/requests?limit=50`, { headers: { authorization } });
  return ((await response.json()) as { requests: Row[] }).requests;
}

test("S-14 an empty prompt loads the model, which ps then shows; it computes nothing and leaves its row", async () => {
  expect((await client.ps()).models).toEqual([]);
  const loaded = await client.generate({ model: demo, prompt: "" });
  expect(loaded).toMatchObject({ model: demo, response: "", done: true, done_reason: "load", eval_count: 0 });
  expect(loaded.load_duration).toBeGreaterThan(0);
  const { models } = await client.ps();
  expect(models.map(({ name }) => name)).toEqual([demo]);
  expect(new Date(models[0]?.expires_at ?? 0).getTime()).toBeGreaterThan(Date.now());
  expect(await client.chat({ model: demo, messages: [] })).toMatchObject({ done_reason: "load" });
  expect((await rows())[0]).toMatchObject({
    dialect: "ollama",
    alias: demo,
    status: "done",
    usage: { promptTokens: 0 },
  });
});

test("S-14 chats and generates, streamed as whole, with true figures", async () => {
  const whole = await client.chat({ model: demo, messages, options });
  expect(whole).toMatchObject({ done: true, done_reason: "length", eval_count: 12 });
  expect(whole.total_duration).toBeGreaterThan(0);
  const pieces: string[] = [];
  for await (const part of await client.chat({ model: `${demo}:latest`, messages, options, stream: true })) {
    pieces.push(part.message.content);
  }
  expect(pieces.join("")).toBe(whole.message.content);
  expect(whole.message.content).not.toBe("");

  const generated = await client.generate({ model: demo, prompt: "Hello", options });
  expect(generated.response).toBe(whole.message.content);
  expect(generated.prompt_eval_count).toBe(whole.prompt_eval_count);
  const raw = await client.generate({ model: demo, prompt: "Hello", raw: true, options });
  expect(raw.prompt_eval_count).toBeLessThan(whole.prompt_eval_count);
});

test("S-14 an answer follows a schema, or is JSON", async () => {
  const format = { type: "object", properties: { n: { type: "integer" } }, required: ["n"] };
  const { message } = await client.chat({
    model: demo,
    messages,
    format,
    options: { temperature: 0, num_predict: 60 },
  });
  expect(JSON.parse(message.content)).toEqual({ n: expect.any(Number) });
  await expect(
    client.chat({ model: demo, messages, format: { type: "array", uniqueItems: true, items: { type: "integer" } } }),
  ).rejects.toMatchObject({ status_code: 400, error: expect.stringContaining("uniqueItems") });
});

test("embeds texts, by the older path too; one that does not fit is refused, never cut", async () => {
  const { embeddings, prompt_eval_count } = await client.embed({ model: "embedder", input: ["one text", "another"] });
  expect(embeddings.map((vector) => vector.length)).toEqual([64, 64]);
  expect(Math.hypot(...(embeddings[0] ?? []))).toBeCloseTo(1, 5);
  expect(prompt_eval_count).toBeGreaterThan(0);
  const { embedding } = await client.embeddings({ model: "embedder:latest", prompt: "one text" });
  for (const [at, value] of embedding.entries()) expect(value).toBeCloseTo(embeddings[0]?.[at] ?? Number.NaN, 5);
  const short = await client.embed({ model: "embedder", input: "one text", dimensions: 16 });
  expect(short.embeddings[0]).toHaveLength(16);
  await expect(
    client.embed({ model: "embedder", input: ["a", "the ".repeat(600)], truncate: true }),
  ).rejects.toMatchObject({ status_code: 400, error: expect.stringContaining("context") });
  await expect(client.chat({ model: "embedder", messages })).rejects.toMatchObject({
    status_code: 400,
    error: expect.stringContaining("cannot chat"),
  });
});

test("S-05 a prompt that does not fit is a 400 with both figures, whatever num_ctx says", async () => {
  const long = [{ role: "user", content: "hello world ".repeat(20_000) }];
  await expect(client.chat({ model: demo, messages: long, options: { num_ctx: 1_000_000 } })).rejects.toMatchObject({
    status_code: 400,
    error: expect.stringMatching(/maximum context length is \d+ tokens/),
  });
});

test("show says what a model can do and how long a prompt may be", async () => {
  const { model_info: info, capabilities, details } = await client.show({ model: demo });
  const served = (await (await fetch(`${box.started.url}/v1/models/${demo}`)).json()) as { context_length: number };
  expect(Object.values(info)).toContain(served.context_length);
  expect(capabilities).toContain("completion");
  expect(details.family).toMatch(/\w/);
  expect((await client.show({ model: "embedder" })).capabilities).toEqual(["embedding"]);
  await expect(client.show({ model: "nobody" })).rejects.toMatchObject({ status_code: 404 });
});

test("wishes that were not kept are in the request's record", async () => {
  await client.chat({ model: demo, messages, keep_alive: "1h", options: { num_predict: 1, num_ctx: 999_999 } });
  const notes = JSON.stringify((await rows())[0]?.notes);
  expect(notes).toContain("keep_alive");
  expect(notes).toMatch(/num_ctx 999999, there are \d+/);
});
