/** Bills as providers document them, read from a loopback server: their units, their pages, and what goes wrong with them. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { createBills } from "../../../../server/backends/cloud/bills/bills.ts";
import { findBillsKey } from "../../../../server/backends/cloud/bills/bills-key.ts";
import type { BillSource } from "../../../../server/backends/cloud/bills/bill-source.ts";
import { fetchBill } from "../../../../server/backends/cloud/bills/fetch-bill.ts";
import { billSources } from "../../../../server/backends/cloud/bills/index.ts";
import { configureProvider } from "../../../../server/backends/cloud/configure.ts";
import { providerSetting } from "../../../../server/config/provider-setting.ts";
import type { Clock } from "../../../../server/domain/ports.ts";
import { attosOf } from "../../../../server/domain/reconcile/exact-amount.ts";
import { systemClock } from "../../../../server/platform/clock.ts";
import { createUpstreamFetch } from "../../../../server/platform/upstream/upstream-fetch.ts";

type Answer = (request: IncomingMessage, response: ServerResponse) => void;
let answers: Answer[] = [];
let asked: { readonly url: URL; readonly headers: IncomingMessage["headers"] }[] = [];
const waits: number[] = [];
const server = createServer((request, response) => {
  asked.push({ url: new URL(request.url ?? "/", "http://bill"), headers: request.headers });
  (answers.shift() ?? json({}))(request, response);
});
let origin = "";
const upstream = createUpstreamFetch({ environment: {}, caFile: "" });

/** Waits are noted and over at once; limits of time never come. */
const clock: Clock = {
  ...systemClock,
  now: () => Date.parse("2026-11-20T12:00:00Z"),
  after: (delayMs, callback) => {
    if (delayMs >= 60_000) return () => {};
    waits.push(delayMs);
    const timer = setImmediate(callback);
    return () => clearImmediate(timer);
  },
};

beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await upstream.close();
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});
afterEach(() => {
  answers = [];
  asked = [];
  waits.length = 0;
});

const json =
  (body: unknown, status = 200, headers: Readonly<Record<string, string>> = {}): Answer =>
  (_request, response) => {
    response
      .writeHead(status, { "content-type": "application/json", ...headers })
      .end(typeof body === "string" ? body : JSON.stringify(body));
  };

const range = { from: "2026-11-18", until: "2026-11-20" };

function settingsOf(type: string, base = "/v1") {
  return configureProvider(type, providerSetting.parse({ type, baseUrl: `${origin}${base}` }));
}

function read(type: string, base?: string, source = billSources[type] as BillSource) {
  const call = { settings: settingsOf(type, base), source, secret: "sk-admin-1", range };
  return fetchBill(call, { clock, upstream }, new AbortController().signal);
}

const usd = (text: string) => attosOf(text, "usd");

describe("what a documented bill means", () => {
  test("OpenAI: dollars by line item, with every digit of the number; a project's own items name no model", async () => {
    const results = (lines: readonly (readonly [string, string | null])[]) =>
      lines
        .map(
          ([value, item]) =>
            `{"object":"organization.costs.result","amount":{"value":${value},"currency":"usd"},"line_item":${JSON.stringify(item)},"project_id":null}`,
        )
        .join(",");
    const page = (start: number, lines: string, next: string | null) =>
      `{"object":"page","data":[{"object":"bucket","start_time":${start},"end_time":${start + 86_400},"results":[${lines}]}],"has_more":${next !== null},"next_page":${JSON.stringify(next)}}`;
    const first = Date.parse("2026-11-18T00:00:00Z") / 1000;
    answers = [
      json(page(first, results([["0.13080438340307526123", "gpt-4o-2024-08-06, cached input"]]), "page_2")),
      json(
        page(
          first + 86_400,
          results([
            ["1e-7", "web search tool calls"],
            ["0.06", null],
          ]),
          null,
        ),
      ),
    ];
    expect(await read("openai")).toEqual([
      expect.objectContaining({
        day: "2026-11-18",
        model: "gpt-4o-2024-08-06",
        what: "cached input",
        attos: 130_804_383_403_075_261n,
      }),
      expect.objectContaining({
        day: "2026-11-19",
        model: null,
        what: "web search tool calls",
        attos: usd("0.0000001"),
      }),
      expect.objectContaining({ day: "2026-11-19", model: null, attos: usd("0.06") }),
    ]);
    expect(asked[0]?.url.pathname).toBe("/v1/organization/costs");
    expect(Object.fromEntries(asked[0]?.url.searchParams ?? [])).toEqual({
      ...{ start_time: String(first), end_time: String(first + 2 * 86_400) },
      ...{ bucket_width: "1d", limit: "180", "group_by[]": "line_item" },
    });
    expect(asked[1]?.url.searchParams.get("page")).toBe("page_2");
    expect(asked.map(({ headers }) => headers.authorization)).toEqual(["Bearer sk-admin-1", "Bearer sk-admin-1"]);
  });

  test("Anthropic: cents as decimal text, with its version and its own header for the key", async () => {
    const results = [
      { amount: "123.78912", currency: "USD", model: "claude-sonnet-4-5", description: "Input", cost_type: "tokens" },
      { amount: "1", currency: "USD", model: null, description: "Web Search Usage", cost_type: "web_search" },
      { amount: "5", currency: "EUR", model: "claude-sonnet-4-5", description: "Input" },
    ];
    answers = [
      json({
        data: [{ starting_at: "2026-11-18T00:00:00Z", ending_at: "2026-11-19T00:00:00Z", results }],
        has_more: false,
        next_page: null,
      }),
    ];
    expect((await read("anthropic")).map(({ model, attos }) => [model, attos])).toEqual([
      ["claude-sonnet-4-5", usd("1.2378912")],
      [null, usd("0.01")],
      ["claude-sonnet-4-5", null],
    ]);
    expect(asked[0]?.url.pathname).toBe("/v1/organizations/cost_report");
    expect(asked[0]?.url.searchParams.get("starting_at")).toBe("2026-11-18T00:00:00.000Z");
    expect(asked[0]?.headers).toMatchObject({ "x-api-key": "sk-admin-1", "anthropic-version": "2023-06-01" });
  });

  test("OpenRouter: thirty days at once, of which those asked for are taken; what BYOK cost elsewhere is not its own", async () => {
    const item = {
      model: "openai/gpt-4.1",
      provider_name: "OpenAI",
      usage: 0.015,
      byok_usage_inference: 9,
      requests: 5,
    };
    answers = [
      json({
        data: [
          { ...item, date: "2026-11-18" },
          { ...item, date: "2026-11-19 00:00:00" },
          { ...item, date: "2026-11-01" },
        ],
      }),
    ];
    expect(await read("openrouter", "/api/v1")).toEqual([
      expect.objectContaining({ day: "2026-11-18", model: "openai/gpt-4.1", attos: usd("0.015"), requests: 5 }),
      expect.objectContaining({ day: "2026-11-19", attos: usd("0.015") }),
    ]);
    expect(asked[0]?.url.pathname).toBe("/api/v1/activity");
  });

  test("DeepInfra: a call for each day, outside of the base path, in cents; whole cents hide half of one", async () => {
    const month = (cost: number) => ({
      months: [{ items: [{ model: { model_name: "meta/llama" }, cost, pricing_type: "tokens" }], total_cost: 1 }],
    });
    answers = [json(month(775)), json(month(0.00268))];
    expect(await read("deepinfra", "/v1/openai")).toEqual([
      expect.objectContaining({ day: "2026-11-18", model: "meta/llama", attos: usd("7.75"), roundingNanos: 5_000_000 }),
      expect.objectContaining({ day: "2026-11-19", attos: usd("0.0000268"), roundingNanos: 1 }),
    ]);
    expect(
      asked.map(
        ({ url }) => `${url.pathname} ${Number(url.searchParams.get("to")) - Number(url.searchParams.get("from"))}`,
      ),
    ).toEqual(["/payment/usage 86400", "/payment/usage 86400"]);
  });

  test("RunPod: dollars by pod and day", () => {
    const { paths, read: readPage } = billSources.runpod as BillSource;
    expect(paths(range, "/v2", 0)).toEqual([
      "/v2/billing/pods?startTime=2026-11-18T00%3A00%3A00.000Z&endTime=2026-11-20T00%3A00%3A00.000Z&bucketSize=day",
    ]);
    const record = { podId: "abc123", startTime: "2026-11-18T00:00:00Z", totalAmount: "1.2345", gpuAmount: "1.2" };
    expect(readPage({ records: [record], metadata: {} }, "", range)?.lines).toEqual([
      expect.objectContaining({ day: "2026-11-18", model: "abc123", attos: usd("1.2345") }),
    ]);
    expect(readPage({ error: "no" }, "", range)).toBeNull();
  });

  test.each(["1e400", '"lots"', "true", "null", "[]", "9999999999"])(
    "an amount of %s is none, and is kept as none",
    async (value) => {
      answers = [json(`{"data":[{"date":"2026-11-18","model":"m","usage":${value},"requests":-1}]}`)];
      expect(await read("openrouter", "/api/v1")).toEqual([
        expect.objectContaining({ model: "m", attos: null, requests: null }),
      ]);
    },
  );
});

describe("what goes wrong", () => {
  const empty = { data: [] };

  test("a 429 is waited for as long as it asks, and not for ever", async () => {
    answers = [json({}, 429, { "retry-after": "7" }), json({}, 503), json(empty)];
    expect(await read("openrouter", "/api/v1")).toEqual([]);
    expect(waits).toEqual([7_000, 4_000]);
    answers = Array.from({ length: 9 }, () => json({}, 429, { "retry-after": "3600" }));
    await expect(read("openrouter", "/api/v1")).rejects.toMatchObject({
      code: "upstream_rate_limited",
      coolDownMs: 3_600_000,
    });
    expect(asked).toHaveLength(4);
    answers = Array.from({ length: 9 }, () => json({}, 429));
    await expect(read("openrouter", "/api/v1")).rejects.toMatchObject({ code: "upstream_rate_limited" });
    expect(asked).toHaveLength(8);
  });

  test.each<[string, Answer, string]>([
    [
      "a page for people",
      (_request, response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
      "a web page where its bill should be",
    ],
    [
      "a page for people with a status",
      (_request, response) => void response.writeHead(404, { "content-type": "text/html" }).end("<html>"),
      "a web page (404)",
    ],
    ["half a document", json('{"data":['), "no JSON where its bill should be"],
    ["another shape", json({ rows: [] }), "another shape"],
    ["a redirect", json("", 302, { location: "https://elsewhere.example/" }), "redirects"],
  ])("%s is said in words", async (_name, answer, words) => {
    answers = [answer];
    await expect(read("openrouter", "/api/v1")).rejects.toThrow(words);
    expect(asked).toHaveLength(1);
  });

  test("a key of the wrong kind: which one it needs, and never the key itself", async () => {
    answers = [json({ error: { message: "sk-admin-1 is no admin key" } }, 401)];
    const failure = await read("openai").catch((thrown: unknown) => thrown);
    expect(failure).toMatchObject({
      code: "upstream_key_refused",
      why: expect.stringContaining("an admin key of the organisation"),
    });
    expect(JSON.stringify(failure) + String(failure)).not.toContain("sk-admin-1");
  });

  test("pages that lead in a circle come to an end", async () => {
    const start = Date.parse("2026-11-18T00:00:00Z") / 1000;
    const again = json({ data: [{ start_time: start, results: [] }], has_more: true, next_page: "page_1" });
    answers = [again, again, again];
    await expect(read("openai")).rejects.toThrow("do not come to an end");
    expect(asked).toHaveLength(2);
  });

  test("who leaves is not waited for", async () => {
    const leaving = new AbortController();
    answers = [() => leaving.abort(new Error("left"))];
    const call = { settings: settingsOf("openai"), source: billSources.openai as BillSource, secret: "k", range };
    await expect(fetchBill(call, { clock, upstream }, leaving.signal)).rejects.toThrow("left");
  });
});

test("a box that keeps to itself asks for no bill, and what cannot be billed is said", async () => {
  const settings = {
    openai: providerSetting.parse({ baseUrl: `${origin}/v1` }),
    groq: providerSetting.parse({ baseUrl: `${origin}/v1` }),
    office: providerSetting.parse({ type: "vllm", baseUrl: `${origin}/v1` }),
  };
  const ports = {
    ...{ clock, upstream, home: "/nowhere", knowSecret: () => {}, settings: () => settings },
    environment: { LANTHORN_PROVIDER_OPENAI_BILLS_KEY: "sk-admin-1" },
    ...{ keys: { open: () => [] }, ours: async () => [], canonical: (_provider: string, model: string) => model },
  };
  const wish = { provider: null, from: null, to: null };
  const { signal } = new AbortController();
  const quiet = await createBills({ ...ports, localOnly: true }).reconcile(wish, signal);
  expect(quiet.reconciled).toBe(true);
  expect(quiet.accounts.map(({ provider, reason }) => [provider, reason])).toEqual([
    ["openai", "this box keeps to itself (network.localOnly)"],
    ["groq", "this box keeps to itself (network.localOnly)"],
  ]);
  expect(asked).toEqual([]);
  answers = [json({ data: [] })];
  const open = await createBills({ ...ports, localOnly: false }).reconcile(wish, signal);
  expect(open).toMatchObject({ reconciled: true, from: "2026-11-13", to: "2026-11-20" });
  expect(open.accounts.map(({ provider, state }) => [provider, state])).toEqual([
    ["openai", "compared"],
    ["groq", "not_compared"],
  ]);
  expect(open.accounts[1]?.reason).toContain("no documented way");
});

describe("the key", () => {
  const stored = (_provider: string, host: string, purpose: "calls" | "bills") =>
    host === "api.openai.com" || host === "api.deepinfra.com"
      ? [{ id: purpose === "bills" ? 2 : 1, secret: `stored-for-${purpose}`, weight: 1, label: null }]
      : [];
  const find = (type: string, environment: Readonly<Record<string, string>>, baseUrl?: string) => {
    const settings = configureProvider(
      type,
      providerSetting.parse({ type, ...(baseUrl === undefined ? {} : { baseUrl }) }),
    );
    const sources = { environment, keyFile: "", home: "/nowhere", stored };
    return findBillsKey(settings, billSources[type] as BillSource, sources);
  };

  test("is one for bills: of the entry, of the vendor at its own address, or stored", () => {
    const own = { LANTHORN_PROVIDER_OPENAI_BILLS_KEY: "sk-own-1", OPENAI_ADMIN_KEY: "sk-admin-2" };
    expect(find("openai", own)?.secret).toBe("sk-own-1");
    expect(find("openai", { OPENAI_ADMIN_KEY: "sk-admin-2" })?.source).toBe("environment OPENAI_ADMIN_KEY");
    expect(find("openai", {})).toEqual({ source: "stored 2", secret: "stored-for-bills" });
    // Elsewhere nobody gets the vendor's key, nor the one that was stored for its host.
    expect(
      find("openai", { OPENAI_ADMIN_KEY: "sk-admin-2", OPENAI_API_KEY: "sk-3333" }, "http://127.0.0.1:1/v1"),
    ).toBeNull();
  });

  test("is the one for calls only where the provider takes that", () => {
    expect(find("openrouter", { OPENROUTER_API_KEY: "sk-or-1" })).toBeNull();
    expect(find("deepinfra", { DEEPINFRA_API_KEY: "di-1234" })?.secret).toBe("stored-for-bills");
    expect(find("deepinfra", { DEEPINFRA_API_KEY: "di-1234" }, "http://127.0.0.1:1/v1")).toBeNull();
  });
});
