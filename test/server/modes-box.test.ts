/** A whole box with modes, a real engine and a stand-in vendor: what clients get, what rows keep, what each attempt costs. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { z } from "zod";
import { requestAnswer, summaryAnswer } from "../../server/cli/answers.ts";
import { askAnswer } from "../../server/cli/route/answers.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { postChat, readStream } from "../support/sse.ts";
import { standInText, startVendor, type Vendor } from "../support/vendors/vendor.ts";

let vendor: Vendor;
let box: RealBox;
let admin = "";

beforeAll(async () => {
  vendor = await startVendor({ wire: "openai", models: ["one", "two", "big"] });
  const providers = { cloud: { type: "custom", baseUrl: vendor.baseUrl, models: ["one", "two", "big"] } };
  const routes = {
    unsure: { mode: "cascade", groups: ["engine/lanthorn-demo", "cloud/big"], cascade: { threshold: 1 } },
    jury: { mode: "consensus", groups: [["cloud/one", "cloud/two"], "cloud/big"] },
    brief: { groups: ["cloud/big"], brief: { over: 200, by: "cloud/one", keepTurns: 1 } },
  };
  const prices = ["one", "two", "big"].map((model) => ({ provider: "cloud", model, prompt: "1", completion: "2" }));
  const environment = {
    LANTHORN_PROVIDERS: JSON.stringify(providers),
    LANTHORN_ROUTES: JSON.stringify(routes),
    LANTHORN_PRICES: JSON.stringify(prices),
  };
  box = await realBox(environment, { environment });
  admin = readFileSync(join(box.home, "admin.key"), "utf8").trim();
  // In memory from here on: a stream's headers do not wait for a model to load.
  await call("POST", "/admin/routes/test", { model: "lanthorn-demo" });
});
afterAll(async () => {
  await box.stop();
  await vendor.stop();
});
beforeEach(() => vendor.clear());

const ask = (model: string) => ({ model, messages: [{ role: "user", content: "hello" }] });

async function call(method: string, path: string, body?: object, key = admin) {
  return fetch(`${box.started.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

async function rowOf({ headers }: { readonly headers: Headers }) {
  const answer = await call("GET", `/admin/usage/requests/${headers.get("x-request-id")}`);
  return requestAnswer.parse(await answer.json());
}

test("a cascade whose draft is unsure: the client reads one answer, the row has both attempts, and the known cost", async () => {
  const stream = await readStream(box.started.url, { ...ask("unsure"), max_tokens: 8 });
  expect(stream.text).toBe(standInText);
  expect(stream.data.filter((one) => one === "[DONE]")).toHaveLength(1);
  expect(stream.body).not.toContain('logprobs":{');
  expect(stream.headers.get("x-lanthorn-target")).toBe("cloud/big");
  const row = await rowOf(stream);
  expect(row).toMatchObject({
    status: "done",
    notes: [{ code: "draft_discarded" }],
    attempts: [
      { number: 1, target: "engine/lanthorn-demo", reason: "draft", status: "done" },
      { number: 2, target: "cloud/big", reason: "escalated", status: "done" },
    ],
  });
  const charge = row.attempts[1]?.cost;
  expect(row.knownCostNanos).toBe(charge?.known === true ? charge.nanos : -1);
});

test("a local-only request with a cascade stays here and no connection leaves", async () => {
  const answer = await postChat(
    box.started.url,
    { ...ask("unsure"), max_tokens: 8 },
    { headers: { "x-lanthorn-data": "local" } },
  );
  expect(answer.status).toBe(200);
  expect(answer.headers.get("x-lanthorn-target")).toBe("engine/lanthorn-demo");
  expect(vendor.log.asked).toHaveLength(0);
  expect((await rowOf(answer)).notes.map(({ code }) => code)).toEqual(["draft_discarded", "draft_kept"]);
});

test("a consensus of two: both votes are paid for and the first is heard", async () => {
  const answer = await postChat(box.started.url, ask("jury"));
  expect(answer.headers.get("x-lanthorn-target")).toBe("cloud/one");
  const row = await rowOf(answer);
  expect(row.attempts.map(({ reason, status }) => `${reason} ${status}`)).toEqual(["voter done", "voter done"]);
  expect(row.attempts.every(({ cost }) => cost?.known === true && cost.nanos > 0)).toBe(true);
  expect(row.cost).toMatchObject({ known: true });
});

test("a brief is said in the header and in the row", async () => {
  const messages = [
    { role: "user", content: "word ".repeat(1_000) },
    { role: "assistant", content: "noted" },
    { role: "user", content: "and now?" },
  ];
  const answer = await postChat(box.started.url, { model: "brief", messages });
  expect(answer.headers.get("x-lanthorn-brief")).toMatch(/^2 messages of about \d+ tokens by cloud\/one$/u);
  const row = await rowOf(answer);
  expect(row.attempts.map(({ reason }) => reason)).toEqual(["condense", "only_target"]);
  expect(vendor.log.asked).toHaveLength(2);
  expect(JSON.stringify(vendor.log.asked[1])).not.toContain("word word");
});

test("feedback: by whoever asked or an admin, counted in what a success costs", async () => {
  const answer = await postChat(box.started.url, ask("jury"));
  const request_id = answer.headers.get("x-request-id") ?? "";
  const before = summaryAnswer.parse(await (await call("GET", "/admin/usage/summary")).json()).successes;
  expect((await call("POST", "/v1/feedback", { request_id, ok: true })).status).toBe(200);
  expect((await call("POST", "/v1/feedback", { request_id, ok: false, note: "wrong" })).status).toBe(200);
  const after = summaryAnswer.parse(await (await call("GET", "/admin/usage/summary")).json()).successes;
  expect(after).toMatchObject({ requests: before.requests - 1, saidOk: 0, saidNotOk: 1 });
  expect(after.knownCostNanosEach ?? 0).toBeGreaterThan(before.knownCostNanosEach ?? 0);

  const made = z
    .object({ secret: z.string() })
    .parse(await (await call("POST", "/admin/keys", { name: "ada" })).json());
  expect((await call("POST", "/v1/feedback", { request_id, ok: true }, made.secret)).status).toBe(404);
  expect((await call("POST", "/v1/feedback", { request_id: "req_none", ok: true })).status).toBe(404);
  expect((await call("POST", "/v1/feedback", { request_id })).status).toBe(400);
});

test("one answer for calibrating carries its confidence, from the model's own log-probabilities", async () => {
  const body = { model: "engine/lanthorn-demo", prompt: "hello", maxTokens: 8, purpose: "calibrate" };
  const answer = askAnswer.parse(await (await call("POST", "/admin/routes/ask", body)).json());
  expect(answer).toMatchObject({ target: "engine/lanthorn-demo", failure: null, costNanos: null });
  expect(answer.confidence).toBeGreaterThan(0);
  expect(answer.confidence).toBeLessThanOrEqual(1);
});

const asked = z.object({ key: z.object({ routes: z.array(z.string()).nullable() }), secret: z.string() });
const hello = [{ role: "user", content: "hello" }];
const waysIn: readonly (readonly [path: string, body: object])[] = [
  ["/v1/chat/completions", { messages: hello }],
  ["/v1/completions", { prompt: "hello" }],
  ["/v1/responses", { input: "hello" }],
  ["/v1/messages", { messages: hello, max_tokens: 8 }],
  ["/v1/messages/count_tokens", { messages: hello }],
  ["/api/chat", { messages: hello, stream: false }],
  ["/api/generate", { prompt: "hello", stream: false }],
  ["/v1/embeddings", { input: "hello" }],
  ["/api/embed", { input: "hello" }],
  ["/v1/rerank", { query: "hello", documents: ["a"] }],
];

test("a key for some routes gets those, with everything they ask on their own account, and sees no others", async () => {
  const made = asked.parse(await (await call("POST", "/admin/keys", { name: "kit", routes: ["jury"] })).json());
  expect(made.key.routes).toEqual(["jury"]);
  const jury = await call("POST", "/v1/chat/completions", ask("jury"), made.secret);
  expect(jury.status).toBe(200);
  expect((await rowOf(jury)).attempts.map(({ target }) => target)).toEqual(["cloud/one", "cloud/two"]);

  const list = z.object({ data: z.array(z.object({ id: z.string() })) });
  const models = list.parse(await (await call("GET", "/v1/models", undefined, made.secret)).json());
  expect(models.data.map(({ id }) => id)).toEqual(["jury"]);
  expect((await call("GET", "/v1/models/unsure", undefined, made.secret)).status).toBe(404);
  expect(await (await call("GET", "/api/tags", undefined, made.secret)).json()).toMatchObject({
    models: [{ name: "jury" }],
  });
  expect((await call("POST", "/api/show", { model: "lanthorn-demo" }, made.secret)).status).toBe(404);

  vendor.clear();
  for (const [path, body] of waysIn) {
    for (const model of ["unsure", "lanthorn-demo", "cloud/big", "nobody-has-it"]) {
      const answer = await call("POST", path, { ...body, model }, made.secret);
      expect(answer.status, `${path} ${model}`).toBe(403);
      expect(await answer.text()).toContain(`This key may not ask for \\"${model}\\".`);
      if (path.endsWith("count_tokens")) continue;
      const row = await rowOf(answer);
      expect(row, path).toMatchObject({ status: "refused", failureCode: "model_not_allowed", attempts: [] });
      expect(row.callerName).toBe("kit");
    }
  }
  expect(vendor.log.asked).toHaveLength(0);
  for (const routes of [[], [" padded"], ["two\nlines"], ["x".repeat(201)]]) {
    expect((await call("POST", "/admin/keys", { name: "kit", routes })).status).toBe(400);
  }
});
