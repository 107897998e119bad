/** Ollama's API over real HTTP: its official SDK, unmodified, against the HTTP room, and what Codex asks before it begins. */
import { Ollama } from "ollama";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { ChatEvent } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import { failed, finished, jsonOf, offLoopback, openRoom, type Room, text, usage } from "./room.ts";

let room: Room;
let client: Ollama;
beforeAll(async () => {
  room = await openRoom();
  client = new Ollama({ host: room.url });
});
afterAll(() => room.close());
beforeEach(() => {
  room.refusals.length = 0;
  room.script = ({ emit }) => emit(text("Hel"), text("lo"), finished);
});

const messages = [{ role: "user", content: "hi" }];
const chat = { model: "coder", messages };
const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(room.url + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
const calls: ChatEvent[] = [
  { type: "tool-call", index: 0, id: "call_a", name: "weather" },
  { type: "tool-arguments", index: 0, text: '{"city":' },
  { type: "tool-arguments", index: 0, text: '"Ulm"}' },
  { type: "tool-call", index: 1, id: "call_b", name: "weather" },
  { type: "tool-arguments", index: 1, text: '{"city":"Bonn"}' },
  { type: "finished", finishReason: "tool-calls", usage, timings: noTimings },
];
const tools = [{ type: "function", function: { name: "weather", description: "d", parameters: { type: "object" } } }];

describe("S-14 the official SDK", () => {
  test("chats, whole and streamed", async () => {
    const whole = await client.chat(chat);
    expect(whole).toMatchObject({
      model: "coder",
      message: { role: "assistant", content: "Hello" },
      done: true,
      done_reason: "stop",
      prompt_eval_count: 5,
      prompt_eval_cached_count: 2,
      eval_count: 2,
    });
    const pieces: string[] = [];
    let last: object = {};
    for await (const part of await client.chat({ ...chat, stream: true })) {
      pieces.push(part.message.content);
      last = part;
    }
    expect(pieces).toEqual(["Hel", "lo", ""]);
    expect(last).toMatchObject({ done: true, done_reason: "stop", x_lanthorn: { target: "engine/coder" } });
  });

  test("generates, whole and streamed", async () => {
    expect(await client.generate({ model: "coder", prompt: "hi" })).toMatchObject({ response: "Hello", done: true });
    const pieces: string[] = [];
    for await (const part of await client.generate({ model: "coder", prompt: "hi", stream: true })) {
      pieces.push(part.response ?? "");
    }
    expect(pieces.join("")).toBe("Hello");
  });

  test("calls tools, and sends their results back without ids", async () => {
    room.script = ({ emit }) => emit(...calls);
    const { message } = await client.chat({ ...chat, tools });
    const wanted = [
      { function: { name: "weather", arguments: { city: "Ulm" } } },
      { function: { name: "weather", arguments: { city: "Bonn" } } },
    ];
    expect(message.tool_calls).toMatchObject(wanted);
    const streamed = [];
    for await (const part of await client.chat({ ...chat, tools, stream: true })) {
      streamed.push(...(part.message.tool_calls ?? []));
    }
    expect(streamed).toMatchObject(wanted);

    room.script = null;
    const answers = ["sunny", "rainy"].map((content) => ({ role: "tool", tool_name: "weather", content }));
    const answer = client.chat({ ...chat, tools, messages: [...messages, message, ...answers] });
    const performance = await room.next();
    expect(performance.request.messages.slice(1)).toMatchObject([
      { role: "assistant", toolCalls: [{ id: "call_a", arguments: '{"city":"Ulm"}' }, { id: "call_b" }] },
      { role: "tool", toolCallId: "call_a", content: [{ text: "sunny" }] },
      { role: "tool", toolCallId: "call_b", content: [{ text: "rainy" }] },
    ]);
    performance.emit(text("ok"), finished);
    expect((await answer).message.content).toBe("ok");
  });

  test("its wishes arrive: options, format, think, images", async () => {
    room.script = null;
    const answer = client.chat({
      model: "coder:latest",
      messages: [{ ...messages[0], role: "user", content: "look", images: ["iVBORw0KGgoAAAAN"] }],
      format: { type: "object" },
      think: "low",
      keep_alive: "10m",
      options: { temperature: 0, num_ctx: 32_768, num_predict: 3, stop: ["x"] },
    });
    const performance = await room.next();
    expect(performance.request).toMatchObject({
      model: "coder",
      responseFormat: { type: "json-schema", param: "format" },
      reasoning: { effort: "low" },
      maxTokens: 3,
      stop: ["x"],
      messages: [{ content: [{ text: "look" }, { source: { mediaType: "image/png" } }] }],
      notes: [{ detail: "keep_alive" }, { detail: "options.num_ctx 32768, there are 8192" }],
    });
    performance.emit(finished);
    expect((await answer).model).toBe("coder:latest");
  });

  test("an aborted stream frees what it held", async () => {
    room.script = null;
    const asked = client.chat({ ...chat, stream: true });
    const performance = await room.next();
    performance.emit(text("a"));
    const stream = await asked;
    const reading = (async () => {
      for await (const part of stream) if (part.message.content === "a") stream.abort();
    })();
    await expect(reading).rejects.toThrow(/abort/i);
    await performance.left;
  });

  test("refusals are its own ResponseError, with the status and one text", async () => {
    const refusals = [
      ["queue_full", 429],
      ["model_not_found", 404],
      ["worker_died", 503],
      ["context_length_exceeded", 400],
      ["internal", 500],
    ] as const;
    for (const [code, status] of refusals) {
      room.script = ({ refuse }) => refuse(new Failure(code, "Plain words."));
      for (const stream of [true, false]) {
        const asked = stream ? client.chat({ ...chat, stream }) : client.chat({ ...chat, stream });
        await expect(asked).rejects.toMatchObject({
          name: "ResponseError",
          status_code: status,
          error: "Plain words.",
        });
      }
    }
    await expect(client.chat({ ...chat, options: { temperature: 9 } })).rejects.toMatchObject({
      status_code: 400,
      error: expect.stringContaining("options.temperature"),
    });
  });

  test("a stream that fails throws the text", async () => {
    room.script = ({ emit }) => emit(text("half"), failed(new Failure("worker_died", "The model's process ended.")));
    const stream = await client.chat({ ...chat, stream: true });
    const reading = async () => {
      for await (const part of stream) expect(part.done).toBe(false);
    };
    await expect(reading()).rejects.toThrow("The model's process ended.");
  });

  test("401 off loopback without a key, and the key in a header", async () => {
    const lan = await openRoom({ bind: offLoopback });
    try {
      lan.script = ({ emit }) => emit(text("Hello"), finished);
      const stranger = new Ollama({ host: lan.url });
      await expect(stranger.chat(chat)).rejects.toMatchObject({ name: "ResponseError", status_code: 401 });
      await expect(stranger.list()).rejects.toMatchObject({ status_code: 401, error: expect.stringMatching(/key/) });
      const ann = new Ollama({ host: lan.url, headers: { Authorization: `Bearer ${lan.inferenceKey}` } });
      expect((await ann.chat(chat)).message.content).toBe("Hello");
    } finally {
      await lan.close();
    }
  });

  test("list, show, ps and version", async () => {
    const { models } = await client.list();
    expect(models.map(({ name }) => name)).toEqual(["coder", "org/coder:7b@q4"]);
    const shown = await client.show({ model: "org/coder:7b@q4" });
    expect(shown.capabilities).toContain("completion");
    expect((await client.show({ model: "coder:latest" })).model_info).toMatchObject({ "unknown.context_length": 8192 });
    await expect(client.show({ model: "nobody" })).rejects.toMatchObject({ status_code: 404 });
    expect((await client.ps()).models).toMatchObject([{ name: "coder", size_vram: 0 }]);
    expect(await client.version()).toEqual({ version: "0.32.15", server: "lanthorn 0.0.1" });
  });

  test("nothing is changed over this API: each says what to do instead", async () => {
    const refused = (instead: string) => ({ status_code: 400, error: expect.stringContaining(instead) });
    await expect(client.pull({ model: "llama3" })).rejects.toMatchObject(refused("lanthorn models pull llama3"));
    await expect(client.delete({ model: "coder" })).rejects.toMatchObject(refused("lanthorn models rm"));
    await expect(client.create({ model: "x", from: "coder" })).rejects.toMatchObject(refused("lanthorn models import"));
    await expect(client.copy({ source: "coder", destination: "x" })).rejects.toMatchObject(refused("lanthorn.yaml"));
    await expect(client.push({ model: "coder" })).rejects.toMatchObject({ status_code: 400 });
  });

  test("agents 5: a pull of a model that is here succeeds, streamed and whole", async () => {
    expect(await client.pull({ model: "coder" })).toEqual({ status: "success" });
    const states: string[] = [];
    for await (const { status } of await client.pull({ model: "coder:latest", stream: true })) states.push(status);
    expect(states.at(-1)).toBe("success");
  });
});

test("agents 5: Codex --oss finds the box and its model", async () => {
  const { data } = await jsonOf<{ data: { id: string }[] }>(await room.get("/v1/models"));
  expect(data.map(({ id }) => id)).toContain("coder");
  const { version } = await jsonOf<{ version: string }>(await room.get("/api/version"));
  const [major = 0, minor = 0, patch = 0] = version.split(".").map(Number);
  expect(major * 1e6 + minor * 1e3 + patch).toBeGreaterThanOrEqual(13_004);
  const { models } = await jsonOf<{ models: { name: string }[] }>(await room.get("/api/tags"));
  // Letter by letter, or it would pull.
  expect(models.map(({ name }) => name)).toContain("coder");
});

describe("S-16 keep-alive", () => {
  test("headers come before the first token, then lines without text, which the SDK reads past", async () => {
    room.script = null;
    const asked = client.chat({ ...chat, stream: true });
    const performance = await room.next();
    performance.emit({ type: "accepted", promptTokens: 5, queuePosition: 3 });
    const pieces: string[] = [];
    for await (const part of await asked) {
      expect(part.model).toBe("coder");
      pieces.push(part.message.content);
      if (pieces.length === 3) performance.emit(text("at last"), finished);
    }
    expect(pieces.length).toBeGreaterThanOrEqual(5);
    expect(pieces.filter((piece) => piece !== "")).toEqual(["at last"]);
  });

  test("after the headers a failure is a line of its own, and the last one", async () => {
    room.script = null;
    const late = post("/api/generate", { model: "coder", prompt: "hi" });
    const performance = await room.next();
    const response = await late;
    performance.emit(failed(new Failure("model_unavailable", "It will not load.")));
    const lines = (await response.text()).trimEnd().split("\n");
    expect(response.status).toBe(200);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ error: "It will not load." });
    expect(lines.slice(0, -1).map((line) => JSON.parse(line))).toEqual(
      lines.slice(0, -1).map(() => expect.objectContaining({ response: "", done: false })),
    );
    expect(lines.length).toBeGreaterThan(1);
  });
});

describe("agents 18 and S-03: an error is one text", () => {
  const cases: [status: number, ask: () => Promise<Response>][] = [
    [401, () => post("/api/chat", chat, { authorization: "Bearer lth_wrong" })],
    [401, () => room.get("/api/tags", { authorization: "Bearer lth_wrong" })],
    [404, () => room.get("/api/nothing")],
    [405, () => room.get("/api/chat")],
    [405, () => post("/api/tags", {})],
    [413, () => post("/api/chat", { ...chat, x: "x".repeat(1024 * 1024) })],
    [415, () => post("/api/chat", chat, { "content-type": "text/plain" })],
    [415, () => post("/api/show", { model: "coder" }, { "content-type": "text/plain" })],
    [400, () => post("/api/chat", '{"model": ')],
    [400, () => post("/api/chat", "")],
    [400, () => post("/api/generate", "[]")],
    [400, () => post("/api/embed", { model: "coder" })],
    [400, () => post("/api/embeddings", { model: "coder", prompt: "" })],
    [400, () => post("/api/show", {})],
    [400, () => post("/api/pull", { model: 5 })],
    [400, () => post("/api/generate", { model: "coder", prompt: "", keep_alive: 0 })],
  ];
  test.each(cases)("%i", async (status, ask) => {
    const response = await ask();
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    const body = await jsonOf<{ error: unknown }>(response);
    expect(Object.keys(body)).toEqual(["error"]);
    expect(body.error).toMatch(/\w{3}/);
  });

  test("429 and 503 have a Retry-After, streamed and whole", async () => {
    for (const code of ["queue_full", "no_room"] as const) {
      room.script = ({ refuse }) => refuse(new Failure(code, "No.", { retryAfterSeconds: 7 }));
      for (const stream of [true, false]) {
        expect((await post("/api/chat", { ...chat, stream })).headers.get("retry-after")).toBe("7");
      }
    }
  });

  test("what is refused for its body leaves its row", async () => {
    await post("/api/chat", { ...chat, think: "hard" });
    expect(room.refusals).toMatchObject([{ alias: "coder", failure: { code: "invalid_request", param: "think" } }]);
  });
});
