/** Chat over real HTTP: what a client sees of a streamed answer, a whole one, and every kind of refusal. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Failure } from "../../../server/domain/failure.ts";
import { problemsWith } from "../dialects/openai-schemas.ts";
import { type ErrorBody, failed, finished, hello, jsonOf, openRoom, type Room, text } from "./room.ts";

let room: Room;
beforeAll(async () => {
  room = await openRoom();
});
afterAll(() => room.close());
beforeEach(() => {
  room.refusals.length = 0;
  room.script = ({ emit }) =>
    emit({ type: "accepted", promptTokens: 5, queuePosition: 1 }, text("Hel"), text("lo"), finished);
});

test("S-01 chat schema: a whole answer", async () => {
  const response = await room.post({ ...hello, max_tokens: 4 });
  const body = await jsonOf<{ id: string; system_fingerprint: string; choices: { message: object }[] }>(response);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toMatch(/^application\/json/);
  expect(problemsWith("create-chat-completion-response", body)).toEqual([]);
  expect(body.choices[0]?.message).toEqual({ role: "assistant", content: "Hello", refusal: null });
  expect(body.id).toBe(`chatcmpl-${response.headers.get("x-request-id")}`);
  expect(response.headers.get("x-lanthorn-target")).toBe("engine/coder");
  expect(body.system_fingerprint).toBe("engine-1");
});

test("S-02 stream grammar: a streamed answer, with its headers and its end", async () => {
  const response = await room.post({ ...hello, stream: true, stream_options: { include_usage: true } });
  const bytes = await response.text();
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  expect(response.headers.get("cache-control")).toBe("no-cache, no-transform");
  expect(response.headers.get("x-accel-buffering")).toBe("no");
  expect(response.headers.get("x-request-id")).toMatch(/^req_[0-9A-Za-z]{22}$/);
  expect(response.headers.get("x-lanthorn-target")).toBe("engine/coder");
  expect(response.headers.get("content-encoding")).toBeNull();
  const frames = bytes.split("\n\n").slice(0, -1);
  const chunks = frames.filter((frame) => frame.startsWith("data: {")).map((frame) => JSON.parse(frame.slice(6)));
  expect(chunks.flatMap((chunk) => problemsWith("create-chat-completion-stream-response", chunk))).toEqual([]);
  expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe("Hello");
  expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 5, total_tokens: 7 } });
  expect(frames.slice(-2)).toEqual([": x-lanthorn-target=engine/coder cost=unknown(not_priced)", "data: [DONE]"]);
});

test("S-06 agent fields accepted", async () => {
  const response = await room.post({
    ...hello,
    messages: [
      { role: "developer", content: [{ type: "text", text: "be brief" }] },
      { role: "user", content: [{ type: "text", text: "hi" }] },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c", type: "function", function: { name: "f", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "c", content: [{ type: "text", text: "done" }] },
    ],
    max_completion_tokens: 2,
    store: true,
    metadata: {},
    reasoning_effort: "none",
    tool_choice: null,
    x_foo: 1,
  });
  expect(response.status).toBe(200);
});

test("a client that sends a placeholder key where none is needed is served", async () => {
  const response = await room.post(hello, { headers: { authorization: "Bearer sk-none" } });
  expect(response.status).toBe(200);
});

describe("S-03 error shape", () => {
  const cases: [status: number, code: string, ask: () => Promise<Response>][] = [
    [401, "invalid_api_key", () => room.post(hello, { headers: { authorization: "Bearer lth_wrong" } })],
    [404, "not_found", () => room.get("/v1/nothing")],
    [405, "method_not_allowed", () => room.get("/v1/chat/completions")],
    [413, "payload_too_large", () => room.post({ ...hello, x: "x".repeat(1024 * 1024) })],
    [415, "unsupported_media_type", () => room.post(hello, { headers: { "content-type": "text/plain" } })],
    [415, "unsupported_media_type", () => room.post(hello, { headers: { "content-encoding": "compress" } })],
    [
      415,
      "unsupported_media_type",
      () => room.post(hello, { headers: { "content-type": "application/json; charset=latin1" } }),
    ],
    [400, "invalid_request", () => room.post('{"model": ')],
    [400, "invalid_request", () => room.post("")],
    [400, "invalid_request", () => room.post("[]")],
    [400, "invalid_request", () => room.post(`{"model":"coder","x":${"[".repeat(300)}${"]".repeat(300)}}`)],
  ];
  test.each(cases)("%i %s", async (status, code, ask) => {
    const response = await ask();
    const bytes = await response.text();
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toMatch(/^application\/json/);
    expect(problemsWith("error-response", JSON.parse(bytes))).toEqual([]);
    expect(JSON.parse(bytes).error.code).toBe(code);
    expect(bytes).not.toMatch(/at .*\.ts|\/(server|home|tmp)\//);
  });

  const refusals = [
    new Failure("model_not_found", "No model 'nope' here."),
    new Failure(
      "context_length_exceeded",
      "The request exceeds the available context size: maximum context length is 64 tokens.",
    ),
    new Failure("queue_full", "The queue is full.", { retryAfterSeconds: 7 }),
    new Failure("worker_died", "The model's process ended."),
    new Failure("internal", "Something went wrong inside Lanthorn.", { cause: new Error("/etc/secret") }),
  ];
  describe.each([true, false])("stream: %s", (stream) => {
    test.each(refusals)("refused by the spine before the first event: $code", async (failure) => {
      room.script = ({ refuse }) => refuse(failure);
      const response = await room.post({ ...hello, stream });
      const bytes = await response.text();
      expect(response.status).toBe(failure.kind.httpStatus);
      expect(response.headers.get("content-type")).toMatch(/^application\/json/);
      expect(JSON.parse(bytes).error.message).toBe(failure.message);
      expect(bytes).not.toContain("secret");
      const retryAfter = failure.retryAfterSeconds === null ? null : String(failure.retryAfterSeconds);
      expect(response.headers.get("retry-after")).toBe(retryAfter);
    });

    test("a failure after waiting, before any content, still has its status", async () => {
      room.script = ({ emit }) =>
        emit(
          { type: "accepted", promptTokens: 5, queuePosition: 1 },
          failed(new Failure("model_unavailable", "It will not load.")),
        );
      const response = await room.post({ ...hello, stream });
      expect(response.status).toBe(503);
      expect(response.headers.get("retry-after")).toBe("5");
      expect(response.headers.get("x-lanthorn-target")).toBe("engine/coder");
      expect((await jsonOf<ErrorBody>(response)).error.code).toBe("model_unavailable");
    });
  });

  test("a failure after content is one error frame and no [DONE]", async () => {
    room.script = ({ emit }) => emit(text("half"), failed(new Failure("worker_died", "The model's process ended.")));
    const response = await room.post({ ...hello, stream: true });
    const bytes = await response.text();
    expect(response.status).toBe(200);
    expect(bytes.match(/data: \{"error"/g)).toHaveLength(1);
    expect(bytes).not.toContain("[DONE]");
  });
});

describe("one row for whatever a recognised caller asked", () => {
  test("a body that is refused is told to the spine, with what could be read of it", async () => {
    const response = await room.post({ ...hello, stream: true, temperature: "hot" });
    expect(await response.json()).toMatchObject({ error: { param: "temperature" } });
    expect(room.refusals).toMatchObject([
      {
        requestId: response.headers.get("x-request-id"),
        alias: "coder",
        stream: true,
        callerName: "this computer",
        failure: { code: "invalid_request", param: "temperature" },
      },
    ]);
  });

  test.each([
    ["broken JSON", "{", {}],
    ["too large", `"${"x".repeat(1024 * 1024)}"`, {}],
    ["of the wrong type", "{}", { "content-type": "text/plain" }],
  ])("a body that is %s too", async (_what, body, headers) => {
    await room.post(body, { headers });
    expect(room.refusals).toMatchObject([{ alias: null, stream: false }]);
  });

  test("an unknown key leaves none", async () => {
    expect((await room.post(hello, { headers: { authorization: "Bearer lth_unknown" } })).status).toBe(401);
    expect(room.refusals).toEqual([]);
  });
});

test("the key's person is who the spine hears of, by either header", async () => {
  room.script = null;
  for (const headers of [{ authorization: `Bearer ${room.inferenceKey}` }, { "x-api-key": room.inferenceKey }]) {
    const answer = room.post(hello, { headers: headers as Record<string, string> });
    const performance = await room.next();
    expect(performance.callerName).toBe("ann");
    performance.emit(finished);
    expect((await answer).status).toBe(200);
  }
});

describe("S-11 models", () => {
  test("the list, and one by an id with / : @ in it, encoded or not", async () => {
    const list = await room.get("/v1/models");
    const body = await jsonOf<{ data: { id: string }[] }>(list);
    expect(problemsWith("list-models-response", body)).toEqual([]);
    expect(body.data.map((model) => model.id)).toEqual(["coder", "org/coder:7b@q4"]);
    for (const path of ["/v1/models/org/coder:7b@q4", `/v1/models/${encodeURIComponent("org/coder:7b@q4")}`]) {
      expect(await (await room.get(path)).json()).toMatchObject({ id: "org/coder:7b@q4", object: "model" });
    }
  });

  test("an unknown one is not found, and a broken escape is no model", async () => {
    const response = await room.get("/v1/models/nope");
    expect(response.status).toBe(404);
    expect((await jsonOf<ErrorBody>(response)).error.code).toBe("model_not_found");
    expect((await room.get("/v1/models/%zz")).status).toBe(404);
    expect((await room.get("/v1/models/")).status).toBe(404);
  });

  test("HEAD has the same head and no body, OPTIONS says what there is", async () => {
    const head = await fetch(`${room.url}/v1/models`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(head.headers.get("content-type")).toMatch(/^application\/json/);
    const options = await fetch(`${room.url}/v1/models`, { method: "OPTIONS" });
    expect([options.status, options.headers.get("allow")]).toEqual([204, "GET, HEAD, OPTIONS"]);
    const wrong = await fetch(`${room.url}/v1/models`, { method: "DELETE" });
    expect([wrong.status, wrong.headers.get("allow")]).toEqual([405, "GET, HEAD, OPTIONS"]);
  });
});

test("alive, ready and version", async () => {
  expect(await (await room.get("/health")).json()).toEqual({ status: "ok", server: "lanthorn" });
  expect(await (await room.get("/version")).json()).toEqual({
    name: "lanthorn",
    version: "0.0.1",
    engine: "engine-1",
    fingerprint: null,
  });
  expect((await room.get("/ready")).status).toBe(200);
  room.ready = { ready: false, reason: "loading coder" };
  const response = await room.get("/ready");
  expect([response.status, response.headers.get("retry-after")]).toEqual([503, "5"]);
  expect(await response.json()).toEqual({ status: "not ready", reason: "loading coder" });
  room.ready = { ready: true, reason: "serving" };
});
