/** What a Responses upstream is sent, and what is made of the answers and oddities of several. */
import { describe, expect, test } from "vitest";
import type { CallTraits } from "../../../server/dialects/called.ts";
import { calledOpenaiResponses } from "../../../server/dialects/openai-responses/called.ts";
import { decodeResponse } from "../../../server/dialects/openai-responses/decode.ts";
import { nothingKept } from "../../../server/dialects/openai-responses/kept.ts";
import type { ChatEvent, ChatRequest } from "../../../server/domain/chat.ts";
import { chatRequest } from "../../support/chat-request.ts";
import { codexBody, codexHistory, codexTools } from "../../support/codex-body.ts";

const factsOf = (traits: CallTraits = {}, maxTokens: number | null = null) => ({ model: "up", maxTokens, traits });

function sent(request: ChatRequest, traits?: CallTraits, maxTokens?: number): Record<string, unknown> {
  const { path, body } = calledOpenaiResponses.encodeRequest(request, factsOf(traits, maxTokens ?? null));
  expect(path).toBe("/responses");
  return JSON.parse(body);
}

const sentFrom = (more: Partial<ChatRequest>) => sent({ ...chatRequest("hi"), ...more });

/** As it comes from a client of this wire shape. */
const own = (body: object) => decodeResponse({ model: "coder", input: "hi", ...body }, { ...nothingKept, keeps: true });

describe("a body of this wire shape", () => {
  test("goes as it came, but for the model and what is kept", () => {
    const body = codexBody({ items: codexHistory });
    expect(sent(own(body))).toEqual({ ...body, model: "up" });
  });

  test("the bound of the answer is ours where there is one", () => {
    expect(sent(own({ max_output_tokens: 64_000 }), {}, 1_000)).toMatchObject({ max_output_tokens: 1_000 });
    expect(sent(own({ max_output_tokens: 64_000 }))).toMatchObject({ max_output_tokens: 64_000 });
  });

  test("the upstream remembers nothing: what is kept here goes along, thinking encrypted", () => {
    const kept = { type: "message", id: "msg_1", role: "user", content: "before" };
    const thought = { type: "reasoning", id: "rs_up", summary: [], encrypted_content: "gAAA=" };
    const unreadable = { type: "reasoning", id: "rs_up2", summary: [{ type: "summary_text", text: "Hm." }] };
    const chain = { ...nothingKept, keeps: true, conversation: () => [kept, thought, unreadable] };
    const request = decodeResponse(
      { model: "coder", input: "hi", previous_response_id: "resp_1", reasoning: { effort: "low" } },
      chain,
    );
    expect(sent(request)).toEqual({
      ...{ model: "up", store: false, stream: false, reasoning: { effort: "low" } },
      include: ["reasoning.encrypted_content"],
      input: [kept, thought, { type: "message", role: "user", content: "hi" }],
    });
  });

  test("what another model thought is not sent to one that cannot read it", () => {
    const input = [
      { role: "user", content: "hi" },
      { type: "reasoning", id: "rs_0123456789abcdefghijkl_0", content: [{ type: "reasoning_text", text: "x" }] },
      { type: "reasoning", id: "rs_1", encrypted_content: "lanthorn:anthropic-messages:s:x" },
      {
        type: "reasoning",
        id: "rs_2",
        content: [{ type: "reasoning_text", text: "an upstream that keeps no secrets" }],
      },
    ];
    expect(sent(own({ input, store: false })).input).toEqual([input[0], input[3]]);
  });

  test("fields of this box alone go only to those who know them", () => {
    expect(sent(own({ top_k: 5, seed: 1 }))).not.toHaveProperty("top_k");
    expect(sent(own({ top_k: 5, seed: 1 }), { extendedSampling: true })).toMatchObject({ top_k: 5, seed: 1 });
  });
});

/** The same request without its body, as from a client that speaks otherwise. */
function foreign(body: object): ChatRequest {
  const { wire: _, ...request } = own(body);
  return request;
}

describe("what this shape has no word of its own for", () => {
  test("a raw prompt is what a user says", () => {
    const { input } = sentFrom({ messages: [], completion: { prompts: ["Once upon"], suffix: null, echo: false } });
    expect(input).toEqual([{ type: "message", role: "user", content: [{ type: "input_text", text: "Once upon" }] }]);
  });

  test("a tool that failed is marked in its result, as text and beside an image", () => {
    const image = { type: "image", source: { kind: "url", url: "https://pictures.example/a.png" } } as const;
    const toolCalls = ["a", "b", "c"].map((id) => ({ id, name: "look", arguments: "{}" }));
    const result = (toolCallId: string, text: string, more: readonly (typeof image)[] = []) =>
      ({ role: "tool", toolCallId, content: [{ type: "text", text }, ...more], isError: true }) as const;
    const { input } = sentFrom({
      messages: [
        { role: "assistant", content: [], reasoning: null, toolCalls },
        result("a", "too dark"),
        result("b", "too dark", [image]),
        result("c", "error: too dark"),
      ],
    });
    expect((input as readonly { output?: unknown }[]).slice(3).map(({ output }) => output)).toEqual([
      "Error: too dark",
      [
        { type: "input_text", text: "Error:" },
        { type: "input_text", text: "too dark" },
        { type: "input_image", image_url: image.source.url },
      ],
      "error: too dark",
    ]);
  });

  test.each([
    [2_000, "low"],
    [10_000, "medium"],
    [32_000, "high"],
  ])("a budget of %i tokens to think becomes the nearest word: %s", (budgetTokens, effort) => {
    expect(sentFrom({ reasoning: { effort: null, budgetTokens, summary: null } }).reasoning).toMatchObject({ effort });
  });
});

describe("a request that came otherwise", () => {
  test("becomes the items it would have been", () => {
    const body = sent(foreign(codexBody({ items: codexHistory })));
    const { input } = codexBody({ items: codexHistory }) as { input: Record<string, unknown>[] };
    const bare = input.map(({ id: _id, status: _status, ...item }) => item);
    expect(body.input).toEqual([
      ...bare.slice(0, 4),
      {
        type: "reasoning",
        id: "rs_1",
        summary: [{ type: "summary_text", text: "Which file?" }],
        encrypted_content: "gAAA=",
      },
      ...bare.slice(5, 10),
      // Parts that are texts alone are one.
      { type: "function_call_output", call_id: "call_2", output: "started" },
      ...bare.slice(11),
    ]);
    const [, group] = codexTools;
    expect(body.tools).toEqual([codexTools[0], { ...group, description: "multi_agent_v1" }, codexTools[3]]);
    expect(body).toMatchObject({
      ...{ model: "up", store: false, tool_choice: "auto", parallel_tool_calls: true },
      ...{ include: ["reasoning.encrypted_content"], prompt_cache_key: "0199-session", stream: true },
    });
  });

  test("wishes and images", () => {
    const request: ChatRequest = {
      ...chatRequest("hi", { maxTokens: 9, reasoning: { effort: "high", budgetTokens: null, summary: null } }),
      messages: [
        {
          role: "user",
          content: [
            { type: "image", source: { kind: "base64", mediaType: "image/png", data: "AA==" }, detail: "high" },
            { type: "image", source: { kind: "url", url: "https://pictures.example/a.png" } },
            { type: "file", source: { kind: "base64", mediaType: "application/pdf", data: "AA==" }, name: "a.pdf" },
          ],
        },
      ],
      ...{ endUser: "u", serviceTier: "flex", logprobs: { top: 2 } },
      responseFormat: { type: "json-schema", schema: { type: "object", properties: { a: {} } }, param: "x" },
    };
    expect(sent(request)).toEqual({
      ...{ model: "up", store: false, stream: true, temperature: 0, max_output_tokens: 9, top_logprobs: 2 },
      ...{ safety_identifier: "u", service_tier: "flex", reasoning: { effort: "high", summary: "auto" } },
      include: ["reasoning.encrypted_content", "message.output_text.logprobs"],
      text: {
        format: {
          type: "json_schema",
          name: "answer",
          strict: false,
          schema: { type: "object", properties: { a: {} } },
        },
      },
      input: [
        {
          ...{ type: "message", role: "user" },
          content: [
            { type: "input_image", image_url: "data:image/png;base64,AA==", detail: "high" },
            { type: "input_image", image_url: "https://pictures.example/a.png" },
            { type: "input_file", filename: "a.pdf", file_data: "data:application/pdf;base64,AA==" },
          ],
        },
      ],
    });
  });

  test("a schema is held strictly where it is closed all the way down", () => {
    const inner = {
      type: "object",
      properties: { b: { type: "string" } },
      required: ["b"],
      additionalProperties: false,
    };
    const schema = { type: "object", properties: { a: inner }, required: ["a"], additionalProperties: false };
    const strict = (tried: object) => {
      const request = chatRequest("hi", { responseFormat: { type: "json-schema", schema: { ...tried }, param: "x" } });
      return (sent(request) as { text: { format: { strict: boolean } } }).text.format.strict;
    };
    expect(strict(schema)).toBe(true);
    expect(strict({ ...schema, properties: { a: { ...inner, required: [] } } })).toBe(false);
    expect(strict({ ...schema, additionalProperties: true })).toBe(false);
    expect(strict({ ...schema, allOf: [] })).toBe(false);
  });

  test.each<[Partial<ChatRequest>, string]>([
    [{ choices: 2 }, "n"],
    [{ stop: ["x"] }, "stop"],
    [{ completion: { prompts: [[1, 2]], suffix: null, echo: false } }, "prompt"],
    [{ completion: { prompts: ["x"], suffix: "z", echo: false } }, "suffix"],
  ])("%j cannot be carried, and says so", (wishes, param) => {
    expect(() => sent(chatRequest("hi", wishes))).toThrow(expect.objectContaining({ code: "unsupported", param }));
  });
});

function heard(...frames: readonly object[]): readonly ChatEvent[] {
  const decoder = calledOpenaiResponses.decoder(chatRequest("hi"), factsOf());
  const events = frames.flatMap((data) => decoder.frame({ event: null, data: JSON.stringify(data) }));
  return [...events, ...decoder.ended()];
}
const facts = (events: readonly ChatEvent[]) =>
  events.filter(({ type }) => type !== "frame").map(({ wire: _wire, ...event }) => event);

const message = { type: "message", id: "m", role: "assistant", content: [{ type: "output_text", text: "Hello" }] };
const called = { type: "function_call", id: "f", call_id: "c", name: "a", arguments: '{"x":1}' };
const completed = (output: readonly object[], more: object = {}) => ({
  type: "response.completed",
  response: { id: "r", status: "completed", output, usage: { input_tokens: 3, output_tokens: 2 }, ...more },
});

describe("answers", () => {
  test("of which only the end was streamed are read from the end", () => {
    expect(facts(heard({ type: "response.created", response: {} }, completed([message, called])))).toMatchObject([
      { type: "text", text: "Hello" },
      { type: "tool-call", index: 0, id: "c", name: "a" },
      { type: "tool-arguments", index: 0, text: '{"x":1}' },
      { type: "finished", finishReason: "tool-calls", usage: { promptTokens: 3, completionTokens: 2 } },
    ]);
  });

  test("of which only done items came are read from those, and nothing is said twice", () => {
    const events = heard(
      { type: "response.output_item.done", output_index: 0, item: message },
      { type: "response.output_item.done", output_index: 1, item: { ...called, namespace: "n" } },
      completed([message, called]),
    );
    expect(facts(events)).toMatchObject([
      { type: "text", text: "Hello" },
      { type: "tool-call", namespace: "n" },
      { type: "tool-arguments", text: '{"x":1}' },
      { type: "finished" },
    ]);
  });

  test("every frame is carried by exactly one event, in order", () => {
    const frames = [
      { type: "response.created", response: {} },
      { type: "response.nobody_knows", output_index: 0 },
      { type: "response.output_item.done", output_index: 0, item: called },
      completed([called]),
    ];
    const carried = heard(...frames).flatMap(({ wire }) => (wire !== undefined && wire !== "above" ? [wire.data] : []));
    expect(carried).toEqual(frames.map((frame) => JSON.stringify(frame)));
  });

  test("custom calls and refusals keep their kind", () => {
    const custom = { type: "custom_tool_call", id: "x", call_id: "c", name: "patch", input: "" };
    const events = heard(
      { type: "response.output_item.added", output_index: 0, item: custom },
      { type: "response.custom_tool_call_input.delta", output_index: 0, delta: "***" },
      { type: "response.custom_tool_call_input.done", output_index: 0, input: "*** End" },
      { type: "response.refusal.delta", output_index: 1, content_index: 0, delta: "No." },
      completed([]),
    );
    expect(facts(events)).toMatchObject([
      { type: "tool-call", custom: true, name: "patch" },
      { type: "tool-arguments", text: "***" },
      { type: "tool-arguments", text: " End" },
      { type: "refusal", text: "No." },
      { type: "finished", finishReason: "tool-calls" },
    ]);
  });

  test.each([
    ["max_output_tokens", "length"],
    ["content_filter", "content-filter"],
    ["something_new", "length"],
  ])("incomplete for %s ends with %s", (reason, finishReason) => {
    const response = { status: "incomplete", incomplete_details: { reason }, output: [message] };
    expect(heard({ type: "response.incomplete", response }).at(-1)).toMatchObject({ type: "finished", finishReason });
  });
});

describe("S-26 answers that are none", () => {
  test.each([
    [
      { type: "response.failed", response: { error: { code: "rate_limit_exceeded", message: "Slow." } } },
      "upstream_rate_limited",
    ],
    [
      { type: "response.failed", response: { error: { code: "context_length_exceeded", message: "Long." } } },
      "context_length_exceeded",
    ],
    [
      { type: "response.failed", response: { error: { code: "insufficient_quota", message: "No." } } },
      "upstream_quota",
    ],
    [{ type: "response.failed", response: {} }, "upstream_failed"],
    [{ type: "error", code: "server_error", message: "Oh." }, "upstream_failed"],
    [{ type: "error", error: { type: "invalid_request_error", message: "Oh." } }, "upstream_invalid_request"],
    [{ error: { type: "invalid_request_error", message: "Oh." } }, "upstream_invalid_request"],
    [{ type: "response.output_text.delta", output_index: 0, content_index: 0, delta: "x" }, "upstream_cut"],
  ])("%j", (frame, code) => {
    const events = heard(frame);
    expect(events.at(-1)).toMatchObject({ type: "failed", failure: { code } });
    expect(events.filter(({ type }) => type === "failed")).toHaveLength(1);
  });

  test("what is no JSON is a failure, and the terminator of another wire shape is nothing", () => {
    const decoder = calledOpenaiResponses.decoder(chatRequest("hi"), factsOf());
    expect(decoder.frame({ event: null, data: "[DONE]" })).toEqual([]);
    expect(decoder.frame({ event: null, data: "<html>" })).toMatchObject([{ failure: { code: "upstream_failed" } }]);
    expect(decoder.frame({ event: null, data: JSON.stringify(completed([message])) })).toEqual([]);
    expect(decoder.ended()).toEqual([]);
  });

  test.each(["", "null", "{}", '{"output":5}', '{"status":"failed","output":[],"error":{"code":"server_error"}}'])(
    "in one piece: %s",
    (body) => {
      const events = calledOpenaiResponses.decoder(chatRequest("hi"), factsOf()).whole(body);
      expect(events).toMatchObject([{ type: "failed", failure: { code: "upstream_failed" } }]);
    },
  );
});

test("Perplexity's own cost is read", () => {
  const decoder = calledOpenaiResponses.decoder(chatRequest("hi"), factsOf({ reportedCost: "cost" }));
  const usage = { input_tokens: 3, output_tokens: 2, cost: { total_cost: 0.0123, currency: "USD" } };
  decoder.frame({ event: null, data: JSON.stringify(completed([message], { usage })) });
  expect(decoder.used().reported).toEqual({ nanos: 12_300_000, free: false });
});
