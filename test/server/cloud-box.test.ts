/** A whole box with providers in its settings, in front of stand-in vendors: what clients get when a vendor misbehaves. */
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createLog } from "../../server/platform/log.ts";
import { createSecretWords } from "../../server/platform/secret-words.ts";
import { adminOf } from "../support/box-client.ts";
import { type RealBox, realBox } from "../support/real-box.ts";
import { postChat, readStream } from "../support/sse.ts";
import { standInText, startVendor, type Step, type Vendor } from "../support/vendors/vendor.ts";

const environmentKey = "sk-from-the-environment-4f2a9c";
const storedKey = "sk-handed-over-later-77b1e0d3";
const logged: string[] = [];

/** A target that failed rests: each case has one of its own. */
const models = ["stand-in", "cut", "cut whole", "stalled", "stalled whole", "moved"].map((name) =>
  name.replace(" ", "-"),
);

let vendor: Vendor;
let elsewhere: Vendor;
let box: RealBox;

beforeAll(async () => {
  vendor = await startVendor({ wire: "openai", models });
  elsewhere = await startVendor({ wire: "openai" });
  const providers = {
    acme: {
      type: "custom",
      baseUrl: vendor.baseUrl,
      models,
      timeouts: { firstByteMs: 1_000, idleMs: 400, wholeMs: 1_000 },
    },
  };
  const secrets = createSecretWords();
  const environment = { LANTHORN_PROVIDERS: JSON.stringify(providers), LANTHORN_PROVIDER_ACME_KEY: environmentKey };
  const log = createLog({ level: "debug", hide: secrets.hide, write: (line) => logged.push(line) });
  box = await realBox(environment, { log, secrets, environment });
});
afterAll(async () => {
  await box.stop();
  await vendor.stop();
  await elsewhere.stop();
});
beforeEach(() => {
  vendor.script();
});

const ask = { model: "acme/stand-in", messages: [{ role: "user", content: "hello" }] };

async function call(method: string, path: string, body?: object) {
  const answer = await adminOf(box).call(method, path, body);
  return { status: answer.status, text: await answer.text() };
}

test("nobody is contacted by the start, by lists or by looking at the state", async () => {
  for (const path of ["/admin/state", "/admin/providers", "/admin/config", "/v1/models"]) {
    expect((await call("GET", path)).status).toBe(200);
  }
  expect(vendor.log.connections).toBe(0);
});

test("S-24 an answer of a provider reaches the client whole: text, usage, model as asked, one end", async () => {
  const stream = await readStream(box.started.url, { ...ask, stream_options: { include_usage: true } });
  expect(stream.text).toBe(standInText);
  expect(stream.data.at(-1)).toBe("[DONE]");
  const chunks = stream.data.slice(0, -1).map((text) => JSON.parse(text));
  expect(new Set(chunks.map(({ model }) => model))).toEqual(new Set(["acme/stand-in"]));
  expect(chunks.filter(({ choices }) => choices[0]?.finish_reason === "stop")).toHaveLength(1);
  const counted = vendor.log.asked.at(-1)?.counted;
  expect(chunks.at(-1)).toMatchObject({
    choices: [],
    usage: { prompt_tokens: counted?.prompt, completion_tokens: counted?.completion },
  });
  const whole = await postChat(box.started.url, ask);
  expect(await whole.json()).toMatchObject({
    model: "acme/stand-in",
    choices: [{ message: { content: standInText }, finish_reason: "stop" }],
  });
});

describe("S-26", () => {
  test.each<[string, Step]>([
    ["cut", { fault: { kind: "cut", at: 0.5 } }],
    ["stalled", { fault: { kind: "stall", afterFrames: 3 } }],
  ])(
    "an upstream that is %s: an error event in time, no finish, no [DONE]; 502 or 504 in one piece",
    async (name, step) => {
      vendor.script(() => step);
      const startMs = performance.now();
      const { data } = await readStream(box.started.url, { ...ask, model: `acme/${name}` });
      expect(performance.now() - startMs).toBeLessThan(5 * 2_000);
      expect(data).not.toContain("[DONE]");
      const chunks = data.map((text) => JSON.parse(text));
      expect(chunks.at(-1)).toHaveProperty("error.message");
      expect(chunks.filter(({ choices }) => choices?.[0]?.finish_reason != null)).toEqual([]);
      const whole = await postChat(box.started.url, { ...ask, model: `acme/${name}-whole` });
      expect([502, 504]).toContain(whole.status);
      expect(await whole.json()).toHaveProperty("error.message");
    },
  );
});

test("a redirect to another host gets no key and no call", async () => {
  vendor.script(() => ({ fault: { kind: "redirect", to: `${elsewhere.baseUrl}/chat/completions` } }));
  expect((await postChat(box.started.url, { ...ask, model: "acme/moved" })).status).toBe(502);
  expect((await call("POST", "/admin/providers/acme/test", { model: "stand-in" })).text).toContain("redirect");
  expect(elsewhere.log.connections).toBe(0);
});

test("S-36 keys of providers are nowhere to be read: answers, settings, log, data folder", async () => {
  const added = await call("POST", "/admin/providers/acme/keys", { key: storedKey, label: "second" });
  expect(added.status).toBe(201);
  expect(JSON.parse(added.text).key).toMatchObject({ id: 1, host: new URL(vendor.url).host, tail: "e0d3" });
  vendor.script(({ headers }) => ({
    fault: { kind: "status", status: 401, message: `Incorrect API key provided: ${headers.authorization}` },
  }));
  const texts = [added.text, await (await postChat(box.started.url, ask)).text()];
  for (const path of ["/admin/state", "/admin/providers", "/admin/config", "/admin/usage", "/v1/models"]) {
    texts.push((await call("GET", path)).text);
  }
  texts.push((await call("POST", "/admin/providers/acme/test", { model: "stand-in" })).text);
  texts.push(
    (await call("POST", "/admin/providers", { id: "two", setting: { headers: { "X-Api-Key": storedKey } } })).text,
  );
  texts.push(logged.join(""));
  for (const entry of readdirSync(box.home, { recursive: true, withFileTypes: true })) {
    if (entry.isFile()) texts.push(readFileSync(join(entry.parentPath, entry.name), "latin1"));
  }
  for (const secret of [environmentKey, storedKey]) {
    expect(texts.filter((text) => text.includes(secret))).toEqual([]);
  }
  // Both were used, so there was something to hide.
  const sent = new Set(vendor.log.requests.map(({ headers }) => headers.authorization));
  expect(sent).toContain(`Bearer ${environmentKey}`);
  expect(sent).toContain(`Bearer ${storedKey}`);
  vendor.script();
});

test("a provider is added and removed in the settings, with their comments kept", async () => {
  const file = join(box.home, "lanthorn.yaml");
  writeFileSync(file, "# mine\nlog:\n  level: warn # quiet\n");
  const added = await call("POST", "/admin/providers", {
    id: "spare",
    setting: { type: "vllm", baseUrl: elsewhere.baseUrl, models: ["stand-in"] },
  });
  expect(JSON.parse(added.text).provider).toMatchObject({ id: "spare", state: "ready", dataPolicy: "local" });
  expect(readFileSync(file, "utf8")).toMatch(/^# mine\nlog:\n {2}level: warn # quiet\nproviders:\n {2}spare:\n/);
  expect((await call("POST", "/admin/providers/spare/test", {})).text).toContain('"ok":true');
  expect((await call("POST", "/admin/providers", { id: "spare", setting: {} })).status).toBe(400);
  expect((await call("POST", "/admin/providers", { id: "bad", setting: { type: "replicate" } })).text).toContain(
    "OpenRouter",
  );
  expect((await call("DELETE", "/admin/providers/spare")).status).toBe(200);
  expect(readFileSync(file, "utf8")).toBe("# mine\nlog:\n  level: warn # quiet\n");
  expect((await call("POST", "/admin/providers/spare/test", {})).status).toBe(404);
});

test("a box that keeps to itself calls nobody, also not to test", async () => {
  const quiet = await startVendor({ wire: "openai" });
  const environment = {
    LANTHORN_NETWORK_LOCAL_ONLY: "true",
    LANTHORN_PROVIDERS: JSON.stringify({ acme: { type: "custom", baseUrl: quiet.baseUrl, models: ["stand-in"] } }),
  };
  const local = await realBox(environment, { environment });
  try {
    const key = readFileSync(join(local.home, "admin.key"), "utf8").trim();
    const tried = await fetch(`${local.started.url}/admin/providers/acme/test`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: "{}",
    });
    expect(tried.status).toBe(403);
    expect(await tried.text()).toContain("keeps to itself");
    expect((await postChat(local.started.url, ask)).status).toBe(404);
    expect(quiet.log.connections).toBe(0);
  } finally {
    await local.stop();
    await quiet.stop();
  }
});

test("S-24 every wire we call answers behind the same door: text, a tool call, usage, streamed and whole", async () => {
  const wires = { openai: "custom", responses: "perplexity", anthropic: "anthropic", gemini: "gemini" } as const;
  const vendors = new Map<string, Vendor>();
  for (const wire of Object.keys(wires) as (keyof typeof wires)[]) vendors.set(wire, await startVendor({ wire }));
  const providers = Object.fromEntries(
    Object.entries(wires).map(([wire, type]) => [
      wire,
      { type, baseUrl: vendors.get(wire)?.baseUrl, models: ["stand-in"] },
    ]),
  );
  const keys = Object.fromEntries(
    Object.keys(wires).map((wire) => [`LANTHORN_PROVIDER_${wire.toUpperCase()}_KEY`, environmentKey]),
  );
  const environment = { LANTHORN_PROVIDERS: JSON.stringify(providers), ...keys };
  const many = await realBox(environment, { environment });
  try {
    for (const [wire, one] of vendors) {
      const asked = { ...ask, model: `${wire}/stand-in` };
      const stream = await readStream(many.started.url, { ...asked, stream_options: { include_usage: true } });
      expect(stream.text, wire).toBe(standInText);
      expect(stream.data.at(-1), wire).toBe("[DONE]");
      const counted = one.log.asked.at(-1)?.counted;
      const usage = { prompt_tokens: counted?.prompt, completion_tokens: counted?.completion };
      expect(JSON.parse(stream.data.at(-2) ?? "{}"), wire).toMatchObject({ usage });
      one.script({ text: "", toolCalls: [{ name: "weather", arguments: '{"city":"Oslo"}' }] });
      const whole = await postChat(many.started.url, {
        ...asked,
        tools: [{ type: "function", function: { name: "weather", parameters: { type: "object" } } }],
      });
      expect(await whole.json(), wire).toMatchObject({
        model: `${wire}/stand-in`,
        choices: [{ message: { tool_calls: [{ function: { name: "weather", arguments: '{"city":"Oslo"}' } }] } }],
      });
    }
  } finally {
    await many.stop();
    for (const one of vendors.values()) await one.stop();
  }
});
