/** What upstreams of OpenAI's chat shape send, with all their habits, → events. One line per habit. */
import { describe, expect, test } from "vitest";
import type { CallFacts } from "../../../server/dialects/called.ts";
import { calledDialects } from "../../../server/dialects/index.ts";
import { type ChatEvent, type ChatRequest, type EndEvent, isEnd } from "../../../server/domain/chat.ts";
import { chatRequest } from "../../support/chat-request.ts";
import { saidInEvents } from "../../support/replay/said.ts";

const dialect = calledDialects["openai-chat"];
const facts: CallFacts = { model: "up", maxTokens: null, traits: {} };
const weather = { name: "weather", description: null, parameters: null };
const tools = chatRequest("hi", { tools: [weather, { ...weather, name: "time" }] });

function decoded(frames: readonly (object | string)[], request: ChatRequest = tools): readonly ChatEvent[] {
  const decoder = dialect.decoder(request, facts);
  const events = frames.flatMap((frame) => [
    ...decoder.frame({ event: null, data: typeof frame === "string" ? frame : JSON.stringify(frame) }),
  ]);
  return [...events, ...decoder.ended()];
}

function endOf(events: readonly ChatEvent[]): EndEvent {
  const ends = events.filter(isEnd);
  const [end] = ends;
  if (end === undefined || ends.length !== 1 || events.at(-1) !== end) throw new Error("exactly one end, last");
  return end;
}

const delta = (fields: object, reason: string | null = null): object => ({
  choices: [{ index: 0, delta: fields, finish_reason: reason }],
});
const call = (fields: object): object => delta({ tool_calls: [fields] });
const piece = (index: unknown, text: string): object => call({ index, function: { arguments: text } });
const calling = { type: "function", function: { name: "weather", arguments: "" } };
const end = delta({}, "tool_calls");
const one = [{ name: "weather", arguments: { a: 1 } }];
const two = [...one, { name: "time", arguments: {} }];

describe("S-24 tool calls are joined however they are numbered", () => {
  const time = { name: "time", arguments: "{}" };
  test.each<[string, readonly object[], object[]]>([
    ["in pieces", [call({ index: 0, id: "x", ...calling }), piece(0, '{"a"'), piece(0, ":1}"), end], one],
    ["from 1 on", [call({ index: 1, id: "x", ...calling }), piece(1, '{"a":1}'), end], one],
    ["numbered in words", [call({ index: "0", id: "x", ...calling }), piece("0", '{"a":1}'), end], one],
    ["not numbered, later pieces without id", [call({ id: "x", ...calling }), piece(undefined, '{"a":1}'), end], one],
    [
      "id and name in every piece",
      ['{"a"', ":1}"]
        .map((text) => call({ index: 0, id: "x", function: { name: "weather", arguments: text } }))
        .concat(end),
      one,
    ],
    [
      "an empty id and name in later pieces",
      [
        call({ index: 0, id: "x", ...calling }),
        call({ index: 0, id: "", function: { name: "", arguments: '{"a":1}' } }),
        end,
      ],
      one,
    ],
    [
      "arguments as an object",
      [call({ index: 0, id: "x", function: { name: "weather", arguments: { a: 1 } } }), end],
      one,
    ],
    [
      "the id after the name",
      [call({ index: 0, ...calling }), call({ index: 0, id: "x", function: { arguments: '{"a":1}' } }), end],
      one,
    ],
    [
      "two in one delta",
      [
        delta({
          tool_calls: [
            { index: 0, id: "x", function: { name: "weather", arguments: '{"a":1}' } },
            { index: 1, id: "y", function: time },
          ],
        }),
        end,
      ],
      two,
    ],
    [
      "two under one number with ids of their own",
      [
        call({ index: 0, id: "x", function: { name: "weather", arguments: '{"a":1}' } }),
        call({ index: 0, id: "y", function: time }),
        end,
      ],
      two,
    ],
    [
      "two under one number without ids",
      [
        call({ index: 0, function: { name: "weather", arguments: '{"a":1}' } }),
        call({ index: 0, function: time }),
        end,
      ],
      two,
    ],
    [
      "two without number or id",
      [delta({ tool_calls: [{ function: { name: "weather", arguments: '{"a":1}' } }, { function: time }] }), end],
      two,
    ],
    [
      "two, their pieces mixed",
      [
        call({ index: 0, id: "x", ...calling }),
        call({ index: 1, id: "y", function: { name: "time" } }),
        piece(0, '{"a"'),
        piece(1, "{}"),
        piece(0, ":1}"),
        end,
      ],
      two,
    ],
    [
      "the old function_call",
      [
        delta({ function_call: { name: "weather", arguments: "" } }),
        delta({ function_call: { arguments: '{"a":1}' } }),
        delta({}, "function_call"),
      ],
      one,
    ],
    [
      "ended as stop",
      [call({ index: 0, id: "x", function: { name: "weather", arguments: '{"a":1}' } }), delta({}, "stop")],
      one,
    ],
    [
      "without arguments",
      [call({ index: 0, id: "y", function: { name: "time" } }), end],
      [{ name: "time", arguments: {} }],
    ],
  ])("%s", (_name, frames, calls) => {
    const events = decoded(frames);
    expect(saidInEvents(events).calls).toEqual(calls);
    expect(endOf(events)).toMatchObject({ type: "finished", finishReason: "tool-calls" });
    const ids = events.flatMap((event) => (event.type === "tool-call" ? [event.id] : []));
    expect(new Set(ids).size).toBe(calls.length);
    expect(ids).not.toContain("");
  });

  test("ids that are made here are none of the conversation's, and the same however often it is read", () => {
    const made = (request: ChatRequest) =>
      decoded([call({ function: { name: "time", arguments: "{}" } }), end], request).flatMap((event) =>
        event.type === "tool-call" ? [event.id] : [],
      );
    const [first = ""] = made(tools);
    expect(made(tools)).toEqual([first]);
    const earlier = { id: first, name: "time", arguments: "{}" };
    const messages = [{ role: "assistant", content: [], reasoning: null, toolCalls: [earlier] }] as const;
    expect(made({ ...tools, messages })).not.toEqual([first]);
  });

  test("a call without a name is a failure, not a call of nothing", () => {
    expect(endOf(decoded([piece(0, "{}"), end]))).toMatchObject({ failure: { code: "upstream_failed" } });
  });

  test("a tool of a group goes by a name of its own, and one of free text gives its text", () => {
    const grouped = [
      { ...weather, namespace: "a" },
      { ...weather, namespace: "b" },
      { ...weather, name: "patch", custom: { grammar: null } },
    ];
    const request = chatRequest("hi", { tools: grouped });
    const sent = JSON.parse(dialect.encodeRequest(request, facts).body);
    expect(sent.tools.map((tool: { function: { name: string } }) => tool.function.name)).toEqual([
      "a__weather",
      "b__weather",
      "patch",
    ]);
    const events = decoded(
      [
        call({ index: 0, id: "x", function: { name: "b__weather", arguments: "{}" } }),
        call({ index: 1, id: "y", function: { name: "patch", arguments: '{"input":"*** Be' } }),
        piece(1, 'gin\\n"}'),
        end,
      ],
      request,
    );
    expect(events).toContainEqual(expect.objectContaining({ type: "tool-call", name: "weather", namespace: "b" }));
    expect(events).toContainEqual(expect.objectContaining({ type: "tool-call", name: "patch", custom: true }));
    expect(events).toContainEqual(expect.objectContaining({ type: "tool-arguments", index: 1, text: "*** Begin\n" }));
  });
});

describe("S-24 habits of upstreams", () => {
  const text = delta({ content: "Hi" });
  const stop = delta({}, "stop");
  const usage = { prompt_tokens: 4, completion_tokens: 2 };
  test.each<[string, readonly (object | string)[], object]>([
    ["no terminator", [text, stop], { finishReason: "stop" }],
    ["reason and text in one chunk", [delta({ content: "Hi" }, "length")], { finishReason: "length" }],
    ["a reason nobody knows", [text, delta({}, "eos_token")], { finishReason: "stop" }],
    ["the filter", [text, delta({}, "content_filter"), "[DONE]"], { finishReason: "content-filter" }],
    [
      "choices null, and empty data",
      ["", { choices: null }, text, stop, { choices: null, usage }],
      { usage: { promptTokens: 4 } },
    ],
    ["usage beside choices", [text, { ...stop, usage }, "[DONE]"], { usage: { completionTokens: 2 } }],
    [
      "usage twice",
      [text, { ...stop, usage: { prompt_tokens: 0 } }, { choices: [], usage }, "[DONE]"],
      { usage: { promptTokens: 4 } },
    ],
    ["usage in x_groq only", [text, { ...stop, x_groq: { usage } }], { usage: { promptTokens: 4 } }],
    ["usage absent", [text, stop, "[DONE]"], { usage: { promptTokens: 0 }, upstream: { flags: ["usage_absent"] } }],
    [
      "absurd usage",
      [text, stop, { choices: [], usage: { prompt_tokens: -1, completion_tokens: 1e30 } }],
      { usage: { promptTokens: 0, completionTokens: 0 } },
    ],
    ["content as parts", [delta({ content: [{ type: "text", text: "Hi" }] }), stop], { finishReason: "stop" }],
    ["more after the terminator", [text, stop, "[DONE]", text, "[DONE]"], { finishReason: "stop" }],
  ])("%s", (_name, frames, meant) => {
    const events = decoded(frames);
    expect(endOf(events)).toMatchObject({ type: "finished", ...meant });
    expect(saidInEvents(events).text).toBe("Hi");
  });

  test.each<[string, readonly (object | string)[], string]>([
    ["broken off", [text], "upstream_cut"],
    ["nothing at all", [], "upstream_cut"],
    ["a terminator without a reason", [text, "[DONE]"], "upstream_cut"],
    ["a web page", ["<html>"], "upstream_failed"],
    ["half a chunk", ['{"choices":[{'], "upstream_failed"],
    ["a number", ["5"], "upstream_failed"],
    ["an error", [text, { error: { message: "no", code: 502 } }], "upstream_failed"],
    ["an error in words", [{ error: "overloaded_error" }], "upstream_failed"],
    ["too often", [{ error: { message: "Try again in 2s", type: "rate_limit_error" } }], "upstream_rate_limited"],
    ["too much to do", [{ error: { message: "x", type: "overloaded_error" } }, "[DONE]"], "upstream_overloaded"],
    ["a context too short", [{ error: { message: "x", code: "context_length_exceeded" } }], "context_length_exceeded"],
    ["an error as the reason", [text, delta({}, "error"), "[DONE]"], "upstream_failed"],
    ["no room left", [text, delta({}, "insufficient_system_resource")], "upstream_overloaded"],
  ])("S-26 %s is one failure: %#", (_name, frames, code) => {
    const events = decoded(frames);
    expect(endOf(events)).toMatchObject({ type: "failed", failure: { code } });
  });

  test("thinking under either name, once; refusals; several answers with an end each", () => {
    const thinking = decoded([
      delta({ reasoning: "a", reasoning_content: "a" }),
      delta({ reasoning: "b" }),
      delta({ content: [{ type: "thinking", thinking: [{ text: "c" }] }] }),
      stop,
    ]);
    expect(saidInEvents(thinking).reasoning).toBe("abc");
    expect(decoded([delta({ refusal: "No." }), stop])).toContainEqual(
      expect.objectContaining({ type: "refusal", text: "No." }),
    );
    const of = (index: number, fields: object, reason: string | null = null) => ({
      choices: [{ index, delta: fields, finish_reason: reason }],
    });
    const frames = [of(1, { content: "b" }), of(0, { content: "a" }), of(0, {}, "length"), of(1, {}, "stop"), "[DONE]"];
    const several = decoded(frames, chatRequest("hi", { choices: 2 }));
    expect(several).toContainEqual(
      expect.objectContaining({ type: "choice-finished", choice: 1, finishReason: "stop" }),
    );
    expect(endOf(several)).toMatchObject({ type: "finished", finishReason: "length" });
    expect(endOf(decoded(frames.slice(0, 3), chatRequest("hi", { choices: 2 })))).toMatchObject({ type: "failed" });
  });

  test("log-probabilities come along when they were asked for", () => {
    const token = { token: "Hi", logprob: -0.5, bytes: [72, 105] };
    const frames = [
      {
        choices: [{ index: 0, delta: { content: "Hi" }, logprobs: { content: [{ ...token, top_logprobs: [token] }] } }],
      },
      stop,
    ];
    const read = { text: "Hi", logprob: -0.5, bytes: [72, 105] };
    const [first] = decoded(frames, chatRequest("hi", { logprobs: { top: 1 } }));
    expect(first).toMatchObject({ type: "text", text: "Hi", logprobs: [{ ...read, top: [read] }] });
    expect(decoded(frames)[0]).not.toHaveProperty("logprobs");
  });
});

describe("an answer in one piece", () => {
  const whole = (body: unknown) =>
    dialect.decoder(tools, facts).whole(typeof body === "string" ? body : JSON.stringify(body));
  test("says all that a stream would", () => {
    const message = {
      ...{ role: "assistant", content: null, reasoning_content: "hm" },
      tool_calls: [{ id: "x", type: "function", function: { name: "weather", arguments: "" } }],
    };
    const events = whole({
      choices: [{ message, finish_reason: "tool_calls" }],
      usage: { prompt_tokens: 1, completion_tokens: 2 },
    });
    expect(saidInEvents(events)).toMatchObject({
      ...{ reasoning: "hm", calls: [{ name: "weather", arguments: {} }], usage: { prompt: 1, completion: 2 } },
      end: "finished",
    });
  });

  test.each([
    ["no JSON", "<html>"],
    ["no choice", { choices: [] }],
    ["an error under 200", { error: { message: "x", code: 500 } }],
    ["null", null],
  ])("with %s is a failure", (_name, body) => {
    expect(endOf(whole(body))).toMatchObject({ type: "failed", failure: { code: "upstream_failed" } });
  });

  test("S-26 without its end it is cut, wherever that was; what is wrong before its end is not", () => {
    const body = '{"choices":[{"message":{"content":"a\\u00e9\\\\ b","n":-1.5e3,"t":true,"z":null}}], "x" : [1,2]}';
    for (let length = 1; length < body.length; length += 1) {
      expect(endOf(whole(body.slice(0, length)))).toMatchObject({ type: "failed", failure: { code: "upstream_cut" } });
    }
    expect(endOf(whole(body)).type).toBe("finished");
    for (const garbage of ["{not json", "{{{", '{"choices":}}', '{"choices":[] x']) {
      expect(endOf(whole(garbage))).toMatchObject({ type: "failed", failure: { code: "upstream_failed" } });
    }
  });
});
