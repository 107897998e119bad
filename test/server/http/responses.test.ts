/** S-09: `/v1/responses` over HTTP, as the nine required cases and Codex ask it. Below the door the spine is scripted. */
import OpenAI from "openai";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ChatEvent } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { failed, finished, jsonOf, offLoopback, openRaw, openRoom, type Room, text } from "./room.ts";

let room: Room;
let client: OpenAI;
beforeAll(async () => {
  room = await openRoom({
    bind: offLoopback,
    timing: { commitMs: 60 },
    settings: { keepAliveMs: 100, keepResponsesMs: 60_000 },
  });
  client = new OpenAI({ apiKey: room.inferenceKey, baseURL: `${room.url}/v1`, maxRetries: 0 });
});
afterAll(() => room.close());
afterEach(() => {
  room.script = null;
});

const says =
  (...events: ChatEvent[]): NonNullable<Room["script"]> =>
  ({ emit }) =>
    emit(...events, finished);

const call = (index: number, id: string, name: string, args: string): ChatEvent[] => [
  { type: "tool-call", index, id, name },
  { type: "tool-arguments", index, text: args },
];
const weather = {
  type: "function",
  name: "weather",
  parameters: { type: "object", properties: {} },
  strict: false,
} as const;

function post(body: object, path = "/v1/responses", key = room.inferenceKey): Promise<Response> {
  return fetch(`${room.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify(body),
  });
}

interface WireEvent {
  readonly event: string;
  readonly data: { readonly type: string; readonly sequence_number: number; readonly [field: string]: unknown };
}

/** Every event of a stream; what is no event (comments) is left out. */
async function eventsOf(answer: Response): Promise<readonly WireEvent[]> {
  const frames = (await answer.text()).split("\n\n").filter((frame) => frame.startsWith("event: "));
  return frames.map((frame) => {
    const [event = "", data = ""] = frame.split("\n");
    return { event: event.slice(7), data: JSON.parse(data.slice(6)) };
  });
}

describe("S-09 the nine cases", () => {
  test("basic: a text in, a text out", async () => {
    room.script = says(text("Hello"));
    const answer = await jsonOf(await post({ model: "coder", input: "hi" }));
    expect(answer).toMatchObject({
      object: "response",
      status: "completed",
      output: [{ type: "message", role: "assistant", content: [{ type: "output_text", text: "Hello" }] }],
      usage: { input_tokens: 5, output_tokens: 2, total_tokens: 7, input_tokens_details: { cached_tokens: 2 } },
    });
  });

  test("streaming: numbered from 0, named as typed, and whole at its end", async () => {
    room.script = says(
      { type: "reasoning", text: "Hm." },
      text("Hel"),
      text("lo"),
      ...call(0, "call_1", "weather", '{"a":1}'),
    );
    const events = await eventsOf(await post({ model: "coder", input: "hi", stream: true, tools: [weather] }));
    expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, index) => index));
    expect(events.every(({ event, data }) => event === data.type)).toBe(true);
    const types = events.map(({ event }) => event);
    expect(types.slice(0, 2)).toEqual(["response.created", "response.in_progress"]);
    expect(types.at(-1)).toBe("response.completed");
    const done = events.filter(({ event }) => event === "response.output_item.done").map(({ data }) => data.item);
    const { response } = (events.at(-1)?.data ?? {}) as unknown as { response: { output: unknown[]; usage: object } };
    expect(response.output).toEqual(done);
    expect(response.output).toMatchObject([
      { type: "reasoning" },
      { type: "message", content: [{ text: "Hello" }] },
      { type: "function_call", call_id: "call_1", name: "weather", arguments: '{"a":1}' },
    ]);
    expect(response.usage).toMatchObject({ total_tokens: 7 });
  });

  test("system prompt: instructions stand before the input", async () => {
    const answer = post({
      model: "coder",
      instructions: "Be brief.",
      input: [
        { role: "developer", content: "And kind." },
        { role: "user", content: "hi" },
      ],
    });
    const performance = await room.next();
    performance.emit(text("ok"), finished);
    expect(performance.request.messages).toMatchObject([
      { role: "system", content: [{ text: "Be brief." }] },
      { role: "system", content: [{ text: "And kind." }] },
      { role: "user", content: [{ text: "hi" }] },
    ]);
    expect((await answer).status).toBe(200);
  });

  test("tool calling: a call is an item of its own", async () => {
    room.script = says(...call(0, "call_1", "weather", "{}"), ...call(1, "call_2", "weather", '{"b":2}'));
    expect(await jsonOf(await post({ model: "coder", input: "hi", tools: [weather] }))).toMatchObject({
      output: [
        { type: "function_call", call_id: "call_1", arguments: "{}" },
        { type: "function_call", call_id: "call_2", arguments: '{"b":2}' },
      ],
    });
  });

  test("call round trip: outputs as text and as parts find their calls", async () => {
    const input = [
      { type: "message", role: "user", content: "hi" },
      { type: "function_call", id: "fc_1", call_id: "call_1", name: "weather", arguments: "{}", status: "completed" },
      { type: "function_call", call_id: "call_2", name: "weather", arguments: "{}" },
      { type: "function_call_output", call_id: "call_2", output: [{ type: "input_text", text: "rain" }] },
      { type: "function_call_output", call_id: "call_1", output: "sun" },
    ];
    const answer = post({ model: "coder", input, tools: [weather] });
    const performance = await room.next();
    performance.emit(text("ok"), finished);
    expect(performance.request.messages.slice(-2)).toMatchObject([
      { role: "tool", toolCallId: "call_2", content: [{ text: "rain" }] },
      { role: "tool", toolCallId: "call_1", content: [{ text: "sun" }] },
    ]);
    expect((await answer).status).toBe(200);
  });

  test("image and file input reach whoever can read them", async () => {
    const content = [
      { type: "input_text", text: "what is it?" },
      { type: "input_image", image_url: "data:image/png;base64,AAAA", detail: "low" },
      { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AAAA" },
    ];
    const answer = post({ model: "coder", input: [{ role: "user", content }] });
    const performance = await room.next();
    performance.emit(text("a dot"), finished);
    expect(performance.request.messages[0]?.content).toMatchObject([
      { type: "text" },
      { type: "image", source: { kind: "base64", mediaType: "image/png", data: "AAAA" }, detail: "low" },
      { type: "file", name: "a.pdf", source: { kind: "base64", mediaType: "application/pdf" } },
    ]);
    expect((await answer).status).toBe(200);
  });

  test("multi turn: what was said comes back as items", async () => {
    const input = [
      { role: "user", content: "my name is Ayo" },
      { role: "assistant", content: [{ type: "output_text", text: "Hello Ayo", annotations: [] }] },
      { role: "user", content: "what is my name?" },
    ];
    const answer = post({ model: "coder", input });
    const performance = await room.next();
    performance.emit(text("Ayo"), finished);
    expect(performance.request.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect((await answer).status).toBe(200);
  });

  test("previous_response_id: the whole chain is before the new input", async () => {
    room.script = says(text("Hello Ayo"));
    const first = (await jsonOf(await post({ model: "coder", input: "my name is Ayo" }))) as { id: string };
    const second = (await jsonOf(await post({ model: "coder", input: "yes", previous_response_id: first.id }))) as {
      id: string;
    };
    room.script = null;
    const third = post({ model: "coder", input: "and?", previous_response_id: second.id });
    const performance = await room.next();
    performance.emit(text("ok"), finished);
    await third;
    expect(
      performance.request.messages.map(({ role, content }) => [role, (content[0] as { text: string }).text]),
    ).toEqual([
      ["user", "my name is Ayo"],
      ["assistant", "Hello Ayo"],
      ["user", "yes"],
      ["assistant", "Hello Ayo"],
      ["user", "and?"],
    ]);
    const lost = await post({ model: "coder", input: "x", previous_response_id: "resp_nobody" });
    expect(lost.status).toBe(404);
    expect(await lost.text()).toContain("resp_nobody");
  });
});

describe("kept answers", () => {
  test("are read, listed and deleted by their own caller only, and not kept without `store`", async () => {
    room.script = says(text("Hello"));
    const kept = await client.responses.create({ model: "coder", input: "hi" });
    expect((await client.responses.retrieve(kept.id)).output_text).toBe("Hello");
    expect((await client.responses.inputItems.list(kept.id)).data).toMatchObject([{ type: "message", role: "user" }]);
    const stranger = new OpenAI({ apiKey: room.adminKey, baseURL: `${room.url}/v1`, maxRetries: 0 });
    await expect(stranger.responses.retrieve(kept.id)).rejects.toThrow(OpenAI.NotFoundError);
    await client.responses.delete(kept.id);
    await expect(client.responses.retrieve(kept.id)).rejects.toThrow(OpenAI.NotFoundError);
    const unkept = await client.responses.create({ model: "coder", input: "hi", store: false });
    await expect(client.responses.retrieve(unkept.id)).rejects.toThrow(OpenAI.NotFoundError);
  });

  test("a running answer is cancelled by its caller; one that has ended is not", async () => {
    const stream = await client.responses.create({ model: "coder", input: "hi", stream: true });
    const performance = await room.next();
    performance.emit(text("Hel"));
    const seen: string[] = [];
    let id = "";
    for await (const event of stream) {
      seen.push(event.type);
      if (event.type === "response.created") id = event.response.id;
      if (event.type === "response.output_text.delta") {
        expect((await client.responses.cancel(id)).status).toBe("cancelled");
        await performance.left;
        performance.emit({
          type: "aborted",
          usage: { promptTokens: 1, cachedTokens: 0, completionTokens: 1, reasoningTokens: 0 },
          timings: { queueMs: 0, loadMs: 0, prefillMs: 0, decodeMs: 0 },
        });
      }
    }
    expect(seen).not.toContain("response.completed");
    room.script = says(text("Hello"));
    const ended = await client.responses.create({ model: "coder", input: "hi" });
    await expect(client.responses.cancel(ended.id)).rejects.toThrow(OpenAI.BadRequestError);
  });
});

describe("kept answers between callers", () => {
  test("a chain that was deleted, or is another's, is a 404 that names the missing one", async () => {
    room.script = says(text("Hello"));
    const first = await client.responses.create({ model: "coder", input: "one" });
    const second = await client.responses.create({ model: "coder", input: "two", previous_response_id: first.id });
    const body = { model: "coder", input: "three", previous_response_id: second.id };
    const foreign = await post(body, "/v1/responses", room.adminKey);
    expect({ status: foreign.status, text: await foreign.text() }).toMatchObject({
      status: 404,
      text: expect.stringContaining(second.id),
    });
    await client.responses.delete(first.id);
    const broken = await post(body);
    expect({ status: broken.status, text: await broken.text() }).toMatchObject({
      status: 404,
      text: expect.stringContaining(first.id),
    });
  });

  test("nobody cancels what another asked, nor what is not there", async () => {
    const stream = await client.responses.create({ model: "coder", input: "hi", stream: true });
    const performance = await room.next();
    performance.emit(text("Hel"));
    const events = stream[Symbol.asyncIterator]();
    const created = (await events.next()).value;
    if (created?.type !== "response.created") throw new Error("it begins otherwise");
    for (const [id, key] of [
      [created.response.id, room.adminKey],
      ["resp_nobody", room.inferenceKey],
    ] as const) {
      expect((await post({}, `/v1/responses/${id}/cancel`, key)).status).toBe(404);
    }
    expect(performance.signal.aborted).toBe(false);
    performance.emit(finished);
    const types: string[] = [];
    for (let read = await events.next(); read.done !== true; read = await events.next()) types.push(read.value.type);
    expect(types.at(-1)).toBe("response.completed");
  });

  test("one that does not stream is cancelled by the id it will have, and told so", async () => {
    const answer = post({ model: "coder", input: "hi" });
    const performance = await room.next();
    const id = performance.requestId.replace(/^req_/, "resp_");
    expect((await client.responses.cancel(id)).status).toBe("cancelled");
    await performance.left;
    expect((await answer).status).toBe(409);
    await expect(client.responses.retrieve(id)).rejects.toThrow(OpenAI.NotFoundError);
  });

  test("the list of what was answered has pages", async () => {
    room.script = says(text("Hello"));
    const input = Array.from({ length: 5 }, (_, number) => ({ role: "user" as const, content: `${number}` }));
    const { id } = await client.responses.create({ model: "coder", input });
    const texts: string[] = [];
    for await (const item of client.responses.inputItems.list(id, { limit: 2, order: "asc" })) {
      texts.push(String((item as { content: unknown }).content));
    }
    expect(texts).toEqual(["0", "1", "2", "3", "4"]);
    expect((await client.responses.inputItems.list(id, { limit: 1 })).data).toMatchObject([{ content: "4" }]);
    await expect(client.responses.inputItems.list(id, { limit: 0 })).rejects.toThrow(OpenAI.BadRequestError);
  });
});

describe("what agents need", () => {
  test("S-16 the official SDK adds up a stream with signs of life in its midst", async () => {
    const stream = client.responses.stream({ model: "coder", input: "hi", tools: [weather] });
    const performance = await room.next();
    let signs = 0;
    const wanted = [
      ...[text("Hel"), text("lo")],
      ...call(0, "call_1", "weather", '{"city":'),
      { type: "tool-arguments", index: 0, text: '"Ulm"}' } as const,
      finished,
    ];
    performance.emit(wanted.shift() as ChatEvent);
    // Each sign of life lets the next event out, so that one stands between any two.
    stream.on("response.in_progress", () => {
      signs += 1;
      const next = wanted.shift();
      if (signs > 1 && next !== undefined) performance.emit(next);
      else if (next !== undefined) wanted.unshift(next);
    });
    const response = await stream.finalResponse();
    expect(signs).toBeGreaterThan(5);
    expect(response.output).toMatchObject([
      { type: "message", content: [{ text: "Hello" }] },
      { type: "function_call", arguments: '{"city":"Ulm"}' },
    ]);
  });

  test("agents 2 and S-16: a silent model is heard of by repeated in_progress events with their numbers", async () => {
    const answer = post({ model: "coder", input: "hi", stream: true });
    const performance = await room.next();
    setTimeout(() => performance.emit(text("ok"), finished), 450);
    const events = await eventsOf(await answer);
    expect(events.filter(({ event }) => event === "response.in_progress").length).toBeGreaterThan(1);
    expect(events[0]?.event).toBe("response.created");
    expect(events.map(({ data }) => data.sequence_number)).toEqual(events.map((_, index) => index));
  });

  test("agents 4: a WebSocket is refused at once", async () => {
    const upgrade =
      `GET /v1/responses HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer ${room.inferenceKey}\r\n` +
      "connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
    const raw = await openRaw(room.port, upgrade);
    await raw.until("\r\n\r\n");
    expect(raw.received()).toMatch(/^HTTP\/1\.1 4\d\d /);
    raw.socket.destroy();
  });

  test("agents 9: tools of vendors are left out with a note, a namespaced one answers with its namespace", async () => {
    const tools = [
      { type: "web_search" },
      { type: "image_generation" },
      { type: "tool_search", execution: "client" },
      {
        type: "namespace",
        name: "team",
        tools: [{ type: "function", name: "spawn", parameters: { type: "object", properties: {} } }],
      },
      { type: "custom", name: "apply_patch", format: { type: "grammar", syntax: "lark", definition: "start: /.+/" } },
    ];
    const answer = post({ model: "coder", input: "hi", tools, tool_choice: "auto" });
    const performance = await room.next();
    const offered = performance.request.tools.map(({ name }) => name);
    performance.emit(
      ...call(0, "call_1", offered[0] ?? "", "{}"),
      ...call(1, "call_2", offered[1] ?? "", "*** Begin"),
      finished,
    );
    expect(performance.request.tools).toHaveLength(2);
    expect(performance.request.notes?.map(({ detail }) => detail)).toEqual(
      expect.arrayContaining(["web_search", "image_generation"]),
    );
    expect(await jsonOf(await answer)).toMatchObject({
      output: [
        { type: "function_call", name: "spawn", namespace: "team" },
        { type: "custom_tool_call", name: "apply_patch", input: "*** Begin" },
      ],
    });
  });

  test("agents 13: a length ends as incomplete, a failure as failed, never as a bare error", async () => {
    room.script = ({ emit }) => emit(text("Hel"), { ...finished, finishReason: "length" } as ChatEvent);
    const cut = await eventsOf(await post({ model: "coder", input: "hi", stream: true }));
    expect(cut.at(-1)).toMatchObject({
      event: "response.incomplete",
      data: { response: { incomplete_details: { reason: "max_output_tokens" } } },
    });
    room.script = ({ emit }) => emit(text("Hel"), failed(new Failure("worker_died", "The model ended.")));
    const broken = await eventsOf(await post({ model: "coder", input: "hi", stream: true }));
    expect(broken.at(-1)).toMatchObject({
      event: "response.failed",
      data: { response: { status: "failed", error: { message: "The model ended." } } },
    });
    expect(broken.some(({ event }) => event === "error")).toBe(false);
  });

  test("agents 19: an overflow has its status and code before the stream begins", async () => {
    room.script = ({ refuse }) =>
      refuse(new Failure("context_length_exceeded", "maximum context length is 10 tokens", { param: "input" }));
    const answer = await post({ model: "coder", input: "hi", stream: true });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({ error: { code: "context_length_exceeded" } });
  });
});

test("S-14 the official SDK's stream of responses", async () => {
  room.script = says(text("Hel"), text("lo"), ...call(0, "call_1", "weather", '{"city":"Ulm"}'));
  const stream = client.responses.stream({ model: "coder", input: "hi", tools: [weather] });
  const deltas: string[] = [];
  stream.on("response.output_text.delta", ({ delta }) => deltas.push(delta));
  const response = await stream.finalResponse();
  expect(deltas.join("")).toBe("Hello");
  expect(response.output).toMatchObject([{ type: "message" }, { type: "function_call", arguments: '{"city":"Ulm"}' }]);
  const nobody = new OpenAI({ apiKey: "lth_nobody", baseURL: `${room.url}/v1`, maxRetries: 0 });
  await expect(nobody.responses.create({ model: "coder", input: "hi" })).rejects.toThrow(OpenAI.AuthenticationError);
});
