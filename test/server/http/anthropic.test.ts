/** `/v1/messages` over HTTP: what a client of Anthropic's finds at this door. Below it the spine is scripted. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Failure, type FailureCode } from "../../../server/domain/failure.ts";
import { failed, finished, jsonOf, offLoopback, openRaw, openRoom, type Room, text } from "./room.ts";

let room: Room;
beforeAll(async () => {
  room = await openRoom({ bind: offLoopback, timing: { commitMs: 60 } });
});
afterAll(() => room.close());
afterEach(() => {
  room.script = null;
});

const hello = { model: "coder", max_tokens: 20, messages: [{ role: "user", content: "hi" }] };
const says =
  (...pieces: string[]): NonNullable<Room["script"]> =>
  ({ emit }) =>
    emit(...pieces.map(text), finished);

function post(body: unknown, more: { path?: string; headers?: Record<string, string>; signal?: AbortSignal } = {}) {
  return fetch(`${room.url}${more.path ?? "/v1/messages"}`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": room.inferenceKey, ...more.headers },
    body: JSON.stringify(body),
    ...(more.signal === undefined ? {} : { signal: more.signal }),
  });
}

interface ErrorBody {
  readonly type: string;
  readonly error: { readonly type: string; readonly message: string };
  readonly request_id: string;
}

test("agents 1: either header with the key, any version and beta, `?beta=true`", async () => {
  room.script = says("Hello");
  const authorization = `Bearer ${room.inferenceKey}`;
  const answers = [
    await post(hello),
    await post(hello, { headers: { "x-api-key": "", authorization } }),
    await post(hello, { headers: { "anthropic-version": "2099-01-01", "anthropic-beta": "zz-2026-01-01,yy" } }),
    await post(hello, { path: "/v1/messages?beta=true" }),
  ];
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    expect(answer.headers.get("request-id")).toBe(answer.headers.get("x-request-id"));
    expect(await answer.json()).toMatchObject({ type: "message", content: [{ type: "text", text: "Hello" }] });
  }
});

test("the client's version and betas are kept with its body, for an upstream of the same shape", async () => {
  const answer = post(hello, {
    headers: { "anthropic-version": "2026-10-21", "anthropic-beta": "a,b", "x-other": "c" },
  });
  const performance = await room.next();
  expect(performance.request.wire).toEqual({
    ...{ dialect: "anthropic-messages", body: hello },
    headers: { "anthropic-version": "2026-10-21", "anthropic-beta": "a,b" },
  });
  performance.emit(finished);
  await answer;
});

describe("S-03 errors in Anthropic's shape", () => {
  test.each<[FailureCode, number, string]>([
    ["context_length_exceeded", 400, "invalid_request_error"],
    ["budget_exceeded", 402, "billing_error"],
    ["model_not_found", 404, "not_found_error"],
    ["queue_full", 429, "rate_limit_error"],
    ["internal", 500, "api_error"],
    ["model_unavailable", 503, "overloaded_error"],
  ])("agents 20, 21, 25: %s is %d %s, JSON also for a stream that has not begun", async (code, status, type) => {
    room.script = ({ refuse }) => refuse(new Failure(code, "Plain words."));
    const answer = await post({ ...hello, stream: true });
    expect(answer.status).toBe(status);
    expect(answer.headers.get("content-type")).toContain("application/json");
    const body = await jsonOf<ErrorBody>(answer);
    expect(body).toMatchObject({ type: "error", error: { type }, request_id: answer.headers.get("x-request-id") });
    expect(body.error.message).toContain("Plain words.");
    if (status === 429 || status === 503) {
      expect(Number(answer.headers.get("retry-after"))).toSatisfy(
        (s: number) => Number.isInteger(s) && s >= 1 && s <= 60,
      );
    }
    if (status === 402) expect(answer.headers.get("x-should-retry")).toBe("false");
  });

  test("no key, a wrong field, a wrong method, a wrong type", async () => {
    const refused = async (answer: Response, status: number, type: string) => {
      expect(answer.status).toBe(status);
      expect(await answer.json()).toMatchObject({ type: "error", error: { type } });
    };
    await refused(await post(hello, { headers: { "x-api-key": "lth_nobody" } }), 401, "authentication_error");
    await refused(await post({ ...hello, max_tokens: "x" }), 400, "invalid_request_error");
    await refused(await fetch(`${room.url}/v1/messages`), 405, "invalid_request_error");
    await refused(await post(hello, { headers: { "content-type": "text/plain" } }), 415, "invalid_request_error");
    // Of a refused body there is a row.
    expect(room.refusals.at(-2)).toMatchObject({ alias: "coder", failure: { param: "max_tokens" } });
  });

  test("agents 23: a failure in the stream is an `error` event, and no message_stop", async () => {
    room.script = ({ emit }) => emit(text("half"), failed(new Failure("worker_died", "Its process ended.")));
    const bytes = await (await post({ ...hello, stream: true })).text();
    expect(bytes).toContain('event: error\ndata: {"type":"error","error":{"type":"overloaded_error"');
    expect(bytes).not.toContain("message_stop");
  });
});

test("S-16 agents 2: headers come while the model is silent, then `ping` events, and no data before the first token", async () => {
  const json = JSON.stringify({ ...hello, stream: true });
  const client = await openRaw(
    room.port,
    `POST /v1/messages HTTP/1.1\r\nHost: box\r\nContent-Type: application/json\r\nx-api-key: ${room.inferenceKey}\r\n` +
      `Content-Length: ${json.length}\r\nConnection: close\r\n\r\n${json}`,
  );
  const performance = await room.next();
  const silent = await client.until('event: ping\ndata: {"type":"ping"}\n\n');
  expect(silent).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(silent).not.toContain("message_start");
  performance.emit(text("a"), finished);
  expect(await client.closed).toMatch(/event: message_stop\ndata: \{"type":"message_stop"\}\n\n/);
});

test("agents 3: a client that leaves ends its answer", async () => {
  const leaving = new AbortController();
  const answer = post({ ...hello, stream: true }, { signal: leaving.signal });
  const performance = await room.next();
  performance.emit(text("a"));
  await answer;
  leaving.abort();
  await performance.left;
});

describe("agents 5: counting and models", () => {
  test("count_tokens counts without an answer, and refuses in the same shape", async () => {
    const { max_tokens: _, ...prompt } = hello;
    const answer = await post(prompt, { path: "/v1/messages/count_tokens?beta=true" });
    expect(await answer.json()).toEqual({ input_tokens: 1 });
    const refused = await post({ model: "coder" }, { path: "/v1/messages/count_tokens" });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ type: "error", error: { type: "invalid_request_error" } });
  });

  test("a client that sends anthropic-version gets Anthropic's list of models, any other OpenAI's", async () => {
    const authorization = `Bearer ${room.inferenceKey}`;
    const ask = (path: string, headers: Record<string, string>) => room.get(path, { authorization, ...headers });
    const version = { "anthropic-version": "2023-06-01" };
    expect(await (await ask("/v1/models", version)).json()).toMatchObject({
      data: [{ type: "model", id: "coder" }, { id: "org/coder:7b@q4" }],
      has_more: false,
    });
    expect(await (await ask("/v1/models/coder", version)).json()).toMatchObject({ type: "model", id: "coder" });
    expect(await (await ask("/v1/models", {})).json()).toMatchObject({ object: "list" });
    for (const path of ["/v1/models/nobody", "/v1/nothing"]) {
      expect(await (await ask(path, version)).json()).toMatchObject({
        type: "error",
        error: { type: "not_found_error" },
      });
      expect(await (await ask(path, {})).json()).toMatchObject({ error: { code: expect.stringMatching(/not_found/) } });
    }
  });
});
