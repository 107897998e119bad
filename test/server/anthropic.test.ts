/**
 * Anthropic's Messages over HTTP, in a whole box: S-08 on the real engine with the built-in demo model, and in front of a stand-in
 * vendor of the same wire.
 */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RealBox, realBox } from "../support/real-box.ts";
import { standInText, startVendor, type Vendor } from "../support/vendors/vendor.ts";

let box: RealBox;
let vendor: Vendor;
beforeAll(async () => {
  vendor = await startVendor({ wire: "anthropic", keys: ["sk-ant-stand-in"] });
  const acme = { type: "anthropic", baseUrl: vendor.baseUrl, models: ["stand-in"] };
  const environment = {
    LANTHORN_PROVIDERS: JSON.stringify({ acme }),
    LANTHORN_PROVIDER_ACME_KEY: "sk-ant-stand-in",
    LANTHORN_ROUTES: JSON.stringify({
      home: { groups: ["acme/stand-in", "engine/lanthorn-demo"], localOnly: true },
    }),
  };
  box = await realBox(environment, { environment });
});
afterAll(async () => {
  await box.stop();
  await vendor.stop();
});

const model = "lanthorn-demo";
const hello = { model, max_tokens: 8, messages: [{ role: "user", content: "Say hello." }] };

function post(body: unknown, path = "/v1/messages", headers: Record<string, string> = {}): Promise<Response> {
  return fetch(`${box.started.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  });
}

interface Message {
  readonly id: string;
  readonly type: string;
  readonly role: string;
  readonly model: string;
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly stop_reason: string;
  readonly usage: Readonly<Record<string, unknown>> & { readonly input_tokens: number; readonly output_tokens: number };
}

const whole = async (body: object): Promise<Message> => (await (await post(body)).json()) as Message;

async function count(body: object, path = "/v1/messages/count_tokens"): Promise<number> {
  return ((await (await post(body, path)).json()) as { input_tokens: number }).input_tokens;
}

interface SentEvent {
  readonly event: string;
  readonly data: { readonly type: string; readonly [field: string]: unknown };
}

async function events(body: object): Promise<SentEvent[]> {
  const response = await post({ ...body, stream: true });
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  return (await response.text())
    .split("\n\n")
    .filter((frame) => frame.startsWith("event: "))
    .map((frame) => {
      const [, event = "", data = ""] = /^event: (.*)\ndata: (.*)$/.exec(frame) ?? [];
      return { event, data: JSON.parse(data) };
    });
}

describe("S-08", () => {
  test("what count_tokens says is what an answer is charged for, before anything is cached", async () => {
    const prompt = {
      model,
      system: "You are a lamp.",
      messages: [{ role: "user", content: "How bright are you today?" }],
    };
    const counted = await count(prompt, "/v1/messages/count_tokens?beta=true");
    const answer = await whole({ ...prompt, max_tokens: 4 });
    expect(answer.usage).toMatchObject({ input_tokens: counted, cache_read_input_tokens: 0 });
    // Agents 17: the second time most of it is there already, and both parts are said.
    const again = await whole({ ...prompt, max_tokens: 4 });
    expect(again.usage.input_tokens + Number(again.usage.cache_read_input_tokens)).toBe(counted);
    expect(again.usage.cache_read_input_tokens).toBeGreaterThan(0);
  });

  test("a whole message: its shape, whole numbers, and why it ended", async () => {
    const answer = await whole(hello);
    expect(answer).toMatchObject({ type: "message", role: "assistant", model, stop_reason: "max_tokens" });
    expect(answer.id).toMatch(/^msg_./);
    expect(answer.content).toEqual([{ type: "text", text: expect.stringMatching(/./) }]);
    expect(answer.usage.output_tokens).toBe(8);
    for (const field of ["input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"]) {
      expect(answer.usage[field]).toSatisfy(Number.isInteger);
    }
    expect(await whole({ ...hello, max_tokens: 500 })).toMatchObject({ stop_reason: "end_turn" });
  });

  test("a stream: the events in order, their names, indices one after the other, the same text and usage", async () => {
    const body = { ...hello, temperature: 0, max_tokens: 12 };
    const sent = await events(body);
    for (const { event, data } of sent) expect(data.type).toBe(event);
    const [start, ...rest] = sent.filter(({ event }) => event !== "ping");
    expect(start?.data).toMatchObject({ message: { type: "message", role: "assistant", model, content: [] } });
    expect(rest[0]?.data).toMatchObject({
      type: "content_block_start",
      index: 0,
      content_block: { type: "text", text: "" },
    });
    const deltas = rest.filter(({ event }) => event === "content_block_delta");
    expect(deltas.length).toBeGreaterThan(1);
    expect(deltas.every(({ data }) => data.index === 0)).toBe(true);
    expect(rest.slice(-3).map(({ event }) => event)).toEqual(["content_block_stop", "message_delta", "message_stop"]);

    const answer = await whole(body);
    expect(deltas.map(({ data }) => (data.delta as { text: string }).text).join("")).toBe(answer.content[0]?.text);
    expect(rest.at(-2)?.data).toMatchObject({
      delta: { stop_reason: "max_tokens", stop_sequence: null },
      usage: { output_tokens: answer.usage.output_tokens },
    });
  });

  test("a stop sequence is named, whole and streamed, and is no part of the answer", async () => {
    const full = (await whole({ ...hello, max_tokens: 12, temperature: 0 })).content[0]?.text ?? "";
    const stop = full.slice(4, 7);
    const body = { ...hello, max_tokens: 12, temperature: 0, stop_sequences: ["no such words", stop] };
    const answer = await whole(body);
    expect(answer).toMatchObject({ stop_reason: "stop_sequence", stop_sequence: stop });
    expect(answer.content[0]?.text).toBe(full.slice(0, full.indexOf(stop)));
    const sent = await events(body);
    expect(sent.at(-2)?.data).toMatchObject({ delta: { stop_reason: "stop_sequence", stop_sequence: stop } });
  });

  test("system as blocks with cache_control, results as blocks, unknown betas, and no version: 200", async () => {
    const cached = { cache_control: { type: "ephemeral" } };
    const body = {
      ...hello,
      system: [{ type: "text", text: "Be brief.", ...cached }],
      tools: [
        { name: "weather", description: "Tells it.", input_schema: { type: "object", properties: {} }, ...cached },
      ],
      messages: [
        { role: "user", content: [{ type: "text", text: "Weather?", ...cached }] },
        { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "weather", input: { city: "Ulm" } }] },
        {
          role: "user",
          content: [
            { type: "tool_result", tool_use_id: "toolu_1", content: [{ type: "text", text: "rain" }], ...cached },
          ],
        },
      ],
    };
    expect((await post(body)).status).toBe(200);
    expect((await post(body, "/v1/messages?beta=true", { "anthropic-beta": "zz-2099-01-01" })).status).toBe(200);
    expect((await post(body, "/v1/messages", { "anthropic-version": "2023-06-01" })).status).toBe(200);
  });

  test("agents 16: a forced call is complete, compact JSON", async () => {
    const input_schema = { type: "object", properties: { city: { enum: ["Ulm", "Bern"] } }, required: ["city"] };
    const answer = await whole({
      ...{ ...hello, max_tokens: 200, tool_choice: { type: "tool", name: "weather", disable_parallel_tool_use: true } },
      tools: [{ name: "weather", input_schema }],
    });
    expect(answer.stop_reason).toBe("tool_use");
    expect(answer.content.at(-1)).toMatchObject({
      ...{ type: "tool_use", id: expect.stringMatching(/./), name: "weather" },
      input: { city: expect.stringMatching(/Ulm|Bern/) },
    });
  });

  test("agents 8, 19: a wish for a longer answer than fits is cut; a prompt that does not fit is refused with both figures", async () => {
    expect((await post({ ...hello, max_tokens: 64_000 })).status).toBe(200);
    const long = { ...hello, stream: true, messages: [{ role: "user", content: "lamp ".repeat(60_000) }] };
    const refused = await post(long);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      type: "error",
      error: {
        type: "invalid_request_error",
        message: expect.stringMatching(/^prompt is too long: \d+ tokens > \d+ maximum/),
      },
    });
  });

  test("an image is refused by name, not left out", async () => {
    const source = { type: "base64", media_type: "image/png", data: "aGk=" };
    const refused = await post({ ...hello, messages: [{ role: "user", content: [{ type: "image", source }] }] });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { type: "invalid_request_error" } });
  });

  test.each<[string, object]>([
    ["max_tokens", { model, messages: hello.messages }],
    ["messages", { model, max_tokens: 8 }],
    [
      "messages[0].content[0].id",
      { ...hello, messages: [{ role: "assistant", content: [{ type: "tool_use", name: "f", input: {} }] }] },
    ],
  ])("without %s it is an invalid_request_error that says so", async (field, body) => {
    const refused = await post(body);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringContaining(field) },
    });
  });
});

describe("in front of an upstream of the same shape", () => {
  const asked = { ...hello, model: "acme/stand-in", max_tokens: 50, zz_unknown: { a: [1.5] } };
  const frames = (bytes: string) => bytes.split("\n\n").filter((frame) => frame !== "" && !frame.startsWith(":"));

  test("S-24 the body, the version and the betas arrive as they were sent; frames come back as they came, with our alias", async () => {
    const headers = { "anthropic-version": "2026-10-21", "anthropic-beta": "zz-2099-01-01" };
    const passed = frames(await (await post({ ...asked, stream: true }, "/v1/messages", headers)).text());
    const seen = vendor.log.asked.at(-1);
    expect(seen?.body).toEqual({ ...asked, model: "stand-in", stream: true });
    expect(seen?.headers).toMatchObject({ ...headers, "x-api-key": "sk-ant-stand-in" });

    const direct = await fetch(`${vendor.baseUrl}/messages`, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json", "x-api-key": "sk-ant-stand-in" },
      body: JSON.stringify({ ...asked, model: "stand-in", stream: true }),
    });
    const sent = frames(await direct.text()).map((frame) =>
      frame.replace('"model":"stand-in"', '"model":"acme/stand-in"'),
    );
    // Each answer has an id of its own.
    const anonymous = (list: readonly string[]) => list.map((frame) => frame.replace(/"id":"ans_\d+"/, '"id":"ans"'));
    expect(anonymous(passed)).toEqual(anonymous(sent));
    expect(passed.length).toBeGreaterThan(5);
    expect(await whole(asked)).toMatchObject({ model: "acme/stand-in", content: [{ text: standInText }] });
  });

  test("count_tokens asks the provider's own; a local-only alias is counted here, and nobody is contacted", async () => {
    const prompt = { model: "acme/stand-in", messages: hello.messages };
    const counted = await count(prompt);
    expect(counted).toBe((await whole({ ...prompt, max_tokens: 5 })).usage.input_tokens);
    expect(vendor.log.requests.filter(({ path }) => path.endsWith("/count_tokens"))).toHaveLength(1);

    const contacts = vendor.log.requests.length;
    expect(await count({ ...prompt, model: "home" })).toBe(await count({ ...prompt, model }));
    expect(vendor.log.requests).toHaveLength(contacts);
  });
});
