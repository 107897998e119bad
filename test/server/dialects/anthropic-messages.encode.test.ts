/** What clients of Anthropic's Messages are shown: written by us, or passed on as an upstream sent it. */
import { describe, expect, test } from "vitest";
import { anthropicMessages } from "../../../server/dialects/anthropic-messages/anthropic-messages.ts";
import { wireSignature } from "../../../server/dialects/anthropic-messages/signature.ts";
import type { ChatEvent, FinishReason, WireFrame } from "../../../server/domain/chat.ts";
import { Failure, type FailureCode } from "../../../server/domain/failure.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import { coder } from "../http/room.ts";

const { chatEncoder, decodeChat, encodeFailure, failureFrame } = anthropicMessages;
const usage = { promptTokens: 20, cachedTokens: 5, completionTokens: 4, reasoningTokens: 0, cacheWrite5mTokens: 3 };
const started: ChatEvent = { type: "started", promptTokens: 20, cachedTokens: 5 };
const say = (text: string): ChatEvent => ({ type: "text", text });
const end = (finishReason: FinishReason = "stop", more: object = {}): ChatEvent => ({
  ...{ type: "finished", finishReason, usage, timings: noTimings },
  ...more,
});
const closing = { target: "engine/coder", cost: { known: false, reason: "not_priced" } } as const;

interface Sent {
  readonly event: string;
  readonly data: { readonly type: string; readonly [field: string]: unknown };
}

function encoder() {
  const request = decodeChat({
    model: "coder",
    max_tokens: 9,
    stream: true,
    messages: [{ role: "user", content: "x" }],
  });
  return chatEncoder(request, { requestId: "req_1", createdAtS: 1, model: "coder", fingerprint: "f" });
}

function bytesOf(events: readonly ChatEvent[]): string {
  const one = encoder();
  return events.map((event) => one.frames(event)).join("") + one.close(closing);
}

/** The events of a stream; comments are no events. */
function sentOf(events: readonly ChatEvent[]): Sent[] {
  return bytesOf(events)
    .split("\n\n")
    .filter((frame) => frame.startsWith("event: "))
    .map((frame) => {
      const [first = "", second = ""] = frame.split("\n");
      return { event: first.slice("event: ".length), data: JSON.parse(second.slice("data: ".length)) };
    });
}

function wholeOf(events: readonly ChatEvent[]): Record<string, unknown> {
  return JSON.parse(encoder().whole(events));
}

const call = (index: number, name: string): ChatEvent => ({ type: "tool-call", index, id: `toolu_${index}`, name });
const args = (index: number, text: string): ChatEvent => ({ type: "tool-arguments", index, text });

describe("agents 14: the standard sequence", () => {
  const events = [
    started,
    { type: "reasoning", text: "Hm" } as const,
    { type: "reasoning", text: "." } as const,
    say("Let me "),
    say("look."),
    call(0, "weather"),
    args(0, '{"city":'),
    args(0, '"Ulm"}'),
    call(1, "time"),
    end("tool-calls"),
  ];

  test("events in order, with their own names and rising indices; agents 15: only known ones", () => {
    const sent = sentOf(events);
    for (const { event, data } of sent) expect(data.type).toBe(event);
    expect(sent.map(({ event, data }) => ("index" in data ? `${event} ${data.index}` : event))).toEqual([
      "message_start",
      "content_block_start 0",
      "content_block_delta 0",
      "content_block_delta 0",
      "content_block_delta 0",
      "content_block_stop 0",
      "content_block_start 1",
      "content_block_delta 1",
      "content_block_delta 1",
      "content_block_stop 1",
      "content_block_start 2",
      "content_block_delta 2",
      "content_block_delta 2",
      "content_block_stop 2",
      "content_block_start 3",
      "content_block_delta 3",
      "content_block_stop 3",
      "message_delta",
      "message_stop",
    ]);
  });

  test("what each of them says", () => {
    const data = sentOf(events).map((one) => one.data);
    expect(data[0]).toMatchObject({
      message: {
        ...{ id: "msg_1", type: "message", role: "assistant", model: "coder", content: [], stop_reason: null },
        usage: { input_tokens: 15, cache_read_input_tokens: 5, output_tokens: 0 },
      },
    });
    expect(data[1]).toMatchObject({ content_block: { type: "thinking", thinking: "", signature: "" } });
    expect(data[2]).toMatchObject({ delta: { type: "thinking_delta", thinking: "Hm" } });
    expect(data[4]).toMatchObject({ delta: { type: "signature_delta", signature: wireSignature(null) } });
    expect(data[7]).toMatchObject({ delta: { type: "text_delta", text: "Let me " } });
    expect(data[10]).toMatchObject({
      content_block: { type: "tool_use", id: "toolu_0", name: "weather", input: {} },
    });
    expect(data[11]).toMatchObject({ delta: { type: "input_json_delta", partial_json: '{"city":' } });
    // A call without arguments is a call with none.
    expect(data[15]).toMatchObject({ delta: { type: "input_json_delta", partial_json: "{}" } });
    expect(data.at(-2)).toEqual({
      type: "message_delta",
      delta: { stop_reason: "tool_use", stop_sequence: null },
      usage: { input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 5, output_tokens: 4 },
    });
  });

  test("the same in one piece", () => {
    expect(wholeOf(events)).toMatchObject({
      ...{ id: "msg_1", type: "message", role: "assistant", model: "coder" },
      content: [
        { type: "thinking", thinking: "Hm.", signature: wireSignature(null) },
        { type: "text", text: "Let me look." },
        { type: "tool_use", id: "toolu_0", name: "weather", input: { city: "Ulm" } },
        { type: "tool_use", id: "toolu_1", name: "time", input: {} },
      ],
      ...{ stop_reason: "tool_use", stop_sequence: null },
      usage: {
        ...{ input_tokens: 12, cache_creation_input_tokens: 3, cache_read_input_tokens: 5, output_tokens: 4 },
        cache_creation: { ephemeral_5m_input_tokens: 3, ephemeral_1h_input_tokens: 0 },
      },
    });
  });

  test("the comment that says where it ran stands before message_stop", () => {
    expect(bytesOf([say("a"), end()])).toMatch(
      /\n\n: x-lanthorn-target=engine\/coder cost=\S+\n\nevent: message_stop\ndata: \{"type":"message_stop"\}\n\n$/,
    );
  });

  test("an answer of nothing is a message without blocks", () => {
    expect(sentOf([started, end()]).map(({ event }) => event)).toEqual([
      "message_start",
      "message_delta",
      "message_stop",
    ]);
    expect(wholeOf([started, end()]).content).toEqual([]);
  });
});

describe("blocks", () => {
  test("a signature of its own dialect goes out as it is, another's inside one of ours", () => {
    const block = { text: "", signature: "c2ln", dialect: "anthropic-messages" };
    const foreign = { text: "Sum.", signature: "gAAA", dialect: "openai-responses" };
    const events: ChatEvent[] = [
      { type: "reasoning", text: "Hm." },
      { type: "reasoning-block", block },
      { type: "reasoning-block", block: foreign },
      { type: "reasoning-block", block: { ...block, signature: "aGlk", redacted: true } },
      say("Yes."),
      end(),
    ];
    expect(wholeOf(events).content).toEqual([
      { type: "thinking", thinking: "Hm.", signature: "c2ln" },
      { type: "thinking", thinking: "Sum.", signature: wireSignature(foreign) },
      { type: "redacted_thinking", data: "aGlk" },
      { type: "text", text: "Yes." },
    ]);
    const streamed = sentOf(events);
    const signatures = streamed.flatMap(({ data }) => {
      const delta = data.delta as { signature?: string } | undefined;
      return delta?.signature === undefined ? [] : [delta.signature];
    });
    expect(signatures).toEqual(["c2ln", wireSignature(foreign)]);
    expect(streamed.filter(({ event }) => event === "content_block_stop")).toHaveLength(4);
  });

  test("arguments of several calls that come mixed are untangled: one block after the other, each JSON whole", () => {
    const sent = sentOf([
      call(0, "a"),
      call(1, "b"),
      args(0, '{"x":'),
      args(1, '{"y":2}'),
      args(0, "1}"),
      end("tool-calls"),
    ]);
    const json = ["", ""];
    let open: number | null = null;
    for (const { event, data } of sent) {
      const index = Number(data.index);
      if (event === "content_block_start") {
        expect(open).toBeNull();
        open = index;
      } else if (event === "content_block_delta") {
        expect(index).toBe(open);
        json[index] += (data.delta as { partial_json: string }).partial_json;
      } else if (event === "content_block_stop") open = null;
    }
    expect(json).toEqual(['{"x":1}', '{"y":2}']);
  });

  test("arguments that max_tokens cut are not offered as whole ones", () => {
    const events = [call(0, "a"), args(0, '{"x":'), end("length")];
    expect(wholeOf(events)).toMatchObject({ stop_reason: "max_tokens", content: [] });
  });
});

test.each<[string, string | null, ChatEvent[]]>([
  ["end_turn", null, [say("a"), end("stop")]],
  ["max_tokens", null, [say("a"), end("length")]],
  ["tool_use", null, [call(0, "a"), end("tool-calls")]],
  ["stop_sequence", "END", [say("a"), end("stop", { stopSequence: "END" })]],
  ["pause_turn", null, [say("a"), end("pause")]],
  ["refusal", null, [end("content-filter")]],
  ["refusal", null, [{ type: "refusal", text: "I will not." }, end("stop")]],
])("the end %s, whole and streamed", (stop_reason, stop_sequence, events) => {
  expect(wholeOf(events)).toMatchObject({ stop_reason, stop_sequence });
  expect(sentOf(events).at(-2)?.data).toMatchObject({ delta: { stop_reason, stop_sequence } });
});

describe("an upstream of the same shape", () => {
  const wire = (event: string | null, data: object | string): WireFrame => ({
    ...{ dialect: "anthropic-messages", event },
    data: typeof data === "string" ? data : JSON.stringify(data),
  });
  const opening =
    '{"type": "message_start", "message": {"zz": {"model":"m-2"}, "model":"claude-x", "id":"msg_up", "n":1.0}}';

  test("frames go out as they came; only the model's name is another", () => {
    const delta = { type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "a" } };
    const events: ChatEvent[] = [
      { ...started, wire: wire("message_start", opening) },
      { type: "frame", wire: wire("ping", '{"type": "ping"}') },
      { ...say("a"), wire: wire("content_block_delta", delta) },
      { type: "frame", wire: wire("zz_new", { type: "zz_new", of: [1] }) },
      { ...call(0, "f"), wire: wire("content_block_stop", { type: "content_block_stop" }) },
      { ...args(0, "{}"), wire: "above" },
      { ...end(), wire: wire("message_stop", '{"type":"message_stop"}') },
    ];
    const [comment, ...frames] = bytesOf(events)
      .split(/(?<=\n\n)/)
      .sort((left, right) => Number(right.startsWith(":")) - Number(left.startsWith(":")));
    expect(comment).toMatch(/^: x-lanthorn-target/);
    expect(frames).toEqual([
      `event: message_start\ndata: ${opening.replace("claude-x", "coder")}\n\n`,
      'event: ping\ndata: {"type": "ping"}\n\n',
      `event: content_block_delta\ndata: ${JSON.stringify(delta)}\n\n`,
      'event: zz_new\ndata: {"type":"zz_new","of":[1]}\n\n',
      'event: content_block_stop\ndata: {"type":"content_block_stop"}\n\n',
      'event: message_stop\ndata: {"type":"message_stop"}\n\n',
    ]);
  });

  test("an imitator's events without names get them, because SDKs skip events without", () => {
    const one = encoder();
    const frames = one.frames({ ...say("a"), wire: wire(null, { type: "content_block_delta", index: 0 }) });
    expect(frames).toBe('event: content_block_delta\ndata: {"type":"content_block_delta","index":0}\n\n');
  });

  test("a whole answer goes out as it came, with our name of the model", () => {
    const body = '{"type":"message","model":"claude-x", "content":[{"type":"zz","model":"m"}],"zz":1.50}';
    const events: ChatEvent[] = [
      { ...say("a"), wire: "above" },
      { ...end(), wire: wire(null, body) },
    ];
    expect(encoder().whole(events)).toBe(body.replace("claude-x", "coder"));
  });

  test("frames of another shape are written anew", () => {
    const foreign = { dialect: "openai-chat", event: null, data: "{}" };
    const sent = sentOf([
      { type: "frame", wire: foreign },
      { ...say("a"), wire: foreign },
      { ...say("b"), wire: "above" },
      { ...end(), wire: foreign },
    ]);
    expect(sent.filter(({ event }) => event === "content_block_delta")).toHaveLength(2);
    expect(sent.at(-1)?.event).toBe("message_stop");
  });
});

describe("agents 18: errors", () => {
  test.each<[FailureCode, number, string]>([
    ["invalid_request", 400, "invalid_request_error"],
    ["unknown_key", 401, "authentication_error"],
    ["budget_exceeded", 402, "billing_error"],
    ["forbidden", 403, "permission_error"],
    ["model_not_found", 404, "not_found_error"],
    ["method_not_allowed", 405, "invalid_request_error"],
    ["payload_too_large", 413, "request_too_large"],
    ["unsupported_media_type", 415, "invalid_request_error"],
    ["rate_limited", 429, "rate_limit_error"],
    ["queue_full", 429, "rate_limit_error"],
    ["internal", 500, "api_error"],
    ["upstream_failed", 502, "api_error"],
    ["worker_died", 503, "overloaded_error"],
    ["upstream_timeout", 504, "timeout_error"],
  ])("%s is %d %s", (code, status, type) => {
    const wire = encodeFailure(new Failure(code, "Plain words.", { param: "a.b" }), "req_1");
    expect(wire.status).toBe(status);
    expect(JSON.parse(wire.body)).toEqual({
      type: "error",
      error: { type, message: "Plain words.", details: { error_code: code, param: "a.b" } },
      request_id: "req_1",
    });
  });

  test("S-28 a budget that is used up is not asked again", () => {
    expect(encodeFailure(new Failure("budget_exceeded", "Used up.")).headers).toMatchObject({
      "x-should-retry": "false",
    });
    expect(encodeFailure(new Failure("queue_full", "Full.")).headers).not.toHaveProperty("x-should-retry");
  });

  test("agents 19: an overflow in the words that agents look for", () => {
    const overflow = { promptTokens: 9_000, mostPromptTokens: 8_191 };
    const known = encodeFailure(new Failure("context_length_exceeded", "It has 9000.", { overflow }));
    expect(JSON.parse(known.body).error).toMatchObject({
      type: "invalid_request_error",
      message: "prompt is too long: 9000 tokens > 8191 maximum (It has 9000.)",
    });
    const unknown = encodeFailure(new Failure("context_length_exceeded", "Far too long."));
    expect(JSON.parse(unknown.body).error.message).toBe("prompt is too long: Far too long.");
  });

  test("inside a stream it is an `error` event", () => {
    expect(failureFrame(new Failure("worker_died", "Its process ended."))).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"Its process ended.",' +
        '"details":{"error_code":"worker_died"}}}\n\n',
    );
  });
});

test("what is left of a rate, with the time at which all of it is back", () => {
  const state = { requests: { limit: 60, remaining: 59, resetMs: 1_200 }, tokens: null };
  expect(anthropicMessages.rateHeaders?.(state, Date.parse("2026-11-26T10:00:00.100Z"))).toEqual({
    "anthropic-ratelimit-requests-limit": "60",
    "anthropic-ratelimit-requests-remaining": "59",
    "anthropic-ratelimit-requests-reset": "2026-11-26T10:00:02Z",
  });
});

test("models as Anthropic lists them", () => {
  expect(JSON.parse(anthropicMessages.encodeModels([coder, { ...coder, alias: "b", contextLength: 0 }]))).toMatchObject(
    {
      data: [
        {
          type: "model",
          id: "coder",
          display_name: "coder",
          created_at: "2023-11-14T22:13:20.000Z",
          max_input_tokens: 8192,
        },
        { id: "b", max_input_tokens: null },
      ],
      ...{ has_more: false, first_id: "coder", last_id: "b" },
    },
  );
});
