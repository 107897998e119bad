/** What Anthropic and its imitators send, read: fixtures of our own, written from the documented format. */
import { describe, expect, test } from "vitest";
import { anthropicMessagesCalled } from "../../../server/dialects/anthropic-messages/anthropic-messages-called.ts";
import type { ChatEvent, ChatRequest } from "../../../server/domain/chat.ts";
import type { FailureCode } from "../../../server/domain/failure.ts";
import { chatRequest } from "../../support/chat-request.ts";

const facts = { model: "claude-x", maxTokens: null, traits: {} };
const decoder = (wishes: Partial<ChatRequest> = {}) =>
  anthropicMessagesCalled.decoder(chatRequest("hi", wishes), facts);

type Data = { readonly type: string; readonly [field: string]: unknown };

/** Frames of one answer, and its end where they have none. */
function read(data: readonly (Data | string)[], wishes: Partial<ChatRequest> = {}): ChatEvent[] {
  const one = decoder(wishes);
  const events = data.flatMap((item) =>
    typeof item === "string"
      ? one.frame({ event: null, data: item })
      : one.frame({ event: item.type, data: JSON.stringify(item) }),
  );
  return [...events, ...one.ended()];
}

/** Without frames, and without what means nothing to us. */
function said(events: readonly ChatEvent[]): object[] {
  return events.filter(({ type }) => type !== "frame").map(({ wire: _, ...event }) => event);
}

const start = (usage: object = { input_tokens: 12, output_tokens: 1 }): Data => ({
  type: "message_start",
  message: { id: "msg_1", type: "message", role: "assistant", model: "claude-x", content: [], usage },
});
const open = (index: unknown, content_block: object): Data => ({ type: "content_block_start", index, content_block });
const text = (index: unknown, words: string): Data => ({
  ...{ type: "content_block_delta", index },
  delta: { type: "text_delta", text: words },
});
const json = (index: unknown, partial_json: string): Data => ({
  ...{ type: "content_block_delta", index },
  delta: { type: "input_json_delta", partial_json },
});
const shut = (index: unknown): Data => ({ type: "content_block_stop", index });
const delta = (stop_reason: string | null, usage: object = { output_tokens: 30 }, more: object = {}): Data => ({
  ...{ type: "message_delta", usage },
  delta: { stop_reason, stop_sequence: null, ...more },
});
const stop: Data = { type: "message_stop" };
const ping: Data = { type: "ping" };
const tool = (name: string, input: object = {}) => ({ type: "tool_use", id: `toolu_${name}`, name, input });
const hello = [start(), open(0, { type: "text", text: "" }), ping, text(0, "Hel"), text(0, "lo"), shut(0)];

describe("a stream", () => {
  test("of text, with a ping in between", () => {
    const events = read([...hello, delta("end_turn"), stop]);
    expect(said(events)).toMatchObject([
      { type: "started", promptTokens: 12, cachedTokens: 0 },
      { type: "text", text: "Hel" },
      { type: "text", text: "lo" },
      { type: "finished", finishReason: "stop", usage: { promptTokens: 12, completionTokens: 30 } },
    ]);
    expect(events.every(({ wire }) => wire !== undefined)).toBe(true);
  });

  test("thinking with its signature, hidden thinking, and a call; each signature is Anthropic's own", () => {
    const events = read([
      start(),
      open(0, { type: "thinking", thinking: "", signature: "" }),
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "Hm" } },
      { type: "content_block_delta", index: 0, delta: { type: "thinking_delta", thinking: "." } },
      { type: "content_block_delta", index: 0, delta: { type: "signature_delta", signature: "c2ln" } },
      shut(0),
      open(1, { type: "redacted_thinking", data: "aGlk" }),
      shut(1),
      open(2, tool("weather")),
      json(2, ""),
      json(2, '{"city":'),
      json(2, '"Ulm"}'),
      shut(2),
      delta("tool_use"),
      stop,
    ]);
    const dialect = "anthropic-messages";
    expect(said(events)).toMatchObject([
      { type: "started" },
      { type: "reasoning", text: "Hm" },
      { type: "reasoning", text: "." },
      { type: "reasoning-block", block: { text: "Hm.", signature: "c2ln", dialect } },
      { type: "reasoning-block", block: { text: "", signature: "aGlk", dialect, redacted: true } },
      { type: "tool-call", index: 0, id: "toolu_weather", name: "weather" },
      { type: "tool-arguments", index: 0, text: '{"city":' },
      { type: "tool-arguments", index: 0, text: '"Ulm"}' },
      { type: "finished", finishReason: "tool-calls" },
    ]);
  });

  test("a call without arguments has `{}`; one whose arguments came with its start has those", () => {
    const events = read([
      start(),
      open(0, tool("a")),
      json(0, ""),
      shut(0),
      open(1, tool("b", { x: 1 })),
      shut(1),
      // Never closed.
      open(2, tool("c")),
      delta("tool_use"),
      stop,
    ]);
    expect(said(events).filter((event) => "index" in event && "text" in event)).toEqual([
      { type: "tool-arguments", index: 0, text: "{}" },
      { type: "tool-arguments", index: 1, text: '{"x":1}' },
      { type: "tool-arguments", index: 2, text: "{}" },
    ]);
  });

  test("indices that jump, repeat or are missing still find their block", () => {
    const odd = (index: unknown) => [open(index, tool("a")), json(index, "{}"), shut(index)];
    for (const index of [7, 0, -1, "x", null, undefined]) {
      const events = said(read([start(), ...odd(index), ...odd(index), delta("tool_use"), stop]));
      expect(events).toMatchObject([
        { type: "started" },
        { type: "tool-call", index: 0 },
        { type: "tool-arguments", index: 0, text: "{}" },
        { type: "tool-call", index: 1 },
        { type: "tool-arguments", index: 1, text: "{}" },
        { type: "finished" },
      ]);
    }
    const unopened = said(read([start(), text(3, "a"), open(0, tool("a")), json(9, "{}"), delta("tool_use"), stop]));
    expect(unopened).toMatchObject([{}, { type: "text", text: "a" }, {}, { type: "tool-arguments", text: "{}" }, {}]);
  });

  test("what its own tools did is shown to nobody but clients of its shape", () => {
    const events = read([
      start(),
      open(0, { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: {} }),
      json(0, '{"query":"rain"}'),
      shut(0),
      { type: "zz_new", of: 1 },
      delta("end_turn"),
      stop,
    ]);
    expect(said(events)).toMatchObject([{ type: "started" }, { type: "finished", finishReason: "stop" }]);
    expect(events.filter(({ type }) => type === "frame")).toHaveLength(5);
  });

  test("events without names are known by their type", () => {
    expect(said(read([...hello, delta("end_turn"), stop].map((one) => JSON.stringify(one))))).toHaveLength(4);
  });

  test("names of grouped tools and free text come back as the client's own", () => {
    const tools = [
      { name: "spawn", namespace: "agents", description: null, parameters: null },
      { name: "patch", description: null, parameters: null, custom: { grammar: "x" } },
    ];
    const events = read(
      [
        start(),
        open(0, tool("spawn")),
        shut(0),
        open(1, tool("patch")),
        json(1, '{"input":"*** Beg'),
        json(1, 'in\\n"}'),
        shut(1),
        delta("tool_use"),
        stop,
      ],
      { tools },
    );
    expect(said(events)).toMatchObject([
      {},
      { type: "tool-call", name: "spawn", namespace: "agents" },
      { type: "tool-arguments", text: "{}" },
      { type: "tool-call", name: "patch", custom: true },
      { type: "tool-arguments", text: "*** Begin\n" },
      {},
    ]);
  });
});

describe("ends", () => {
  test.each([
    ["end_turn", "stop"],
    ["stop_sequence", "stop"],
    ["max_tokens", "length"],
    ["model_context_window_exceeded", "length"],
    ["tool_use", "tool-calls"],
    ["pause_turn", "pause"],
    ["refusal", "content-filter"],
    ["zz_new", "stop"],
    [null, "stop"],
  ])("%s is %s", (reason, finishReason) => {
    expect(said(read([...hello, delta(reason), stop])).at(-1)).toMatchObject({ type: "finished", finishReason });
  });

  test("which stop sequence it was, and why it was refused", () => {
    expect(read([...hello, delta("stop_sequence", {}, { stop_sequence: "END" }), stop]).at(-1)).toMatchObject({
      stopSequence: "END",
    });
    const why = { stop_details: { type: "refusal", explanation: "Not this." } };
    expect(said(read([start(), delta("refusal", {}, why), stop]))).toMatchObject([
      { type: "started" },
      { type: "refusal", text: "Not this." },
      { type: "finished", finishReason: "content-filter" },
    ]);
  });

  const failures: readonly [string, readonly (Data | string)[], FailureCode][] = [
    ["nothing at all", [], "upstream_cut"],
    ["a stream without its end", [...hello, delta("end_turn")], "upstream_cut"],
    ["an end without a beginning", [stop], "upstream_failed"],
    ["an event that is no JSON", [...hello, "{oops"], "upstream_failed"],
    [
      "an error in the stream",
      [...hello, { type: "error", error: { type: "overloaded_error", message: "m" } }],
      "upstream_overloaded",
    ],
    ["an error without a name", ['{"error":{"message":"m"}}'], "upstream_failed"],
    ["[DONE] without an end", [...hello, "[DONE]"], "upstream_cut"],
  ];
  test.each(failures)("S-26 %s is one clean error, never a fake finish", (_, data, code) => {
    const events = said(read(data));
    expect(events.filter((event) => "usage" in event)).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ type: "failed", failure: { code } });
  });
});

describe("usage", () => {
  const usageOf = (...data: Data[]) => {
    const end = read([...data, stop]).at(-1);
    return end?.type === "finished" ? end.upstream : undefined;
  };

  test("figures are cumulative: they replace each other; cached and written ones are part of the prompt", () => {
    const cache_creation = { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 };
    const first = {
      input_tokens: 5,
      cache_read_input_tokens: 100,
      cache_creation_input_tokens: 30,
      cache_creation,
      output_tokens: 1,
    };
    const used = usageOf(start(first), delta("end_turn", { output_tokens: 8 }));
    expect(used?.usage).toEqual({
      ...{ promptTokens: 135, cachedTokens: 100, completionTokens: 8, reasoningTokens: 0 },
      ...{ cacheWrite5mTokens: 10, cacheWrite1hTokens: 20 },
    });
    expect(used?.raw).toMatchObject({ input_tokens: 5, output_tokens: 8 });
  });

  test("0 and 0 at the start, the truth at the end", () => {
    const used = usageOf(
      start({ input_tokens: 0, output_tokens: 0 }),
      delta("end_turn", { input_tokens: 9, output_tokens: 3 }),
    );
    expect(used?.usage).toMatchObject({ promptTokens: 9, completionTokens: 3 });
  });

  test("none at all is said so", () => {
    const silent = { type: "message_start", message: {} };
    expect(usageOf(silent, delta("end_turn", {}))?.flags).toContain("usage_absent");
    expect(decoder().used().flags).toEqual(["usage_absent"]);
  });

  test("absurd figures are none", () => {
    expect(usageOf(start({ input_tokens: -5, output_tokens: 1e300 }), delta("end_turn", {}))).toMatchObject({
      usage: { promptTokens: 0, completionTokens: 0 },
      flags: expect.arrayContaining(["absurd_figure"]),
    });
  });
});

describe("an answer in one piece", () => {
  const message = (more: object = {}) => ({
    ...{ id: "msg_1", type: "message", role: "assistant", model: "claude-x", stop_reason: "tool_use" },
    content: [
      { type: "thinking", thinking: "Hm.", signature: "c2ln" },
      { type: "text", text: "Hello" },
      tool("a", { x: 1 }),
    ],
    usage: { input_tokens: 12, output_tokens: 30 },
    ...more,
  });

  test("says the same, and the end has the whole of it", () => {
    const body = JSON.stringify(message());
    const events = decoder().whole(body);
    expect(said(events)).toMatchObject([
      { type: "started", promptTokens: 12 },
      { type: "reasoning", text: "Hm." },
      { type: "reasoning-block", block: { text: "Hm.", signature: "c2ln" } },
      { type: "text", text: "Hello" },
      { type: "tool-call", index: 0, id: "toolu_a", name: "a" },
      { type: "tool-arguments", index: 0, text: '{"x":1}' },
      { type: "finished", finishReason: "tool-calls", usage: { promptTokens: 12, completionTokens: 30 } },
    ]);
    expect(events.at(-1)?.wire).toEqual({ dialect: "anthropic-messages", event: null, data: body });
  });

  test.each<[string, FailureCode]>([
    ['{"type":"error","error":{"type":"rate_limit_error","message":"m"}}', "upstream_rate_limited"],
    ["<html>", "upstream_failed"],
    ['{"type":"message","content":[', "upstream_cut"],
    ["null", "upstream_failed"],
    ['{"content":"Hello"}', "upstream_failed"],
  ])("%s under HTTP 200 is an error", (body, code) => {
    expect(said(decoder().whole(body))).toMatchObject([{ type: "failed", failure: { code } }]);
  });
});

describe("refusals", () => {
  const nowMs = Date.parse("2026-11-26T10:00:00Z");
  const refuse = (status: number, error: object | string, headers: Readonly<Record<string, string>> = {}) => {
    const body = typeof error === "string" ? error : JSON.stringify({ type: "error", error });
    return anthropicMessagesCalled.decodeFailure({ status, headers, body, nowMs });
  };

  test.each<[number, object | string, FailureCode]>([
    [400, { type: "invalid_request_error", message: "max_tokens: too big" }, "upstream_invalid_request"],
    [
      400,
      { type: "invalid_request_error", message: "prompt is too long: 209000 tokens > 200000 maximum" },
      "context_length_exceeded",
    ],
    [400, { type: "invalid_request_error", message: "Your credit balance is too low to access it." }, "upstream_quota"],
    [400, { type: "invalid_request_error", message: "Output blocked by content filtering policy" }, "content_filtered"],
    [401, { type: "authentication_error", message: "invalid x-api-key" }, "upstream_key_refused"],
    [402, { type: "billing_error", message: "m" }, "upstream_quota"],
    [403, { type: "permission_error", message: "m" }, "upstream_key_refused"],
    [404, { type: "not_found_error", message: "model: claude-x" }, "upstream_model_missing"],
    [413, { type: "request_too_large", message: "m" }, "payload_too_large"],
    [429, { type: "rate_limit_error", message: "m" }, "upstream_rate_limited"],
    [
      429,
      { type: "rate_limit_error", message: "m", details: { error_code: "enforced_spend_limit_reached" } },
      "upstream_quota",
    ],
    [500, { type: "api_error", message: "m" }, "upstream_failed"],
    [502, "<html>Bad Gateway</html>", "upstream_failed"],
    [503, "", "upstream_overloaded"],
    [529, { type: "overloaded_error", message: "Overloaded" }, "upstream_overloaded"],
    [529, "Overloaded", "upstream_overloaded"],
  ])("%d %j is %s", (status, error, code) => {
    expect(refuse(status, error).code).toBe(code);
  });

  test("the figures of an overflow are kept", () => {
    const failure = refuse(400, {
      type: "invalid_request_error",
      message: "prompt is too long: 9000 tokens > 8191 maximum",
    });
    expect(failure.overflow).toEqual({ promptTokens: 9_000, mostPromptTokens: 8_191 });
  });

  test.each([
    [{ "retry-after": "7" }, 7_000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "-3" }, 0],
    [{ "retry-after": "Thu, 26 Nov 2026 10:01:00 GMT" }, 60_000],
    [{ "retry-after": "Thu, 26 Nov 2026 09:00:00 GMT" }, 0],
    [{ "retry-after-ms": "120", "retry-after": "7" }, 120],
    [{ "retry-after": "soon" }, null],
    [{}, null],
  ])("%j asks for %s ms", (headers, coolDownMs) => {
    expect(refuse(429, { type: "rate_limit_error", message: "m" }, headers).coolDownMs).toBe(coolDownMs);
  });

  test("its words are passed on, but never what could be a key", () => {
    const told = refuse(400, { type: "invalid_request_error", message: "Bad key\n sk-ant-api03-abcdefgh and more" });
    expect(told.message).toBe("Bad key sk-… and more");
    expect(refuse(401, { type: "authentication_error", message: "sk-ant-api03-abcdefgh" }).message).not.toContain(
      "sk-",
    );
    expect(refuse(500, { type: "api_error", message: "x".repeat(5_000) }).message).toHaveLength(500);
  });
});
