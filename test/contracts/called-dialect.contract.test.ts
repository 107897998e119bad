/** What every wire shape that we call promises, run over the registry: a new one is tested the moment it is listed. */
import { describe, expect, test } from "vitest";
import { RandomSource } from "../../models/random/numbers.ts";
import type { CalledDialect, CallFacts, UpstreamFrame } from "../../server/dialects/called.ts";
import { type CalledDialectId, calledDialects } from "../../server/dialects/index.ts";
import { createFrameReader } from "../../server/dialects/sse-frames.ts";
import { type ChatEvent, type ChatRequest, isEnd } from "../../server/domain/chat.ts";
import { Failure, failureKinds } from "../../server/domain/failure.ts";
import { chatRequest } from "../support/chat-request.ts";
import { diceOf, mutatedJson } from "../support/mutate.ts";

/** What the suite must know of a dialect to speak it. All samples say the same: "Héllo 🏮", then a call of weather. */
interface Sample {
  /** The frames of one short stream, with usage 12 / 5 of which 4 were cached. */
  readonly frames: readonly UpstreamFrame[];
  /** The same answer in one piece. */
  readonly whole: object;
  /** A body of this shape, as a client of it would send it, with `zz_unknown` among its fields. */
  readonly ownBody: Readonly<Record<string, unknown>>;
  /** One that it refuses for being asked too often. */
  readonly rateLimited: { readonly status: number; readonly body: object };
}

const named = (data: { readonly type: string; readonly [field: string]: unknown }): UpstreamFrame => ({
  event: data.type,
  data: JSON.stringify(data),
});
const city = '{"city":"Ulm"}';

const chatChunk = (choice: object): UpstreamFrame => ({
  event: null,
  data: JSON.stringify({
    ...{ id: "c1", object: "chat.completion.chunk", created: 1, model: "up" },
    choices: [{ index: 0, finish_reason: null, ...choice }],
    usage: null,
  }),
});

const responseText = {
  ...{ type: "message", id: "msg_1", role: "assistant", status: "completed" },
  content: [{ type: "output_text", text: "Héllo 🏮", annotations: [] }],
};
const responseCall = {
  ...{ type: "function_call", id: "fc_1", call_id: "call_1", name: "weather", arguments: city, status: "completed" },
};
const responseUsage = { input_tokens: 12, input_tokens_details: { cached_tokens: 4 }, output_tokens: 5 };
const textPlace = { output_index: 0, content_index: 0, item_id: "msg_1" };
const responseWith = (status: string, output: readonly object[], usage: object | null): object => ({
  ...{ id: "resp_1", object: "response", created_at: 1, model: "up", status, output, usage },
  ...{ error: null, incomplete_details: null },
});

const geminiChunk = (parts: readonly object[], finishReason?: string): UpstreamFrame => ({
  event: null,
  data: JSON.stringify({
    candidates: [{ content: { role: "model", parts }, index: 0, ...(finishReason && { finishReason }) }],
    usageMetadata: { promptTokenCount: 12, cachedContentTokenCount: 4, candidatesTokenCount: 5 },
  }),
});

const samples: Record<CalledDialectId, Sample> = {
  "openai-chat": {
    frames: [
      chatChunk({ delta: { role: "assistant", content: "" } }),
      chatChunk({ delta: { content: "Héllo" } }),
      chatChunk({ delta: { content: " 🏮" } }),
      chatChunk({
        delta: {
          tool_calls: [{ index: 0, id: "call_1", type: "function", function: { name: "weather", arguments: "" } }],
        },
      }),
      chatChunk({ delta: { tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] } }),
      chatChunk({ delta: { tool_calls: [{ index: 0, function: { arguments: '"Ulm"}' } }] } }),
      chatChunk({ delta: {}, finish_reason: "tool_calls" }),
      {
        event: null,
        data: JSON.stringify({
          ...{ id: "c1", object: "chat.completion.chunk", created: 1, model: "up", choices: [] },
          usage: { prompt_tokens: 12, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } },
        }),
      },
      { event: null, data: "[DONE]" },
    ],
    whole: {
      ...{ id: "c1", object: "chat.completion", created: 1, model: "up" },
      choices: [
        {
          index: 0,
          message: {
            ...{ role: "assistant", content: "Héllo 🏮", refusal: null },
            tool_calls: [{ id: "call_1", type: "function", function: { name: "weather", arguments: city } }],
          },
          finish_reason: "tool_calls",
        },
      ],
      usage: { prompt_tokens: 12, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } },
    },
    ownBody: { model: "alias", messages: [{ role: "user", content: "hi" }], zz_unknown: { a: [1.5, null] } },
    rateLimited: {
      status: 429,
      body: { error: { message: "Slow down.", type: "requests", code: "rate_limit_exceeded" } },
    },
  },
  "openai-responses": {
    frames: [
      named({ type: "response.created", response: responseWith("in_progress", [], null) }),
      named({ type: "response.output_item.added", output_index: 0, item: { ...responseText, content: [] } }),
      named({ ...textPlace, type: "response.output_text.delta", delta: "Héllo" }),
      named({ ...textPlace, type: "response.output_text.delta", delta: " 🏮" }),
      named({ ...textPlace, type: "response.output_text.done", text: "Héllo 🏮" }),
      named({ type: "response.output_item.done", output_index: 0, item: responseText }),
      named({ type: "response.output_item.added", output_index: 1, item: { ...responseCall, arguments: "" } }),
      named({ type: "response.function_call_arguments.delta", output_index: 1, item_id: "fc_1", delta: city }),
      named({ type: "response.function_call_arguments.done", output_index: 1, item_id: "fc_1", arguments: city }),
      named({ type: "response.output_item.done", output_index: 1, item: responseCall }),
      named({
        type: "response.completed",
        response: responseWith("completed", [responseText, responseCall], responseUsage),
      }),
    ],
    whole: responseWith("completed", [responseText, responseCall], responseUsage),
    ownBody: { model: "alias", input: "hi", zz_unknown: { a: [1.5, null] } },
    rateLimited: {
      status: 429,
      body: { error: { message: "Slow down.", type: "requests", code: "rate_limit_exceeded" } },
    },
  },
  gemini: {
    frames: [
      geminiChunk([{ text: "Héllo" }]),
      geminiChunk([{ text: " 🏮" }]),
      geminiChunk([{ functionCall: { id: "call_1", name: "weather", args: { city: "Ulm" } } }]),
      geminiChunk([{ text: "" }], "STOP"),
    ],
    whole: JSON.parse(
      geminiChunk(
        [{ text: "Héllo 🏮" }, { functionCall: { id: "call_1", name: "weather", args: { city: "Ulm" } } }],
        "STOP",
      ).data,
    ),
    ownBody: { contents: [{ role: "user", parts: [{ text: "hi" }] }], zz_unknown: { a: [1.5, null] } },
    rateLimited: { status: 429, body: { error: { code: 429, message: "Slow down.", status: "RESOURCE_EXHAUSTED" } } },
  },
  "anthropic-messages": {
    frames: [
      named({
        type: "message_start",
        message: {
          ...{ id: "msg_1", type: "message", role: "assistant", model: "up", content: [] },
          usage: { input_tokens: 8, cache_read_input_tokens: 4, output_tokens: 1 },
        },
      }),
      named({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } }),
      named({ type: "ping" }),
      named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: "Héllo" } }),
      named({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: " 🏮" } }),
      named({ type: "content_block_stop", index: 0 }),
      named({
        ...{ type: "content_block_start", index: 1 },
        content_block: { type: "tool_use", id: "call_1", name: "weather", input: {} },
      }),
      named({ type: "content_block_delta", index: 1, delta: { type: "input_json_delta", partial_json: city } }),
      named({ type: "content_block_stop", index: 1 }),
      named({
        ...{ type: "message_delta", usage: { output_tokens: 5 } },
        delta: { stop_reason: "tool_use", stop_sequence: null },
      }),
      named({ type: "message_stop" }),
    ],
    whole: {
      ...{ id: "msg_1", type: "message", role: "assistant", model: "up", stop_reason: "tool_use" },
      content: [
        { type: "text", text: "Héllo 🏮" },
        { type: "tool_use", id: "call_1", name: "weather", input: { city: "Ulm" } },
      ],
      usage: { input_tokens: 8, cache_read_input_tokens: 4, output_tokens: 5 },
    },
    ownBody: {
      ...{ model: "alias", max_tokens: 50, zz_unknown: { a: [1.5, null] } },
      messages: [{ role: "user", content: "hi" }],
    },
    rateLimited: { status: 429, body: { type: "error", error: { type: "rate_limit_error", message: "Slow down." } } },
  },
};

const facts: CallFacts = { model: "up", maxTokens: null, traits: {} };
const request: ChatRequest = chatRequest("What is the weather?", {
  tools: [{ name: "weather", description: "Tells it.", parameters: { type: "object", properties: {} } }],
});

/** What an answer says, however it was cut into events. */
interface Meaning {
  text: string;
  readonly calls: { id: string; name: string; arguments: string }[];
  end: object | null;
}

function meaningOf(events: readonly ChatEvent[]): Meaning {
  const meaning: Meaning = { text: "", calls: [], end: null };
  for (const event of events) {
    if (event.type === "text") meaning.text += event.text;
    else if (event.type === "tool-call") meaning.calls[event.index] = { id: event.id, name: event.name, arguments: "" };
    else if (event.type === "tool-arguments") {
      const call = meaning.calls[event.index];
      if (call !== undefined) call.arguments += event.text;
    } else if (isEnd(event)) {
      const finishReason = event.type === "finished" ? event.finishReason : null;
      meaning.end = { type: event.type, finishReason, usage: event.usage };
    }
  }
  return meaning;
}

const told: Meaning = {
  text: "Héllo 🏮",
  calls: [{ id: "call_1", name: "weather", arguments: city }],
  end: {
    ...{ type: "finished", finishReason: "tool-calls" },
    usage: { promptTokens: 12, cachedTokens: 4, completionTokens: 5, reasoningTokens: 0 },
  },
};

/** Frame by frame, and then the end of the body. */
function readFrames(dialect: CalledDialect, frames: readonly UpstreamFrame[]): ChatEvent[] {
  const decoder = dialect.decoder(request, facts);
  return [...frames.flatMap((frame) => decoder.frame(frame)), ...decoder.ended()];
}

function readBytes(dialect: CalledDialect, chunks: readonly Uint8Array[]): ChatEvent[] {
  const decoder = dialect.decoder(request, facts);
  const events: ChatEvent[] = [];
  const reader = createFrameReader((frame) => events.push(...decoder.frame(frame)));
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  return [...events, ...decoder.ended()];
}

function bytesOf(frames: readonly UpstreamFrame[], lineEnd = "\n"): Buffer {
  const lines = frames.flatMap(({ event, data }) => [
    ...(event === null ? [] : [`event: ${event}`]),
    `data: ${data}`,
    "",
  ]);
  return Buffer.from(lines.map((line) => line + lineEnd).join(""));
}

/** Of the tools in a body, wherever the shape has them. */
function toolNamesIn(body: { readonly tools: readonly Record<string, unknown>[] }): readonly string[] {
  type Named = { readonly name: string };
  return body.tools.flatMap((tool) => {
    if (Array.isArray(tool.functionDeclarations)) return tool.functionDeclarations.map(({ name }: Named) => name);
    return [((tool.function ?? tool) as Named).name];
  });
}

function endsOf(events: readonly ChatEvent[]): number {
  return events.filter(isEnd).length;
}

describe.each(Object.entries(calledDialects) as [CalledDialectId, CalledDialect][])(
  "called dialect %s",
  (id, dialect) => {
    const sample = samples[id];

    test("its id is its name in the registry", () => {
      expect(dialect.id).toBe(id);
    });

    test("a request becomes one call: a path, JSON, the upstream's name of the model, and no key", () => {
      const call = dialect.encodeRequest(request, facts);
      expect(call.path).toMatch(/^\/[^/].*[^/]$/);
      expect(JSON.parse(call.body)).toBeTypeOf("object");
      expect(call.path + call.body).toContain("up");
      expect(call.body).toContain("What is the weather?");
      expect(Object.keys(call.headers).filter((name) => name !== name.toLowerCase())).toEqual([]);
      expect(Object.keys(call.headers)).not.toEqual(
        expect.arrayContaining([expect.stringMatching(/authorization|api-key/)]),
      );
    });

    test("tools go there by names that every vendor takes, each once, and their calls come back by the client's own", () => {
      const names = [
        "a_b",
        "a.b",
        "wëtter",
        `mcp__one__${"x".repeat(90)}`,
        `mcp__two__${"x".repeat(90)}`,
        "1st",
        "a.b",
      ];
      const tools = names.map((name) => ({ name, description: null, parameters: { type: "object", properties: {} } }));
      const call = { id: "call_0", name: names[3] ?? "", arguments: "{}" };
      const messages = [
        { role: "user", content: [{ type: "text", text: "hi" }] },
        { role: "assistant", content: [], reasoning: null, toolCalls: [call] },
        { role: "tool", toolCallId: "call_0", content: [{ type: "text", text: "done" }] },
      ] as const;
      const asked: ChatRequest = { ...request, tools, messages };
      const sent = JSON.parse(dialect.encodeRequest(asked, facts).body);
      const wireNames = toolNamesIn(sent);
      expect(new Set(wireNames).size).toBe(names.length);
      expect(wireNames[0]).toBe("a_b");
      for (const name of wireNames) expect(name).toMatch(/^[a-zA-Z_][a-zA-Z0-9_-]{0,63}$/);
      // The call of the past goes by the tool's new name too.
      expect(JSON.stringify({ ...sent, tools: [] })).toContain(JSON.stringify(wireNames[3]));
      for (const [index, wireName] of wireNames.entries()) {
        const body = JSON.stringify(sample.whole).replaceAll('"weather"', JSON.stringify(wireName));
        const { calls } = meaningOf(dialect.decoder(asked, facts).whole(body));
        expect(calls.map(({ name }) => name)).toEqual([names[index]]);
      }
    });

    test("unknown fields of a body of its own shape survive", () => {
      const wire = { dialect: id, body: sample.ownBody };
      const sent = JSON.parse(dialect.encodeRequest({ ...request, wire }, facts).body);
      expect(sent.zz_unknown).toEqual(sample.ownBody.zz_unknown);
    });

    test("a short stream says what was said, and has one end, last", () => {
      const events = readFrames(dialect, sample.frames);
      expect(meaningOf(events)).toEqual(told);
      expect(endsOf(events)).toBe(1);
      expect(isEnd(events.at(-1) ?? { type: "" })).toBe(true);
    });

    test("every frame up to the end is carried by one event, in order and as it came", () => {
      const events = readFrames(dialect, sample.frames);
      const carried = events.flatMap(({ wire }) => (wire === undefined || wire === "above" ? [] : [wire]));
      expect(carried).toEqual(sample.frames.slice(0, carried.length).map((frame) => ({ dialect: id, ...frame })));
      expect(carried.length).toBeGreaterThan(sample.frames.length / 2);
      expect(events.filter(({ wire }) => wire === undefined)).toEqual([]);
    });

    test("S-24 at every split position, and with CRLF, the events are equal", () => {
      const bytes = bytesOf(sample.frames);
      const expected = readBytes(dialect, [bytes]);
      for (let at = 1; at < bytes.length; at += 1) {
        expect(readBytes(dialect, [bytes.subarray(0, at), bytes.subarray(at)])).toEqual(expected);
      }
      expect(readBytes(dialect, [bytesOf(sample.frames, "\r\n")])).toEqual(expected);
    });

    test("S-26 a stream that breaks off anywhere is one failure, with what was used so far", () => {
      for (let length = 0; length < sample.frames.length; length += 1) {
        const events = readFrames(dialect, sample.frames.slice(0, length));
        expect(endsOf(events), `${length} frames`).toBe(1);
        const end = events.at(-1);
        // Some shapes are whole before their last frame.
        if (end?.type !== "finished") expect(end).toMatchObject({ type: "failed", failure: { code: "upstream_cut" } });
      }
      expect(readFrames(dialect, []).at(-1)).toMatchObject({ type: "failed" });
    });

    test("after the end nothing more is said", () => {
      const decoder = dialect.decoder(request, facts);
      const events = [...sample.frames, ...sample.frames].flatMap((frame) => decoder.frame(frame));
      expect(endsOf([...events, ...decoder.ended(), ...decoder.ended()])).toBe(1);
      expect(decoder.ended()).toEqual([]);
      expect(decoder.used().usage.promptTokens).toBe(12);
    });

    test("an answer in one piece says the same; its end has the whole of it", () => {
      const body = JSON.stringify(sample.whole);
      const events = dialect.decoder(request, facts).whole(body);
      expect(meaningOf(events)).toEqual(told);
      expect(endsOf(events)).toBe(1);
      expect(events.at(-1)?.wire).toEqual({ dialect: id, event: null, data: body });
    });

    test("fields and frames that nobody knows change nothing", () => {
      const odd = sample.frames.flatMap(({ event, data }): UpstreamFrame[] => {
        if (!data.startsWith("{")) return [{ event, data }];
        return [
          { event, data: JSON.stringify({ zz_unknown: [1], ...JSON.parse(data) }) },
          { event: "zz_unknown", data: '{"type":"zz_unknown"}' },
        ];
      });
      expect(meaningOf(readFrames(dialect, odd))).toEqual(told);
    });

    test("S-26 mutated frames and bodies never throw, and have one end", () => {
      const dice = diceOf(new RandomSource(20_261_126));
      let finished = 0;
      for (let round = 0; round < 400; round += 1) {
        const at = dice.below(sample.frames.length);
        const frames = sample.frames.map((frame, index): UpstreamFrame => {
          if (index !== at || !frame.data.startsWith("{")) return frame;
          return { ...frame, data: JSON.stringify(mutatedJson(JSON.parse(frame.data), dice)) ?? "" };
        });
        const events = readFrames(dialect, frames);
        expect(endsOf(events), JSON.stringify(frames[at])).toBe(1);
        if (events.at(-1)?.type === "finished") finished += 1;

        const body = JSON.stringify(mutatedJson(sample.whole, dice)) ?? "";
        const decoder = dialect.decoder(request, facts);
        expect(endsOf([...decoder.whole(body), ...decoder.ended()]), body).toBe(1);
      }
      // Mutations are mostly in places that do not matter to the end.
      expect(finished).toBeGreaterThan(100);
    });

    test("a refusal of any status and any body is a Failure; Retry-After is read in each of its forms", () => {
      const nowMs = Date.parse("2026-11-26T10:00:00Z");
      for (const status of [
        300, 400, 401, 402, 403, 404, 405, 408, 409, 413, 422, 429, 500, 501, 502, 503, 504, 529, 599,
      ]) {
        for (const body of [
          "",
          "<html>",
          "null",
          "[]",
          '{"error":5}',
          '{"error":{"message":{}}}',
          JSON.stringify({ error: null }),
        ]) {
          const failure = dialect.decodeFailure({ status, headers: {}, body, nowMs });
          expect(failure).toBeInstanceOf(Failure);
          expect(failure.message.length).toBeGreaterThan(0);
          // What a provider says is never this box's own fault.
          expect(failureKinds[failure.code].httpStatus, `${status} ${failure.code}`).not.toBe(500);
        }
      }
      const { status, body } = sample.rateLimited;
      const asked = (headers: Record<string, string>) =>
        dialect.decodeFailure({ status, headers, body: JSON.stringify(body), nowMs });
      expect(asked({ "retry-after": "7" })).toMatchObject({ code: "upstream_rate_limited", coolDownMs: 7_000 });
      expect(asked({ "retry-after": "Thu, 26 Nov 2026 10:00:30 GMT" }).coolDownMs).toBe(30_000);
      expect(asked({ "retry-after-ms": "250" }).coolDownMs).toBe(250);
      expect(asked({}).coolDownMs).toBeNull();
    });

    test("lists of models that are none have no ids", () => {
      for (const body of [null, 5, {}, { data: null }, { data: [null, 5, {}] }, { models: 5 }]) {
        expect(dialect.models?.ids(body) ?? []).toEqual([]);
      }
    });
  },
);
