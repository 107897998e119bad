/** What every backend promises, tried on each of them. A new backend is tested by the line it adds to the table. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Backend } from "../../server/backends/backend.ts";
import { createCloudBackend } from "../../server/backends/cloud/cloud.ts";
import { configureProvider } from "../../server/backends/cloud/configure.ts";
import { createKeyPool } from "../../server/backends/cloud/keys/key-pool.ts";
import { rentalLimitsSetting, rentalSetting } from "../../server/config/rental-setting.ts";
import { providerSetting } from "../../server/config/provider-setting.ts";
import { calledDialects } from "../../server/dialects/index.ts";
import { isEnd } from "../../server/domain/chat.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { createUpstreamFetch } from "../../server/platform/upstream/upstream-fetch.ts";
import { openRentals } from "../../server/rental/wake/open-rentals.ts";
import { chatRequest, collect } from "../support/chat-request.ts";
import { leasesInMemory, offering } from "../support/leases-in-memory.ts";
import { demoCopy } from "../support/demo-copy.ts";
import { recordedLog } from "../support/recorded-log.ts";
import { startVendor } from "../support/vendors/vendor.ts";
import { encoderModel } from "../support/pooled-models.ts";
import { realEngine, temporaryFolder } from "../support/real-engine.ts";
import { collectWhole } from "../support/whole-answer.ts";

interface Made {
  readonly backend: Backend;
  /** Models it serves: one that chats, one that makes embeddings, one that reranks. */
  readonly model: string;
  readonly embedder: string;
  readonly ranker: string;
  /** It counts prompts that others compute: by estimate. */
  readonly estimates?: true;
  close(): Promise<void>;
}

const can = (id: string, capability: string) => ({ id, capabilities: [capability] });

const backends: Readonly<Record<string, () => Promise<Made>>> = {
  engine: async () => {
    const folder = await temporaryFolder();
    const path = await demoCopy(folder.path);
    const { engine, close } = await realEngine([
      { alias: "lanthorn-demo", path },
      { alias: "encoder", path: await encoderModel(folder.path, "mean") },
      { alias: "ranker", path: await encoderModel(folder.path, "rank") },
    ]);
    return {
      backend: engine,
      model: "lanthorn-demo",
      embedder: "encoder",
      ranker: "ranker",
      close: () => close().then(folder.remove),
    };
  },
  cloud: async () => {
    const vendor = await startVendor({
      wire: "openai",
      models: ["stand-in", "embedder", "ranker"],
      script: ({ body }) => (body.max_tokens === 1_500 ? { text: "x".repeat(400), gapMs: 20 } : { text: "Hi." }),
    });
    const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
    const models = ["stand-in", can("embedder", "embeddings"), can("ranker", "rerank")];
    const setting = providerSetting.parse({ type: "custom", baseUrl: vendor.baseUrl, models });
    const backend = createCloudBackend(configureProvider("acme", setting), {
      clock: systemClock,
      log: recordedLog(),
      upstream,
      keys: createKeyPool({ clock: systemClock, random: () => 0 }),
      dialects: calledDialects,
    });
    const close = () => upstream.close().then(vendor.stop);
    const names = { model: "acme/stand-in", embedder: "acme/embedder", ranker: "acme/ranker" };
    return { backend, ...names, estimates: true, close };
  },
  rental: async () => {
    const vendor = await startVendor({
      wire: "openai",
      models: ["stand-in", "embedder", "ranker"],
      script: ({ body }) =>
        body.max_completion_tokens === 1_500 ? { text: "x".repeat(400), gapMs: 20 } : { text: "Hi." },
    });
    const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
    const desk = leasesInMemory(Date.now, "den");
    desk.add({ state: "ready", address: vendor.url });
    const modelFacts = { embedder: { capabilities: ["embeddings"] }, ranker: { capabilities: ["rerank"] } };
    const models = ["stand-in", ...Object.keys(modelFacts)];
    const rentals = openRentals({
      rentals: { den: rentalSetting.parse({ market: "den", models, modelFacts, mostUsdPerHour: "1" }) },
      ...{ limits: rentalLimitsSetting.parse({}), zone: null, desk, markets: [offering("den", [], Date.now)] },
      machine: () => ({ image: "lanthorn", port: 4747, environment: {}, onStart: "" }),
      ...{ taken: [], localOnly: false, home: "/", upstream, clock: systemClock, log: recordedLog() },
      knowSecret: () => {},
    });
    const [backend] = rentals.backends;
    if (backend === undefined) throw new Error("no backend");
    const close = async () => {
      rentals.stop();
      await upstream.close();
      await vendor.stop();
    };
    const names = { model: "den/stand-in", embedder: "den/embedder", ranker: "den/ranker" };
    return { backend, ...names, estimates: true, close };
  },
};

const never = new AbortController().signal;
const context = (requestId: string) => ({ requestId, callerName: "ayo" });

describe.each(Object.entries(backends))("backend %s", (_, make) => {
  let made: Made;
  beforeAll(async () => {
    made = await make();
  });
  afterAll(() => made.close());

  test("lists what it serves, loaded or not", () => {
    expect(made.backend.served().map((model) => model.alias)).toContain(made.model);
    expect(made.backend.health(made.model).able).toBe(true);
  });

  test("ends with exactly one end event, with usage that adds up", async () => {
    const { end, events } = await collect(
      made.backend.chat(chatRequest("hello", { model: made.model, maxTokens: 5 }), context("c1"), never),
    );
    expect(end.type).toBe("finished");
    expect(end.usage.completionTokens).toBeLessThanOrEqual(5);
    expect(end.usage.cachedTokens).toBeLessThan(end.usage.promptTokens);
    expect(events.filter(isEnd)).toHaveLength(1);
  });

  test("counts what it will be charged for, or says about as much where others count", async () => {
    const request = chatRequest("count me, please", { model: made.model, maxTokens: 1 });
    const counted = await made.backend.count(request);
    const { end } = await collect(made.backend.chat(request, context("c2"), never));
    const factor = made.estimates === true ? 4 : 1;
    expect(counted).toBeLessThanOrEqual(end.usage.promptTokens * factor);
    expect(counted).toBeGreaterThanOrEqual(end.usage.promptTokens / factor);
  });

  test("throws before the first event for a model it does not serve", async () => {
    const answer = made.backend.chat(chatRequest("hi", { model: "no-such-model" }), context("c3"), never);
    await expect(collect(answer)).rejects.toMatchObject({ code: "model_not_found" });
  });

  test("ends as aborted when the caller leaves, with what was used until then", async () => {
    const leaving = new AbortController();
    const request = chatRequest("hello", { model: made.model, maxTokens: 1_500, ignoreEos: true });
    let texts = 0;
    let end = "";
    for await (const event of made.backend.chat(request, context("c4"), leaving.signal)) {
      if (event.type === "text") texts += 1;
      if (texts === 3) leaving.abort();
      if (isEnd(event)) end = event.type;
    }
    expect(end).toBe("aborted");
  });

  test("answers somebody who has already left with nothing but the end", async () => {
    const left = AbortSignal.abort();
    const { events } = await collect(made.backend.chat(chatRequest("hi", { model: made.model }), context("c5"), left));
    expect(events.map((event) => event.type)).toEqual(["aborted"]);
  });

  const embed = (model: string, signal = never) =>
    made.backend.embed({ model, inputs: [{ type: "text", text: "hello" }], dimensions: null }, context("c6"), signal);
  const rerank = (model: string, signal = never) =>
    made.backend.rerank({ model, query: "hello", documents: ["a", "b"] }, context("c7"), signal);

  test("gives one vector of length 1 per input and one score from 0 to 1 per document, with what they used", async () => {
    const vectors = await collectWhole(embed(made.embedder));
    expect(vectors.result).toHaveLength(1);
    expect(Math.hypot(...(vectors.result?.[0] ?? []))).toBeCloseTo(1, 5);
    const scores = await collectWhole(rerank(made.ranker));
    expect(scores.result).toHaveLength(2);
    for (const score of scores.result ?? []) expect(score >= 0 && score <= 1).toBe(true);
    for (const { end } of [vectors, scores]) {
      expect(end.type).toBe("finished");
      expect(end.usage.promptTokens).toBeGreaterThan(0);
      expect(end.usage.completionTokens).toBe(0);
    }
  });

  test("says of each model what it can do, and refuses what it cannot", async () => {
    const capabilities = Object.fromEntries(made.backend.served().map((model) => [model.alias, model.capabilities]));
    expect(capabilities).toMatchObject({
      [made.model]: ["chat"],
      [made.embedder]: ["embeddings"],
      [made.ranker]: ["rerank"],
    });
    const chat = made.backend.chat(chatRequest("hi", { model: made.embedder }), context("c8"), never);
    for (const wrong of [collect(chat), collectWhole(embed(made.ranker)), collectWhole(rerank(made.model))]) {
      await expect(wrong).rejects.toMatchObject({ code: "invalid_request", param: "model" });
    }
  });

  test("ends as aborted, with nothing, for somebody who has left", async () => {
    const left = AbortSignal.abort();
    for (const answer of [collectWhole(embed(made.embedder, left)), collectWhole(rerank(made.ranker, left))]) {
      expect(await answer).toMatchObject({ result: null, end: { type: "aborted" } });
    }
  });
});
