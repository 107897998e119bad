/**
 * Local only means that nothing leaves: upstreams of every wire stand ready, and requests that must stay here open no connection to any
 * of them, whichever way they come in. One line per way in, and one per way of saying so.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { requestAnswer } from "../../server/cli/answers.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { startVendor, type Vendor, type WireName } from "../support/vendors/vendor.ts";

const engineModel = "lanthorn-demo";
const wires = {
  openai: "openai-chat",
  responses: "openai-responses",
  anthropic: "anthropic-messages",
  gemini: "gemini",
} as const satisfies Record<WireName, string>;
const names = Object.keys(wires) as readonly WireName[];
const upstream = (name: WireName) => `${name}/stand-in`;

/** A way in: where it goes and what it sends. A new way by which content could leave the box gets a line here. */
interface WayIn {
  readonly name: string;
  readonly path: string;
  body(model: string): object;
  /** The engine answers it when it may; false: the demo model cannot. */
  readonly answeredHere: boolean;
}

const messages = [{ role: "user", content: "keep this here" }];
const ways: readonly WayIn[] = [
  {
    name: "chat",
    path: "/v1/chat/completions",
    body: (model) => ({ model, messages, max_tokens: 2 }),
    answeredHere: true,
  },
  {
    name: "chat, streamed",
    path: "/v1/chat/completions",
    body: (model) => ({ model, messages, max_tokens: 2, stream: true }),
    answeredHere: true,
  },
  {
    name: "completions",
    path: "/v1/completions",
    body: (model) => ({ model, prompt: "keep this here", max_tokens: 2 }),
    answeredHere: true,
  },
  {
    name: "responses",
    path: "/v1/responses",
    body: (model) => ({ model, input: "keep this here", max_output_tokens: 16, store: false }),
    answeredHere: true,
  },
  { name: "messages", path: "/v1/messages", body: (model) => ({ model, messages, max_tokens: 2 }), answeredHere: true },
  {
    name: "count_tokens",
    path: "/v1/messages/count_tokens",
    body: (model) => ({ model, messages }),
    answeredHere: true,
  },
  {
    name: "ollama chat",
    path: "/api/chat",
    body: (model) => ({ model, messages, stream: false, options: { num_predict: 2 } }),
    answeredHere: true,
  },
  {
    name: "ollama generate",
    path: "/api/generate",
    body: (model) => ({ model, prompt: "keep this here", stream: false, options: { num_predict: 2 } }),
    answeredHere: true,
  },
  {
    name: "embeddings",
    path: "/v1/embeddings",
    body: (model) => ({ model, input: "keep this here" }),
    answeredHere: false,
  },
  {
    name: "ollama embed",
    path: "/api/embed",
    body: (model) => ({ model, input: "keep this here" }),
    answeredHere: false,
  },
  {
    name: "rerank",
    path: "/v1/rerank",
    body: (model) => ({ model, query: "keep this here", documents: ["a", "b"] }),
    answeredHere: false,
  },
];

/** Several turns, so that there is something to condense. */
const talk = [
  { role: "user", content: "keep this here, all of it" },
  { role: "assistant", content: "I do." },
  ...messages,
];

/**
 * A way of asking others on the route's own account: each setting names upstreams for what it asks on the side. `notes` say that it was
 * not left out but kept here. Batches get lines here when they are served: a batch is local only as its requests are.
 */
const onTheSide = {
  cascade: {
    route: { mode: "cascade", cascade: { threshold: 1 } },
    notes: ["draft_discarded", "draft_kept"],
  },
  judge: {
    route: { mode: "cascade", cascade: { threshold: 1, judge: upstream("anthropic"), judgeWhen: "always" } },
    notes: ["draft_discarded", "draft_kept"],
  },
  consensus: { route: { mode: "consensus", consensus: { judge: upstream("gemini") } }, notes: ["voters_disagreed"] },
  brief: { route: { brief: { over: 1, by: upstream("openai"), keepTurns: 1 } }, notes: ["brief_failed"] },
  tiers: {
    route: { classify: { by: upstream("responses"), tiers: { hard: "design", easy: "the rest" }, otherwise: "easy" } },
    notes: ["tier_assumed"],
  },
  shadow: { route: { shadow: { target: upstream("openai"), share: 1, perDayUsd: 100 } }, notes: [] },
  cache: { route: {}, notes: [] },
} as const;
const sideNames = Object.keys(onTheSide) as readonly (keyof typeof onTheSide)[];

/** The engine first where it drafts or votes, upstreams beside it and behind it. */
function sideRoute(name: keyof typeof onTheSide, more: object): object {
  const { route } = onTheSide[name];
  const engine = `engine/${engineModel}`;
  const first = name === "consensus" ? [engine, upstream("openai")] : [engine];
  return { ...route, ...more, groups: [first, names.map(upstream)] };
}

/** A way of saying it. `direct` are models of upstreams, `fallback` is an alias with the engine's model behind all of them. */
const sayings = [
  {
    name: "network.localOnly",
    box: () => closedBox,
    direct: names.map(upstream),
    fallback: "anywhere",
    side: (name: string) => name,
    headers: {},
  },
  {
    name: "x-lanthorn-data: local",
    box: () => openBox,
    direct: names.map(upstream),
    fallback: "anywhere",
    side: (name: string) => name,
    headers: { "x-lanthorn-data": "local" },
  },
  {
    name: "a route's localOnly",
    box: () => openBox,
    direct: names.map((name) => `only-${name}`),
    fallback: "kept",
    side: (name: string) => `kept-${name}`,
    headers: {},
  },
  {
    name: "a key for local-only routes",
    box: () => openBox,
    direct: [...names.map(upstream), "anywhere"],
    fallback: "kept",
    side: (name: string) => `kept-${name}`,
    headers: { authorization: "" },
  },
] as const;

let vendors: readonly Vendor[] = [];
let closedBox: RealBox;
let openBox: RealBox;
/** May ask for routes that are local only and nothing else. */
let keptKey = "";

beforeAll(async () => {
  vendors = await Promise.all(names.map((wire) => startVendor({ wire })));
  const providers = Object.fromEntries(
    names.map((name, index) => [
      name,
      {
        type: "custom",
        baseUrl: vendors[index]?.baseUrl,
        dialect: wires[name],
        models: [{ id: "stand-in", capabilities: ["chat", "embeddings", "rerank"] }],
      },
    ]),
  );
  const targets = [...names.map(upstream), `engine/${engineModel}`];
  const routes = {
    anywhere: { groups: targets },
    kept: { groups: targets, localOnly: true },
    ...Object.fromEntries(names.map((name) => [`only-${name}`, { groups: [upstream(name)], localOnly: true }])),
    ...Object.fromEntries(sideNames.map((name) => [name, sideRoute(name, {})])),
    ...Object.fromEntries(sideNames.map((name) => [`kept-${name}`, sideRoute(name, { localOnly: true })])),
  };
  const cached = Object.fromEntries(["cache", "kept-cache"].map((alias) => [alias, { ttlMs: 600_000, sampled: true }]));
  const settings = {
    LANTHORN_PROVIDERS: JSON.stringify(providers),
    LANTHORN_ROUTES: JSON.stringify(routes),
    LANTHORN_CACHE_ALIASES: JSON.stringify(cached),
  };
  const closed = { ...settings, LANTHORN_NETWORK_LOCAL_ONLY: "true" };
  closedBox = await realBox(closed, { environment: closed });
  openBox = await realBox(settings, { environment: settings });
  const allowed = ["kept", ...sideNames.map((name) => `kept-${name}`)];
  const made = await post(openBox, "/admin/keys", { name: "kept", routes: allowed });
  keptKey = z.object({ secret: z.string() }).parse(JSON.parse(made.text)).secret;
});
afterAll(async () => {
  await closedBox.stop();
  await openBox.stop();
  for (const vendor of vendors) await vendor.stop();
});

const connections = () => Object.fromEntries(names.map((name, index) => [name, vendors[index]?.log.connections]));
const untouched = Object.fromEntries(names.map((name) => [name, 0]));

async function post(box: RealBox, path: string, body: object, headers: Readonly<Record<string, string>> = {}) {
  const key = readFileSync(join(box.home, "admin.key"), "utf8").trim();
  // Said to be empty: it is not the owner who asks.
  const bearer = headers.authorization === "" ? keptKey : key;
  const answer = await fetch(`${box.started.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers, authorization: `Bearer ${bearer}` },
    body: JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text(), requestId: answer.headers.get("x-request-id") ?? "" };
}

async function rowOf(box: RealBox, requestId: string) {
  const key = readFileSync(join(box.home, "admin.key"), "utf8").trim();
  const answer = await fetch(`${box.started.url}/admin/usage/requests/${requestId}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  return requestAnswer.parse(await answer.json());
}

describe.each(sayings)(
  "S-25 local only, by $name: no upstream hears of it",
  ({ box, direct, fallback, side, headers }) => {
    test.each(ways)("$name", async ({ path, body, answeredHere }) => {
      for (const model of direct) {
        const { status } = await post(box(), path, body(model), headers);
        expect([400, 403, 404, 503]).toContain(status);
      }
      const { status, text } = await post(box(), path, body(fallback), headers);
      if (answeredHere) expect(status, text).toBe(200);
      else expect(status).toBeGreaterThanOrEqual(400);
      expect(connections()).toEqual(untouched);
    });

    test.each(sideNames)("%s", async (name) => {
      const body = { model: side(name), messages: talk, max_tokens: 2 };
      // The second of two equal requests is what a cache answers.
      for (const _turn of [1, 2]) {
        const { status, text, requestId } = await post(box(), "/v1/chat/completions", body, headers);
        expect(status, text).toBe(200);
        const { attempts, notes } = await rowOf(box(), requestId);
        const here = attempts.filter(({ target }) => /^(engine|cache)\//u.test(target));
        expect(here.length, JSON.stringify(attempts)).toBeGreaterThan(0);
        expect(here).toEqual(attempts);
        expect(notes.map(({ code }) => code)).toEqual(onTheSide[name].notes);
      }
      // A copy would begin in one of the next turns of the loop.
      for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
      expect(connections()).toEqual(untouched);
    });
  },
);

test("S-25 local only: neither a provider's test nor a route's leaves a box that keeps to itself", async () => {
  for (const name of names) {
    const { status, text } = await post(closedBox, `/admin/providers/${name}/test`, { model: "stand-in" });
    expect(status, text).toBe(403);
  }
  await post(closedBox, "/admin/routes/explain", { model: "anywhere" });
  await post(closedBox, "/admin/routes/test", { model: "anywhere" });
  await post(openBox, "/admin/routes/test", { model: "kept" });
  expect(connections()).toEqual(untouched);
});

/** Last: from here on they were contacted. */
test("the same upstreams are reachable, and asked, by requests that do not say so", async () => {
  for (const [index, name] of names.entries()) {
    const { status, text } = await post(openBox, "/v1/chat/completions", { model: upstream(name), messages });
    expect(status, text).toBe(200);
    expect(vendors[index]?.log.asked).toHaveLength(1);
  }
});

test("so are those that routes ask on the side", async () => {
  for (const name of sideNames) {
    if (name === "cache") continue;
    for (const vendor of vendors) vendor.clear();
    const { status, text } = await post(openBox, "/v1/chat/completions", {
      model: name,
      messages: talk,
      max_tokens: 2,
    });
    expect(status, text).toBe(200);
    // Copies go out after the answer.
    if (name === "shadow") await vendors[0]?.waitForAsked(1);
    expect(vendors.flatMap(({ log }) => log.asked).length, name).toBeGreaterThan(0);
  }
});
