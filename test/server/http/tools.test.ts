/** Tools over real HTTP on the real engine and the demo model: forced calls, their round trip, and what agents put in it. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { newToolCallId } from "../../../server/platform/ids.ts";
import { ReplyReader } from "../../../server/backends/engine/reply/reply-reader.ts";
import { chatRequest } from "../../support/chat-request.ts";
import { type RealBox, realBox } from "../../support/real-box.ts";
import { postChat, readStream } from "../../support/sse.ts";
import { replyTools } from "../../support/replies.ts";

interface WireCall {
  readonly index?: number;
  readonly id?: string;
  readonly type?: string;
  readonly function: { readonly name?: string; readonly arguments: string };
}
interface Completion {
  readonly choices: readonly [
    {
      readonly finish_reason: string;
      readonly message: { readonly content: string | null; readonly tool_calls: readonly WireCall[] };
    },
  ];
  readonly usage: {
    readonly prompt_tokens: number;
    readonly prompt_tokens_details: { readonly cached_tokens: number };
  };
}

let box: RealBox;
beforeAll(async () => {
  box = await realBox();
});
afterAll(() => box.stop());

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] },
  },
};
const user = { role: "user", content: "Weather in Paris and Rome?" };
const forced = {
  model: "lanthorn-demo",
  messages: [user],
  temperature: 0,
  tools: [weather],
  tool_choice: { type: "function", function: { name: "get_weather" } },
};

async function whole(body: object): Promise<Completion> {
  const response = await postChat(box.started.url, body);
  expect(response.status).toBe(200);
  return (await response.json()) as Completion;
}

/** The calls of a stream, put together as clients do. */
async function streamed(body: object) {
  const { data } = await readStream(box.started.url, body);
  const chunks = data.slice(0, -1).map((one) => JSON.parse(one).choices[0]);
  const deltas: WireCall[] = chunks.flatMap((chunk) => chunk.delta.tool_calls ?? []);
  const calls: { id: string; name: string; arguments: string }[] = [];
  for (const delta of deltas) {
    const at = delta.index ?? -1;
    // The first delta of a call has its id and name, and no other has either.
    expect([delta.id, delta.type, delta.function.name].filter((one) => one !== undefined)).toHaveLength(
      calls[at] === undefined ? 3 : 0,
    );
    calls[at] ??= { id: delta.id ?? "", name: delta.function.name ?? "", arguments: "" };
    calls[at].arguments += delta.function.arguments;
  }
  const text = chunks.map((chunk) => chunk.delta.content ?? "").join("");
  return {
    calls,
    text,
    indexes: deltas.map((delta) => delta.index),
    pieces: deltas.length,
    finish: chunks.at(-1)?.finish_reason,
  };
}

describe("S-07 parallel forced calls", () => {
  test("whole: distinct ids, JSON that follows the schema, finish tool_calls", async () => {
    const { choices } = await whole(forced);
    const calls = choices[0].message.tool_calls;
    expect(calls.length).toBeGreaterThanOrEqual(2);
    expect(new Set(calls.map((call) => call.id)).size).toBe(calls.length);
    expect(calls.every((call) => /^call_\w{22}$/.test(call.id ?? ""))).toBe(true);
    for (const call of calls) expect(["Paris", "Rome"]).toContain(JSON.parse(call.function.arguments).city);
    expect(choices[0]).toMatchObject({ finish_reason: "tool_calls", message: { content: null } });
  });

  test("streamed: indices 0, 1, …, id and name once, pieces that join to the same JSON as the whole answer", async () => {
    const { calls, text, indexes, pieces, finish } = await streamed(forced);
    const { choices } = await whole(forced);
    expect(calls.map((call) => call.arguments)).toEqual(
      choices[0].message.tool_calls.map((call) => call.function.arguments),
    );
    expect(new Set(indexes)).toEqual(new Set(calls.keys()));
    expect(indexes).toEqual([...indexes].sort());
    expect(pieces).toBeGreaterThan(2 * calls.length);
    expect(new Set(calls.map((call) => call.id)).size).toBe(calls.length);
    expect({ text, finish }).toEqual({ text: "", finish: "tool_calls" });
  });

  test("one at most when parallel calls are switched off", async () => {
    const { choices } = await whole({ ...forced, parallel_tool_calls: false });
    expect(choices[0].message.tool_calls).toHaveLength(1);
  });

  test("`required` calls one of the tools, `none` and `auto` leave the model its text", async () => {
    const required = await whole({ ...forced, tool_choice: "required" });
    expect(required.choices[0].message.tool_calls[0]?.function.name).toBe("get_weather");
    for (const tool_choice of ["none", "auto"]) {
      const { choices } = await whole({ ...forced, tool_choice });
      expect(choices[0]).toMatchObject({ finish_reason: "stop" });
      expect(choices[0].message.content).toMatch(/^Hello!/);
    }
  });

  test("a call that the token limit cuts ends with `length`", async () => {
    const { finish } = await streamed({ ...forced, max_tokens: 12 });
    expect(finish).toBe("length");
  });
});

test("S-07 ids are distinct across 1,000 requests", () => {
  const reply = '<tool_call>{"name":"list_files","arguments":{}}</tool_call>'.repeat(2);
  const ids = Array.from({ length: 1_000 }, () => {
    const request = chatRequest("", { tools: replyTools });
    const reader = new ReplyReader({ request, format: "hermes", promptEnd: "", newToolCallId });
    return [...reader.push(reply, 2), ...reader.end()].flatMap((event) =>
      event.type === "tool-call" ? [event.id] : [],
    );
  }).flat();
  expect(ids).toHaveLength(2_000);
  expect(new Set(ids).size).toBe(2_000);
});

describe("S-07 round trip", () => {
  const call = (id: string, written = '{"city":"Paris"}') => ({
    id,
    type: "function",
    function: { name: "get_weather", arguments: written },
  });
  const calls = { role: "assistant", content: null, tool_calls: [call("call_1"), call("call_2", '{"city":"Rome"}')] };
  const result = (id: string, content: unknown = "sunny") => ({ role: "tool", tool_call_id: id, content });
  const statusOf = async (messages: readonly object[], more: object = {}) => {
    const body = { ...forced, tool_choice: "auto", messages, max_tokens: 1, ...more };
    const response = await postChat(box.started.url, body);
    return [response.status, await response.text()] as const;
  };
  const parts = (...texts: readonly string[]) => texts.map((text) => ({ type: "text", text }));

  test.each([
    ["results in reverse order", [user, calls, result("call_2"), result("call_1")]],
    ["results as lists of parts", [user, calls, result("call_1", parts("sun", "ny")), result("call_2", parts())]],
    ["two results of one call", [user, calls, result("call_1"), result("call_1", "again"), result("call_2")]],
    ["arguments that are no JSON", [user, { ...calls, tool_calls: [call("call_1", "{oops")] }, result("call_1")]],
    [
      "two assistant messages in a row",
      [user, { role: "assistant", content: "a" }, { role: "assistant", content: "b" }, user],
    ],
    ["an assistant message at the end", [user, { role: "assistant", content: "I think" }]],
    ["an empty one with reasoning", [user, { role: "assistant", content: "", reasoning_content: "Hm." }, user]],
    [
      "system and developer messages anywhere",
      [
        { role: "system", content: "a" },
        { role: "developer", content: "b" },
        user,
        { role: "system", content: parts("c") },
        user,
      ],
    ],
    [
      "a call beside text",
      [user, { ...calls, content: parts("Let me see.") }, result("call_1"), result("call_2"), user],
    ],
  ])("%s: 200", async (_, messages) => {
    expect((await statusOf(messages))[0]).toBe(200);
  });

  test("tools that only a vendor can run are left out: 200", async () => {
    const tools = [
      { type: "web_search" },
      { type: "custom", name: "patch" },
      { type: "namespace", tools: [] },
      weather,
    ];
    expect((await statusOf([user], { tools }))[0]).toBe(200);
  });

  test("a result of a call that nobody made: 400 with its place", async () => {
    const [status, body] = await statusOf([user, calls, result("call_3")]);
    expect(status).toBe(400);
    expect(JSON.parse(body).error).toMatchObject({ param: "messages[2].tool_call_id" });
  });
});
