/** What Responses clients read: events of our own making, and frames of an upstream of the same shape on their way through. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { calledOpenaiResponses } from "../../../server/dialects/openai-responses/called.ts";
import { decodeChat } from "../../../server/dialects/openai-responses/decode.ts";
import { chatEncoder, type ResponseEncoder } from "../../../server/dialects/openai-responses/encode.ts";
import { createFrameReader } from "../../../server/dialects/sse-frames.ts";
import type { ChatEvent } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import { codexBody } from "../../support/codex-body.ts";

type Wire = { readonly type: string; readonly sequence_number: number; readonly [field: string]: unknown };

const usage = { promptTokens: 7, cachedTokens: 3, completionTokens: 4, reasoningTokens: 2 };
const finished: ChatEvent = { type: "finished", finishReason: "stop", usage, timings: noTimings };
const cut: ChatEvent = { ...finished, finishReason: "length" };
const closing = { target: "engine/coder", cost: { known: false, reason: "not_priced" } } as const;
const call = (index: number, name: string, ...pieces: string[]): ChatEvent[] => [
  { type: "tool-call", index, id: `call_${index}`, name },
  ...pieces.map((text): ChatEvent => ({ type: "tool-arguments", index, text })),
];

function encoderFor(body: object = {}): ResponseEncoder {
  const request = decodeChat({ model: "coder", input: "hi", stream: true, ...body });
  return chatEncoder(request, { requestId: "req_7", createdAtS: 100, model: request.model, fingerprint: "f" });
}

function eventsIn(bytes: string): Wire[] {
  const events: Wire[] = [];
  const reader = createFrameReader(({ event, data }) => {
    const read = JSON.parse(data) as Wire;
    expect(event).toBe(read.type);
    events.push(read);
  });
  reader.push(bytes);
  reader.end();
  // Whatever is said: numbered from 0 without a gap.
  expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, index) => index));
  return events;
}

const streamed = (encoder: ResponseEncoder, events: readonly ChatEvent[]): string =>
  events.map((event) => encoder.frames(event)).join("") + encoder.close(closing);
const read = (events: readonly ChatEvent[], body: object = {}) => eventsIn(streamed(encoderFor(body), events));
const types = (events: readonly Wire[]) => events.map(({ type }) => type.replace("response.", ""));
const last = (events: readonly Wire[]) => events.at(-1) as Wire & { readonly response: Record<string, unknown> };

describe("S-09 a stream", () => {
  test("of text, in the documented order", () => {
    expect(types(read([{ type: "text", text: "a" }, { type: "text", text: "b" }, finished]))).toEqual([
      ...["created", "in_progress", "output_item.added", "content_part.added"],
      ...["output_text.delta", "output_text.delta"],
      ...["output_text.done", "content_part.done", "output_item.done", "completed"],
    ]);
  });

  test("of reasoning, text, a refusal and calls: every delta adds up to its done and its item", () => {
    const events = read([
      ...[{ type: "reasoning", text: "Hm" } as const, { type: "reasoning", text: "." } as const],
      { type: "reasoning-block", block: { text: "", signature: "Sig=", dialect: "anthropic-messages" } },
      { type: "text", text: "Well" },
      { type: "refusal", text: "No." },
      ...call(0, "a", '{"x":', "1}"),
      ...call(1, "b"),
      { type: "tool-arguments", index: 0, text: "" },
      finished,
    ]);
    expect(last(events).response.output).toEqual([
      {
        ...{ id: "rs_7_0", type: "reasoning", status: "completed", summary: [] },
        content: [{ type: "reasoning_text", text: "Hm." }],
        encrypted_content: "lanthorn:anthropic-messages:s:Sig=",
      },
      {
        ...{ id: "msg_7_1", type: "message", status: "completed", role: "assistant" },
        content: [
          { type: "output_text", text: "Well", annotations: [], logprobs: [] },
          { type: "refusal", refusal: "No." },
        ],
      },
      { id: "fc_7_2", type: "function_call", status: "completed", call_id: "call_0", name: "a", arguments: '{"x":1}' },
      { id: "fc_7_3", type: "function_call", status: "completed", call_id: "call_1", name: "b", arguments: "{}" },
    ]);
    const done = events.filter(({ type }) => type === "response.output_item.done").map(({ item }) => item);
    expect(last(events).response.output).toEqual(done);
    for (const kind of ["output_text", "refusal", "reasoning_text", "function_call_arguments"]) {
      const pieces = events.filter(({ type }) => type === `response.${kind}.delta`).map(({ delta }) => delta);
      const wholes = events.filter(({ type }) => type === `response.${kind}.done`);
      expect(pieces.join("")).toBe(wholes.map((one) => one.text ?? one.refusal ?? one.arguments).join(""));
      expect(wholes.length).toBeGreaterThan(0);
    }
  });

  test("thinking that has no text but a signature is an item with nothing in it", () => {
    const block = { text: "", signature: "Data", dialect: "anthropic-messages", redacted: true };
    expect(last(read([{ type: "reasoning-block", block }, finished])).response.output).toMatchObject([
      { type: "reasoning", content: [], encrypted_content: "lanthorn:anthropic-messages:r:Data" },
    ]);
  });

  test("the response says what was asked and what was used", () => {
    const events = read([finished], codexBody());
    expect(last(events).response).toMatchObject({
      ...{ id: "resp_7", object: "response", created_at: 100, model: "coder", store: false, status: "completed" },
      ...{ output: [], tools: codexBody().tools, reasoning: { effort: null, summary: "auto" }, error: null },
      usage: {
        ...{ input_tokens: 7, input_tokens_details: { cached_tokens: 3 }, total_tokens: 11 },
        ...{ output_tokens: 4, output_tokens_details: { reasoning_tokens: 2 } },
      },
    });
  });

  test("log-probabilities are with their text", () => {
    const token = { text: "a", bytes: [97], logprob: -0.5, top: [] };
    const events = read([{ type: "text", text: "a", logprobs: [token] }, finished]);
    const wanted = [{ token: "a", logprob: -0.5, bytes: [97], top_logprobs: [] }];
    expect(events.find(({ type }) => type === "response.output_text.delta")?.logprobs).toEqual(wanted);
    expect(last(events).response).toMatchObject({ output: [{ content: [{ logprobs: wanted }] }] });
  });

  test("in one piece it is the same response", () => {
    const events: ChatEvent[] = [{ type: "text", text: "a" }, ...call(0, "b", "{}"), finished];
    expect(JSON.parse(encoderFor().whole(events))).toEqual(last(read(events)).response);
  });
});

describe("agents 7: a call is done only when nothing can take it back", () => {
  test("agents 13: no item is done before the end is known", () => {
    const encoder = encoderFor();
    const before = call(0, "a", "{}")
      .map((event) => encoder.frames(event))
      .join("");
    expect(before).not.toContain("output_item.done");
    expect(encoder.frames(finished)).toContain("output_item.done");
  });

  test("agents 16: arguments that the token limit cut are never done; the answer is incomplete", () => {
    const events = read([...call(0, "a", "{}"), ...call(1, "b", '{"x":'), cut]);
    const done = events.filter(({ type }) => type === "response.output_item.done");
    expect(done.map(({ item }) => item)).toMatchObject([{ name: "a" }]);
    expect(last(events)).toMatchObject({
      type: "response.incomplete",
      response: {
        ...{ status: "incomplete", incomplete_details: { reason: "max_output_tokens" } },
        output: [{ status: "completed" }, { status: "incomplete", arguments: '{"x":' }],
      },
    });
  });

  test("agents 23: nor after a failure, which is one event with a code", () => {
    const encoder = encoderFor();
    const failure = new Failure("worker_died", "Gone.");
    const bytes =
      call(0, "a", "{}")
        .map((event) => encoder.frames(event))
        .join("") + encoder.failure(failure);
    const events = eventsIn(bytes + encoder.close(closing));
    expect(types(events)).toEqual([
      "created",
      "in_progress",
      "output_item.added",
      "function_call_arguments.delta",
      "failed",
    ]);
    expect(last(events).response).toMatchObject({
      ...{ id: "resp_7", status: "failed", error: { code: "server_error", message: "Gone." } },
      output: [{ type: "function_call", status: "incomplete" }],
    });
    expect(encoder.final).toBeNull();
  });
});

test.each([
  ["context_length_exceeded", "context_length_exceeded"],
  ["upstream_quota", "insufficient_quota"],
  ["budget_exceeded", "insufficient_quota"],
  ["queue_full", "rate_limit_exceeded"],
  ["upstream_rate_limited", "rate_limit_exceeded"],
  ["upstream_invalid_request", "invalid_prompt"],
  ["internal", "server_error"],
  ["upstream_cut", "server_error"],
] as const)("agents 24: %s is said as %s", (code, wire) => {
  const events = eventsIn(encoderFor().failure(new Failure(code, "x")));
  expect(last(events).response).toMatchObject({ error: { code: wire } });
});

describe("agents 9: tools that are no plain functions", () => {
  const body = { tools: codexBody().tools };

  test("a call of a namespaced tool has the namespace apart from the name", () => {
    expect(last(read([...call(0, "spawn_agent", "{}"), finished], body)).response.output).toMatchObject([
      { type: "function_call", name: "spawn_agent", namespace: "multi_agent_v1" },
    ]);
  });

  test("a model that was shown a function answers with its text; Codex reads a custom call", () => {
    const events = read([...call(0, "apply_patch", '{"input":"*** Beg', 'in\\nPatch"}'), finished], body);
    expect(types(events).slice(2, -1)).toEqual([
      ...["output_item.added", "custom_tool_call_input.delta", "custom_tool_call_input.done", "output_item.done"],
    ]);
    expect(events[2]?.item).toMatchObject({ type: "custom_tool_call", input: "" });
    expect(last(events).response.output).toEqual([
      {
        ...{ id: "ctc_7_0", type: "custom_tool_call", status: "completed", call_id: "call_0" },
        ...{ name: "apply_patch", input: "*** Begin\nPatch" },
      },
    ]);
  });

  test("an upstream that knows custom tools says the text itself", () => {
    const custom: ChatEvent[] = [
      { type: "tool-call", index: 0, id: "c", name: "apply_patch", custom: true },
      { type: "tool-arguments", index: 0, text: '{"input":"not unwrapped"}' },
      finished,
    ];
    expect(last(read(custom, body)).response.output).toMatchObject([{ input: '{"input":"not unwrapped"}' }]);
  });

  test("free text that was cut is not run", () => {
    const events = read([...call(0, "apply_patch", '{"input":"*** Beg'), cut], body);
    expect(types(events)).not.toContain("output_item.done");
  });
});

describe("S-16 signs of life", () => {
  test("agents 2: the first says that it begins, further ones that it still runs, and numbers go on", () => {
    const encoder = encoderFor();
    const bytes = encoder.keepAlive() + encoder.keepAlive() + encoder.frames({ type: "text", text: "a" });
    expect(types(eventsIn(bytes + encoder.frames(finished) + encoder.close(closing)))).toEqual([
      ...["created", "in_progress", "in_progress", "output_item.added", "content_part.added", "output_text.delta"],
      ...["output_text.done", "content_part.done", "output_item.done", "completed"],
    ]);
  });

  test("one in the midst shows what has been said: the official SDK takes it as the state", () => {
    const encoder = encoderFor();
    const before = encoder.frames({ type: "text", text: "Hel" });
    const [sign] = eventsIn(before + encoder.keepAlive()).slice(-1);
    expect(sign).toMatchObject({
      type: "response.in_progress",
      response: { output: [{ type: "message", status: "in_progress", content: [{ text: "Hel" }] }] },
    });
  });
});

const recording = (name: string): string[] => {
  const file = new URL(`../../fixtures/upstream/responses-${name}.chunks.txt`, import.meta.url);
  return readFileSync(file, "utf8").trimEnd().split("\n");
};

/** As the cloud backend reads it. */
function decoded(chunks: readonly string[]): ChatEvent[] {
  const facts = { model: "lamp-1", maxTokens: null, traits: {} };
  const decoder = calledOpenaiResponses.decoder(decodeChat({ model: "coder", input: "hi" }), facts);
  const events = chunks.flatMap((data) => decoder.frame({ event: (JSON.parse(data) as Wire).type, data }));
  return [...events, ...decoder.ended()];
}

describe("frames of an upstream of the same shape", () => {
  const names = ["text", "thinking-calls", "late-arguments", "length"];

  test.each(names)("%s: every frame goes as it came, but for the model's name and the id", (name) => {
    const chunks = recording(name);
    const wanted = chunks.map((chunk) => {
      const fields = JSON.parse(chunk) as Wire & { response?: object };
      return fields.response === undefined
        ? fields
        : { ...fields, response: { ...fields.response, model: "coder", id: "resp_7" } };
    });
    const bytes = streamed(encoderFor({ store: false }), decoded(chunks));
    expect(eventsIn(bytes)).toEqual(wanted);
    // What has nothing to edit is the same text.
    const deltas = chunks.filter((chunk) => chunk.includes("_text.delta"));
    for (const delta of deltas) expect(bytes).toContain(`data: ${delta}\n\n`);
  });

  test("the response is known by our id, the same from first to last, however early we had to begin", () => {
    const encoder = encoderFor();
    const early = encoder.keepAlive();
    const all = eventsIn(early + streamed(encoder, decoded(recording("text"))));
    const ids = all.flatMap(({ response }) => (response ? [(response as { id: string }).id] : []));
    expect(new Set(ids)).toEqual(new Set(["resp_7"]));
    expect(types(all).filter((type) => type === "created")).toHaveLength(1);
    expect({ id: encoder.id, final: encoder.final?.id }).toEqual({ id: "resp_7", final: "resp_7" });
  });

  test("signs of life between them are numbered with them, and show the items so far", () => {
    const encoder = encoderFor();
    const events = decoded(recording("thinking-calls"));
    let bytes = "";
    for (const event of events) bytes += encoder.frames(event) + encoder.keepAlive();
    const all = eventsIn(bytes + encoder.close(closing));
    const signs = all.filter(({ type }) => type === "response.in_progress");
    const { output } = (signs.at(-1) as Wire & { response: { output: unknown } }).response;
    // What the last sign of life shows is what the end says.
    expect(output).toEqual(last(all).response.output);
  });

  test("one in the midst of a summary, a text or arguments shows the half", () => {
    const shown = (name: string, until: string) => {
      const encoder = encoderFor();
      for (const event of decoded(recording(name))) {
        const bytes = encoder.frames(event);
        if (bytes.includes(until)) return encoder.snapshot().output;
      }
      throw new Error("not reached");
    };
    expect(shown("thinking-calls", '"delta":"**Looking"')).toMatchObject([{ summary: [{ text: "**Looking" }] }]);
    expect(shown("thinking-calls", '"delta":"{\\"ci"')).toMatchObject([{}, { arguments: '{"ci' }]);
    expect(shown("text", '"delta":" lamps: "')).toMatchObject([{ content: [{ text: "Three lamps: " }] }]);
    expect(shown("late-arguments", '"delta":"The user "')).toMatchObject([{ content: [{ text: "The user " }] }]);
  });

  test("an attempt that was given up before its first content leaves no trace", () => {
    const first = decoded(recording("text").slice(0, 4));
    expect(first.at(-1)).toMatchObject({ type: "failed" });
    const encoder = encoderFor();
    const begun = first
      .slice(0, -1)
      .map((event) => encoder.frames(event))
      .join("");
    expect(begun).toBe("");
    const own = eventsIn(streamed(encoder, [{ type: "text", text: "ours" }, finished]));
    expect(last(own).response).toMatchObject({ id: "resp_7", output: [{ id: "msg_7_0" }] });

    const next = encoderFor();
    for (const event of first.slice(0, -1)) next.frames(event);
    const passed = eventsIn(streamed(next, decoded(recording("length"))));
    expect(last(passed).response).toMatchObject({ id: "resp_7", status: "incomplete" });
    expect(types(passed).filter((type) => type === "output_item.added")).toHaveLength(1);
  });

  test("one that breaks off after content is a failed response that shows what came", () => {
    const events = decoded(recording("text").slice(0, 6));
    const encoder = encoderFor();
    const bytes = events.map((event) => encoder.frames(event)).join("");
    expect(last(eventsIn(bytes + encoder.close(closing)))).toMatchObject({
      type: "response.failed",
      response: {
        id: "resp_7",
        model: "coder",
        status: "failed",
        output: [{ content: [{ text: "Three lamps: " }] }],
      },
    });
  });

  test("in one piece: the body as it came, but for id, model, store and what it goes on from", () => {
    const body = (JSON.parse(recording("text").at(-1) ?? "") as { response: object }).response;
    const facts = { model: "lamp-1", maxTokens: null, traits: {} };
    const request = decodeChat({ model: "coder", input: "hi" });
    const events = calledOpenaiResponses.decoder(request, facts).whole(JSON.stringify(body));
    const encoder = encoderFor({ stream: false });
    expect(JSON.parse(encoder.whole(events))).toEqual({ ...body, model: "coder", id: "resp_7" });
    expect(encoder.final).toMatchObject({ id: "resp_7" });
  });
});
