/** One provider as a backend, against a stand-in vendor on loopback that answers, misbehaves and keeps a log. */
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { type CloudBackend, createCloudBackend } from "../../../../server/backends/cloud/cloud.ts";
import { configureProvider } from "../../../../server/backends/cloud/configure.ts";
import { createKeyPool, type KeyPool } from "../../../../server/backends/cloud/keys/key-pool.ts";
import { providerSetting } from "../../../../server/config/provider-setting.ts";
import { type ChatEvent, isEnd } from "../../../../server/domain/chat.ts";
import { noSamplingWishes } from "../../../../server/domain/plain-request.ts";
import { systemClock } from "../../../../server/platform/clock.ts";
import { createUpstreamFetch } from "../../../../server/platform/upstream/upstream-fetch.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { calledDialects } from "../../../../server/dialects/index.ts";
import { recordedLog } from "../../../support/recorded-log.ts";
import { faults, standInText, startVendor, type Step, type Vendor } from "../../../support/vendors/vendor.ts";

const secret = "sk-stand-in-0123456789abcdef";
const never = new AbortController().signal;
const context = { requestId: "req_1", callerName: "ayo" };

let vendor: Vendor;
beforeEach(async () => {
  vendor = await startVendor({ wire: "openai", keys: [secret, `${secret}2`] });
});
afterEach(() => vendor.stop());

function provider(
  wishes: { readonly setting?: object; readonly secrets?: readonly string[] } = {},
): CloudBackend & { readonly pool: KeyPool } {
  const upstream = createUpstreamFetch({ environment: {}, caFile: "" });
  onTestFinished(() => upstream.close());
  const pool = createKeyPool({ clock: systemClock, random: () => 0 });
  pool.replace((wishes.secrets ?? [secret]).map((one) => ({ source: "test", secret: one, weight: 1, label: null })));
  const setting = providerSetting.parse({ type: "custom", baseUrl: vendor.baseUrl, ...wishes.setting });
  const backend = createCloudBackend(configureProvider("acme", setting), {
    clock: systemClock,
    log: recordedLog(),
    upstream,
    keys: pool,
    dialects: calledDialects,
  });
  return Object.assign(backend, { pool });
}

const ask = (backend: CloudBackend, wishes: object = {}, signal = never) =>
  collect(backend.chat(chatRequest("hello", { model: "acme/stand-in", ...wishes }), context, signal));

describe("an answer", () => {
  test("comes as events with the usage it was billed for, and the connection is used again", async () => {
    const backend = provider();
    for (let count = 1; count <= 3; count += 1) {
      const { text, end } = await ask(backend);
      expect(text).toBe(standInText);
      expect(end).toMatchObject({ type: "finished", usage: vendorUsage() });
      expect(end.timings.prefillMs).toBeGreaterThan(0);
    }
    // The end of a body may still be on its way when the next call leaves, never twice.
    expect(vendor.log.connections).toBeLessThanOrEqual(2);
    const [seen] = vendor.log.asked;
    expect(seen?.headers).toMatchObject({ authorization: `Bearer ${secret}`, accept: "text/event-stream" });
    expect(seen?.body).toMatchObject({ model: "stand-in", stream: true });
  });

  function vendorUsage() {
    const counted = vendor.log.asked.at(-1)?.counted;
    return { promptTokens: counted?.prompt, completionTokens: counted?.completion };
  }

  test("in one piece has the same text and usage as in frames", async () => {
    const whole = await ask(provider(), { stream: false });
    expect(whole.text).toBe(standInText);
    expect(whole.end).toMatchObject({ type: "finished", usage: { completionTokens: 8 } });
  });

  test("keeps the name that the provider gave to the call", async () => {
    const { end } = await ask(provider());
    expect(end.upstreamRequestId).toBe(`up_${vendor.log.asked.length}`);
  });

  test("says first which wishes its upstream knows nothing of, for the record", async () => {
    const sampling = { ...noSamplingWishes, temperature: 0, topK: 40, seed: 7 };
    const all = async (backend: CloudBackend) => {
      const events: ChatEvent[] = [];
      const request = chatRequest("hello", { model: "acme/stand-in", sampling });
      for await (const event of backend.chat(request, context, never)) events.push(event);
      return events;
    };
    const [first, ...others] = await all(provider());
    expect(first).toMatchObject({ type: "accepted", notes: [{ code: "wish_not_kept", detail: "top_k" }] });
    expect(vendor.log.asked.at(-1)?.body).toMatchObject({ temperature: 0, seed: 7 });
    expect(others.at(-1)?.type).toBe("finished");
    const knowing = await all(provider({ setting: { traits: { extendedSampling: true } } }));
    expect(knowing.map(({ type }) => type)).not.toContain("accepted");
  });

  test("is bounded by the least of what was asked and what is allowed here", async () => {
    const models = [{ id: "stand-in", maxOutputTokens: 100 }];
    const backend = provider({ setting: { models, maxOutputTokens: 50, extraBody: { provider: { sort: "price" } } } });
    await ask(backend, { maxTokens: 400 });
    await ask(backend, { maxTokens: 20 });
    expect(vendor.log.asked.map(({ body }) => body.max_tokens)).toEqual([50, 20]);
    expect(vendor.log.asked[0]?.body.provider).toEqual({ sort: "price" });
  });

  test("is read no faster than it is taken", async () => {
    // Far more than sockets and buffers hold.
    vendor.script({ text: "word".repeat(60_000) });
    let taken = 0;
    let sentWhileWaiting = 0;
    for await (const event of provider().chat(chatRequest("hi", { model: "acme/stand-in" }), context, never)) {
      taken += 1;
      if (taken === 10) {
        await new Promise((resolve) => setTimeout(resolve, 200));
        sentWhileWaiting = vendor.log.asked[0]?.framesSent ?? 0;
        break;
      }
      if (isEnd(event)) throw new Error("it ended before anybody waited");
    }
    expect(sentWhileWaiting).toBeGreaterThan(0);
    expect(sentWhileWaiting).toBeLessThan(50_000);
    await vendor.settled();
    expect(vendor.log.asked[0]?.fate).toBe("left");
  });

  test("is left within moments when the caller leaves: in its middle, before its first byte, before the call", async () => {
    const backend = provider();
    for (const step of [{ gapMs: 20, text: "x".repeat(4_000) }, { fault: faults.silent }] satisfies Step[]) {
      vendor.script(step);
      vendor.clear();
      const leaving = new AbortController();
      const answer = ask(backend, {}, leaving.signal);
      await vendor.waitForAsked(1);
      if (step.fault === undefined) await new Promise((resolve) => setTimeout(resolve, 100));
      leaving.abort();
      expect((await answer).end.type).toBe("aborted");
      await vendor.settled();
      expect(vendor.log.asked[0]?.fate).toBe("left");
    }
    vendor.clear();
    expect((await ask(backend, {}, AbortSignal.abort())).events.map(({ type }) => type)).toEqual(["aborted"]);
    expect(vendor.log.requests).toEqual([]);
  });
});

test("a request that only loads contacts nobody and costs nothing", async () => {
  const { events, end } = await ask(provider(), { messages: [], loadOnly: true });
  expect(events).toHaveLength(1);
  expect(end).toMatchObject({ type: "finished", upstream: { usage: { promptTokens: 0 }, flags: ["usage_all_zero"] } });
  expect(vendor.log.requests).toEqual([]);
});

describe("S-26 an answer that goes wrong ends once, as a failure, with what was used", () => {
  test.each<[string, Step, string]>([
    ["cut", { fault: faults.cut }, "upstream_cut"],
    ["ends early", { fault: faults.endsEarly }, "upstream_cut"],
    ["stalls", { fault: faults.stall }, "upstream_timeout"],
    ["error under 200", { fault: { kind: "error-under-200", afterFrames: 3 } }, "upstream_failed"],
    ["a web page", { fault: faults.html }, "upstream_failed"],
    ["garbage", { fault: faults.garbage }, "upstream_failed"],
    ["a frame without end", { fault: { kind: "huge-frame", bytes: 17 * 1024 ** 2 } }, "upstream_failed"],
  ])("%s", async (_, step, code) => {
    const backend = provider({ setting: { timeouts: { idleMs: 300 } } });
    for (const stream of [true, false]) {
      // An answer in one piece has no frames; what half of it is called is for its wire shape to say.
      if (!stream && (step.fault?.kind === "huge-frame" || step.fault?.kind === "ends-early")) continue;
      vendor.script(step);
      const startMs = performance.now();
      const { end } = await ask(provider({ setting: { timeouts: { idleMs: 300, wholeMs: 600 } } }), { stream });
      expect(end).toMatchObject({ type: "failed", failure: { code } });
      expect(performance.now() - startMs).toBeLessThan(10_000);
      // Nobody said what it used: whoever keeps the row estimates it from what came.
      if (stream && step.fault?.kind === "cut") expect(end.upstream?.flags).toEqual(["usage_absent"]);
    }
    // The next one is good again.
    expect((await ask(backend)).end.type).toBe("finished");
  });

  test("nothing at all within the time it has", async () => {
    vendor.script({ fault: faults.silent });
    const answer = ask(provider({ setting: { timeouts: { firstByteMs: 200 } } }));
    await expect(answer).rejects.toMatchObject({ code: "upstream_timeout" });
  });

  test.each<[string, Step, string]>([
    ["429", { fault: faults.rateLimited() }, "upstream_rate_limited"],
    ["no quota", { fault: faults.quota }, "upstream_quota"],
    ["500", { fault: faults.broken }, "upstream_failed"],
    ["529", { fault: faults.overloaded }, "upstream_overloaded"],
    ["400", { fault: faults.invalid }, "upstream_invalid_request"],
  ])("%s is thrown before the first event", async (_, step, code) => {
    vendor.script(step);
    await expect(ask(provider())).rejects.toMatchObject({ code });
  });

  test("nobody there, no such name, no TLS: said in words that name the provider and not the address", async () => {
    const { port } = new URL(vendor.url);
    await vendor.stop();
    const at = async (baseUrl: string) =>
      ask(provider({ setting: { baseUrl } })).catch((failure: { code: string; message: string }) => failure);
    expect(await at(`http://127.0.0.1:${port}/v1`)).toMatchObject({
      code: "upstream_unreachable",
      message: expect.stringMatching(/nothing listens/),
    });
    vendor = await startVendor({ wire: "openai" });
    const tls = vendor.url.replace("http:", "https:");
    expect(await at(`${tls}/v1`)).toMatchObject({
      code: "upstream_unreachable",
      message: expect.stringMatching(/TLS/),
    });
  });
});

describe("a key", () => {
  test("stays with its host: a redirect is an error, and the other host hears nothing", async () => {
    const elsewhere = await startVendor({ wire: "openai" });
    onTestFinished(() => elsewhere.stop());
    for (const status of [301, 302, 303, 307, 308]) {
      vendor.script({ fault: { kind: "redirect", status, to: `${elsewhere.baseUrl}/chat/completions` } });
      await expect(ask(provider())).rejects.toMatchObject({
        code: "upstream_failed",
        message: expect.stringMatching(/redirect/),
      });
    }
    expect(elsewhere.log.connections).toBe(0);
  });

  test("that is refused rests, the next one is taken, and what the provider says of it does not show it", async () => {
    const wrong = "sk-wrong-abcdefghijklmnop";
    vendor.script(({ headers }) =>
      headers.authorization === `Bearer ${secret}`
        ? { fault: { kind: "status", status: 401, message: `Incorrect API key provided: ${secret}.` } }
        : {},
    );
    const backend = provider({ secrets: [secret, `${secret}2`] });
    const failure = await ask(backend).catch((thrown: Error) => thrown);
    expect(failure).toMatchObject({ code: "upstream_key_refused" });
    expect(String(failure)).not.toContain(secret);
    expect(backend.ready?.("acme/stand-in")).toMatchObject({ able: true });
    expect((await ask(backend)).end.type).toBe("finished");
    expect(backend.keys()).toMatchObject([
      { tail: "…cdef", state: "cooling", code: "upstream_key_refused" },
      { tail: "…def2", state: "ready", code: null },
    ]);
    expect(JSON.stringify(backend.keys())).not.toContain(secret);
    expect(wrong).not.toBe(secret);
  });

  test("none left: the failure says until when, and nobody is asked", async () => {
    vendor.script({ fault: faults.rateLimited({ "retry-after": "20" }) });
    const backend = provider();
    await expect(ask(backend)).rejects.toMatchObject({ code: "upstream_rate_limited" });
    vendor.clear();
    const ready = backend.ready?.("acme/stand-in");
    expect(ready).toMatchObject({ able: false, reason: expect.stringMatching(/rests for (20|19) s/) });
    expect((ready?.retryAtMs ?? 0) - performance.now()).toBeGreaterThan(15_000);
    await expect(ask(backend)).rejects.toMatchObject({ code: "upstream_rate_limited", retryAfterSeconds: 20 });
    expect(vendor.log.requests).toEqual([]);
  });

  test("shows what the provider says is left for it", async () => {
    const backend = provider({ setting: { type: "openai", baseUrl: vendor.baseUrl } });
    await ask(backend);
    const [key] = backend.keys();
    expect(key?.limits).toMatchObject({
      requests: { limit: 500, remaining: 499 },
      tokens: { limit: 200_000, remaining: 190_000 },
    });
    expect((key?.limits?.tokens?.resetAtMs ?? 0) - Date.now()).toBeGreaterThan(300_000);
  });
});

describe("models", () => {
  test("are asked for as provider/model, by an alias, or as the provider names them", async () => {
    const models = ["stand-in", { id: "org/big:7b", alias: "big", contextLength: 32_768 }];
    const backend = provider({ setting: { models } });
    expect(backend.served()).toMatchObject([
      { alias: "acme/stand-in", contextLength: 0, elsewhere: { provider: "custom", model: "stand-in" } },
      { alias: "big", contextLength: 32_768, elsewhere: { provider: "custom", model: "org/big:7b" } },
    ]);
    expect(backend.find?.("acme/org/big:7b")?.alias).toBe("big");
    expect(backend.find?.("other/stand-in")).toBeNull();
    await expect(ask(backend, { model: "acme/unknown" })).rejects.toMatchObject({ code: "model_not_found" });
    expect(vendor.log.connections).toBe(0);
  });

  test("with *: whatever is asked for is passed on, and the provider says what it does not have", async () => {
    const backend = provider();
    expect(backend.served()).toEqual([]);
    expect(backend.find?.("acme/any/thing:nitro")?.elsewhere?.model).toBe("any/thing:nitro");
    await expect(ask(backend, { model: "acme/nothing" })).rejects.toMatchObject({ code: "upstream_model_missing" });
  });
});

describe("a test call", () => {
  const words = async (backend: CloudBackend, model: string | null = null) => {
    const { ok, steps, code } = await backend.test(model, never);
    return { ok, code, words: steps.map(({ what, words: said }) => `${what}: ${said}`).join("\n") };
  };

  test("asks for the list of models, and for a few tokens only where a model is named", async () => {
    expect(await words(provider())).toMatchObject({ ok: true, words: "models: The key is taken; it lists 1 models." });
    expect(vendor.log.asked).toEqual([]);
    expect(await words(provider(), "stand-in")).toMatchObject({
      ok: true,
      words: expect.stringMatching(/"stand-in" answers: Hello/),
    });
    expect(vendor.log.asked[0]?.body).toMatchObject({ max_tokens: 16 });
    expect(await words(provider(), "acme/other")).toMatchObject({
      ok: false,
      code: "upstream_model_missing",
      words: expect.stringMatching(/not among them[\s\S]*does not have this model/),
    });
  });

  test("says what is wrong: key, quota, /v1, a web page, nobody there", async () => {
    expect(await words(provider({ secrets: ["sk-some-other-key"] }))).toMatchObject({
      ok: false,
      code: "upstream_key_refused",
    });
    vendor.script({ fault: faults.quota });
    expect(await words(provider(), "stand-in")).toMatchObject({ ok: false, code: "upstream_quota" });
    expect(await words(provider({ setting: { baseUrl: vendor.url } }))).toMatchObject({
      ok: false,
      words: `models: The base URL is wrong: /v1 is missing. Set baseUrl to ${vendor.url}/v1.`,
    });
    expect(await words(provider({ setting: { baseUrl: `${vendor.url}/api/v9` } }))).toMatchObject({
      ok: false,
      words: expect.stringMatching(/a web page \(404\)/),
    });
    expect(await words(provider({ setting: { type: "openai", baseUrl: vendor.baseUrl }, secrets: [] }))).toMatchObject({
      ok: false,
      words: expect.stringMatching(/no key for OpenAI/),
    });
    const closed = provider();
    await vendor.stop();
    expect(await words(closed)).toMatchObject({ ok: false, code: "upstream_unreachable" });
    vendor = await startVendor({ wire: "openai" });
  });

  test("looks as deep as it is told to", async () => {
    const backend = provider();
    expect(await backend.probe?.("reachable", "acme/stand-in", never)).toMatchObject({ able: true });
    expect(await backend.probe?.("listed", "acme/other", never)).toMatchObject({
      able: false,
      reason: expect.stringMatching(/does not list "other"/),
    });
    vendor.script({ fault: faults.broken });
    expect(await backend.probe?.("answers", "acme/stand-in", never)).toMatchObject({
      able: false,
      failure: { code: "upstream_failed" },
    });
    expect(await backend.probe?.("answers", "acme/stand-in", never)).toMatchObject({ able: true, failure: null });
  });
});
