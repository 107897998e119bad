/** A whole box in front of stand-in vendors: vectors, scores and raw prompts that others compute, and providers that come and go. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { requestAnswer } from "../../server/cli/answers.ts";
import { adminOf } from "../support/box-client.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { postChat, readStream } from "../support/sse.ts";
import { faults, standInText, startVendor, type Vendor } from "../support/vendors/vendor.ts";

const models = ["vectors", "cut", "silent", "scores", "coder", "moved-500", "moved-429", "moved-cut"];
let first: Vendor;
let second: Vendor;
let box: RealBox;

beforeAll(async () => {
  first = await startVendor({ wire: "openai", models });
  second = await startVendor({ wire: "openai", models: ["vectors", "scores"] });
  const can = (capability: string) => (id: string) => ({ id, capabilities: [capability] });
  const vectors = ["vectors", "cut", "silent", "moved-500", "moved-429", "moved-cut"].map(can("embeddings"));
  const timeouts = { firstByteMs: 600, idleMs: 600, wholeMs: 600 };
  const providers = {
    first: {
      ...{ type: "custom", baseUrl: first.baseUrl, traits: { completions: true }, timeouts },
      models: [...vectors, can("rerank")("scores"), "coder"],
    },
    second: { type: "custom", baseUrl: second.baseUrl, timeouts },
  };
  const routes = Object.fromEntries(
    ["500", "429", "cut"].map((name) => [`any-${name}`, { groups: [`first/moved-${name}`, "second/vectors"] }]),
  );
  const prices = [
    { provider: "first", model: "vectors", prompt: "0.02", completion: "0" },
    { provider: "first", model: "coder", prompt: "1", completion: "2" },
    { provider: "second", model: "vectors", prompt: "0.02", completion: "0" },
    { provider: "late", model: "coder", prompt: "1", completion: "2" },
  ];
  const environment = {
    LANTHORN_PROVIDERS: JSON.stringify(providers),
    LANTHORN_ROUTES: JSON.stringify(routes),
    LANTHORN_PRICES: JSON.stringify(prices),
  };
  box = await realBox(environment, { environment });
});
afterAll(async () => {
  await box.stop();
  await first.stop();
  await second.stop();
});
beforeEach(() => {
  for (const vendor of [first, second]) {
    vendor.script();
    vendor.clear();
  }
});

async function call(method: string, path: string, body?: object) {
  const answer = await adminOf(box).call(method, path, body);
  return { status: answer.status, headers: answer.headers, json: JSON.parse(await answer.text()) };
}

async function rowOf(answer: { readonly headers: Headers }) {
  const { json } = await call("GET", `/admin/usage/requests/${answer.headers.get("x-request-id")}`);
  return requestAnswer.parse(json);
}

const length = (vector: readonly number[]) => Math.hypot(...vector);

describe("embeddings of a provider", () => {
  test("are vectors of length 1 with the provider's count, in one priced row", async () => {
    const input = ["one text", "another text"];
    const answer = await call("POST", "/v1/embeddings", { model: "first/vectors", input, dimensions: 4 });
    const counted = first.log.asked[0]?.counted?.prompt ?? 0;
    expect(answer.json.usage).toEqual({ prompt_tokens: counted, total_tokens: counted });
    expect(answer.json.data).toHaveLength(2);
    for (const { embedding } of answer.json.data) {
      expect(embedding).toHaveLength(4);
      expect(length(embedding)).toBeCloseTo(1, 5);
    }
    expect(first.log.asked[0]?.path).toBe("/v1/embeddings");
    const row = await rowOf(answer);
    // USD 0.02 a million tokens: 20 nano-dollars a token.
    expect(row.attempts).toMatchObject([{ target: "first/vectors", status: "done", cost: { nanos: counted * 20 } }]);
    expect(row.knownCostNanos).toBe(counted * 20);
  });

  test("are the same over Ollama's wire", async () => {
    const openai = await call("POST", "/v1/embeddings", { model: "first/vectors", input: "one text" });
    const ollama = await call("POST", "/api/embed", { model: "first/vectors", input: "one text" });
    expect(ollama.json.embeddings).toEqual([openai.json.data[0].embedding]);
    expect(ollama.json.prompt_eval_count).toBe(openai.json.usage.prompt_tokens);
  });

  test("without usage are estimated and say so; without a price they cost what nobody knows, never nothing", async () => {
    first.script({ usage: "absent" });
    const estimated = await rowOf(await call("POST", "/v1/embeddings", { model: "first/vectors", input: "one text" }));
    expect(estimated.attempts[0]?.usage.promptTokens).toBeGreaterThan(0);
    expect(estimated.attempts[0]?.cost).toMatchObject({ known: true, basis: "estimated" });
    const unknown = await rowOf(await call("POST", "/v1/embeddings", { model: "first/cut", input: "one text" }));
    expect(unknown).toMatchObject({ status: "done", attempts: [{ cost: { known: false } }], knownCostNanos: 0 });
  });

  test.each([
    ["500", faults.broken],
    ["429", faults.rateLimited({ "retry-after": "2" })],
    ["cut", faults.cut],
  ] as const)("S-25 after %s the second provider answers: one answer, one charge", async (name, fault) => {
    first.script(() => ({ fault }));
    const answer = await call("POST", "/v1/embeddings", { model: `any-${name}`, input: "one text" });
    expect(answer.status).toBe(200);
    expect(second.log.asked).toHaveLength(1);
    const { attempts } = await rowOf(answer);
    // A pause of less than a quarter of a second is waited for where it was asked; a Retry-After is not.
    expect(attempts.map(({ status }) => status)).toEqual(
      name === "429" ? ["failed", "done"] : ["failed", "failed", "done"],
    );
    expect(attempts.at(-1)).toMatchObject({ target: "second/vectors", cost: { known: true } });
  });

  test("S-26 a body that is cut is a 502, one that never comes a 504: no vector, and a row that says which", async () => {
    first.script(() => ({ fault: faults.cut }));
    const cut = await call("POST", "/v1/embeddings", { model: "first/cut", input: "one text" });
    expect(cut).toMatchObject({ status: 502, json: { error: { code: "upstream_cut" } } });
    expect(cut.json).not.toHaveProperty("data");
    // What is asked for by its own name is asked again once; both tries may have been billed, nobody knows how much.
    const tried = { status: "failed", failureCode: "upstream_cut", cost: { known: false } };
    expect(await rowOf(cut)).toMatchObject({ status: "failed", attempts: [tried, tried] });
    first.script(() => ({ fault: faults.silent }));
    first.clear();
    const silent = await call("POST", "/v1/embeddings", { model: "first/silent", input: "one text" });
    expect(silent).toMatchObject({ status: 504, json: { error: { code: "upstream_timeout" } } });
  });
});

test("scores of a provider come to their documents, and so do those of a model that nobody listed", async () => {
  const documents = ["a", "b", "c"];
  for (const model of ["first/scores", "second/scores"]) {
    const answer = await call("POST", "/v1/rerank", { model, query: "q", documents });
    const results: readonly { readonly index: number; readonly relevance_score: number }[] = answer.json.results;
    expect(results.map(({ index, relevance_score }) => [index, relevance_score])).toEqual([
      [2, 0.75],
      [1, 0.5],
      [0, 0.25],
    ]);
    expect(await rowOf(answer)).toMatchObject({ status: "done", attempts: [{ cost: { known: false } }] });
  }
});

test("a raw prompt stays one where the provider takes it: streamed and whole, priced", async () => {
  const ask = { model: "first/coder", prompt: "def add(", suffix: "return c", max_tokens: 40 };
  const whole = await call("POST", "/v1/completions", ask);
  expect(whole.json).toMatchObject({ object: "text_completion", choices: [{ text: standInText }] });
  expect(first.log.asked.at(-1)).toMatchObject({
    path: "/v1/completions",
    body: { model: "coder", prompt: "def add(", suffix: "return c", max_tokens: 40 },
  });
  expect((await rowOf(whole)).knownCostNanos).toBeGreaterThan(0);
  const streamed = await fetch(`${box.started.url}/v1/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ ...ask, stream: true }),
  });
  const text = await streamed.text();
  const chunks = text.split("\n\n").flatMap((line) => (/^data: {/.test(line) ? [JSON.parse(line.slice(6))] : []));
  expect(chunks.map(({ choices }) => choices[0]?.text ?? "").join("")).toBe(standInText);
  expect(text).toContain("data: [DONE]");
  // Where there is no wire for it the prompt is a user's message.
  second.script(({ body }) => ({ text: JSON.stringify(body.messages) }));
  await call("POST", "/v1/completions", { model: "second/vectors", prompt: "hello" });
  expect(second.log.asked.at(-1)?.path).toBe("/v1/chat/completions");
});

describe("a provider that comes and goes while the box runs", () => {
  const chat = { model: "late/coder", messages: [{ role: "user", content: "hello" }] };
  const add = (setting: object = {}, more: object = {}) =>
    call("POST", "/admin/providers", {
      ...{ id: "late", setting: { type: "custom", baseUrl: first.baseUrl, models: ["coder"], ...setting }, ...more },
    });

  test("is called at once, listed, and priced; once it is gone, no more, and a running answer comes to its end", async () => {
    expect((await postChat(box.started.url, chat)).status).toBe(404);
    expect((await add()).json.provider).toMatchObject({ id: "late", state: "ready" });
    const { json } = await call("GET", "/v1/models");
    expect(json.data.map(({ id }: { readonly id: string }) => id)).toContain("late/coder");

    first.script({ text: "word ".repeat(40), gapMs: 10 });
    const running = readStream(box.started.url, chat);
    await first.waitForAsked(1);
    expect((await call("DELETE", "/admin/providers/late")).status).toBe(200);
    expect((await postChat(box.started.url, chat)).status).toBe(404);
    const stream = await running;
    expect(stream.text).toBe("word ".repeat(40));
    expect(stream.data.at(-1)).toBe("[DONE]");
    expect(await rowOf(stream)).toMatchObject({ status: "done", attempts: [{ cost: { known: true } }] });
    expect(first.log.asked).toHaveLength(1);
  });

  test("whose address was another one is asked at the new one only", async () => {
    await add();
    expect((await postChat(box.started.url, chat)).status).toBe(200);
    await call("DELETE", "/admin/providers/late");
    await add({ baseUrl: second.baseUrl, models: ["vectors"] });
    expect((await postChat(box.started.url, chat)).status).toBe(404);
    expect((await postChat(box.started.url, { ...chat, model: "late/vectors" })).status).toBe(200);
    expect([first.log.asked.length, second.log.asked.length]).toEqual([1, 1]);
    await call("DELETE", "/admin/providers/late");
  });

  test("without a key is refused; with one that is handed over it is called at once, whatever rested before", async () => {
    await add({ type: "openai" });
    expect((await postChat(box.started.url, chat)).status).not.toBe(200);
    expect(first.log.asked).toHaveLength(0);
    expect((await call("POST", "/admin/providers/late/keys", { key: "sk-late-0123456789" })).status).toBe(201);
    expect((await postChat(box.started.url, chat)).status).toBe(200);
    expect(first.log.asked[0]?.headers.authorization).toBe("Bearer sk-late-0123456789");
    await call("DELETE", "/admin/providers/late");
  });
});
