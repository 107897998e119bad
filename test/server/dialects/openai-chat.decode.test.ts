/** An OpenAI chat body, judged: what real agents send is accepted, what cannot be given is refused by name. */
import { describe, expect, test } from "vitest";
import { dialects } from "../../../server/dialects/index.ts";
import { Failure } from "../../../server/domain/failure.ts";

const { decodeChat } = dialects["openai-chat"];
const hello = { model: "coder", messages: [{ role: "user", content: "hi" }] };
const weather = { type: "function", function: { name: "weather", parameters: { type: "object" } } };

function refusal(body: unknown): Failure {
  try {
    decodeChat(body);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error("was accepted");
}

describe("S-04 validation table", () => {
  const call = { id: "call_1", type: "function", function: { name: "weather", arguments: "{}" } };
  const table: [what: string, change: object, param: string][] = [
    ["temperature as text", { temperature: "hot" }, "temperature"],
    ["temperature too high", { temperature: 2.5 }, "temperature"],
    ["top_p above one", { top_p: 1.5 }, "top_p"],
    ["max_tokens negative", { max_tokens: -1 }, "max_tokens"],
    ["max_tokens a fraction", { max_tokens: 0.5 }, "max_tokens"],
    ["max_tokens as text", { max_tokens: "5" }, "max_tokens"],
    ["max_completion_tokens zero", { max_completion_tokens: 0 }, "max_completion_tokens"],
    ["n zero", { n: 0 }, "n"],
    ["n beyond what anybody reads", { n: 129 }, "n"],
    ["top_logprobs too many", { top_logprobs: 99 }, "top_logprobs"],
    ["top_logprobs without logprobs", { top_logprobs: 2 }, "top_logprobs"],
    ["logprobs as text", { logprobs: "yes" }, "logprobs"],
    ["seed a fraction", { seed: 1.5 }, "seed"],
    ["penalty too large", { frequency_penalty: 3 }, "frequency_penalty"],
    ["stop as number", { stop: 5 }, "stop"],
    ["stop with a number in it", { stop: ["a", 5] }, "stop[1]"],
    ["too many stops", { stop: Array.from({ length: 17 }, () => "x") }, "stop"],
    ["logit_bias with a word for a token", { logit_bias: { hello: 1 } }, "logit_bias"],
    ["logit_bias too large", { logit_bias: { 15: 101 } }, "logit_bias.15"],
    ["response_format a number", { response_format: 5 }, "response_format"],
    ["response_format of an unknown type", { response_format: { type: "yaml" } }, "response_format.type"],
    ["response_format with a number for a type", { response_format: { type: 5 } }, "response_format.type"],
    ["json_schema without anything", { response_format: { type: "json_schema" } }, "response_format.json_schema"],
    [
      "json_schema without a schema",
      { response_format: { type: "json_schema", json_schema: { name: "x" } } },
      "response_format.json_schema.schema",
    ],
    [
      "json_schema with text for a schema",
      { response_format: { type: "json_schema", json_schema: { name: "x", schema: "{}" } } },
      "response_format.json_schema.schema",
    ],
    [
      "json_object with a number for a schema",
      { response_format: { type: "json_object", schema: 5 } },
      "response_format.schema",
    ],
    ["tools an object", { tools: {} }, "tools"],
    ["a tool that is text", { tools: ["weather"] }, "tools[0]"],
    ["a tool without its function", { tools: [{ type: "function" }] }, "tools[0].function"],
    ["a tool without a name", { tools: [weather, { type: "function", function: {} }] }, "tools[1].function.name"],
    ["an unknown tool_choice", { tools: [weather], tool_choice: "sometimes" }, "tool_choice"],
    [
      "tool_choice for a tool that is not there",
      { tools: [weather], tool_choice: { type: "function", function: { name: "other" } } },
      "tool_choice",
    ],
    ["tool_choice required without tools", { tool_choice: "required" }, "tool_choice"],
    ["stream as text", { stream: "yes" }, "stream"],
    ["stream_options a number", { stream_options: 1 }, "stream_options"],
    ["audio asked for", { modalities: ["text", "audio"] }, "modalities"],
    ["old functions", { functions: [{ name: "f" }] }, "functions"],
    ["model a number", { model: 5 }, "model"],
    ["model empty", { model: "" }, "model"],
    ["messages null", { messages: null }, "messages"],
    ["messages text", { messages: "hi" }, "messages"],
    ["messages empty", { messages: [] }, "messages"],
    ["a message that is a number", { messages: [5] }, "messages[0]"],
    ["a message without a role", { messages: [{ content: "hi" }] }, "messages[0].role"],
    ["a message with a number for a role", { messages: [{ role: 5, content: "hi" }] }, "messages[0].role"],
    ["content a number", { messages: [{ role: "system", content: 5 }] }, "messages[0].content"],
    ["content missing", { messages: [{ role: "user" }] }, "messages[0].content"],
    ["a second message that is empty", { messages: [{ role: "system", content: "x" }, {}] }, "messages[1].role"],
    [
      "a text part without text",
      { messages: [{ role: "user", content: [{ type: "text" }] }] },
      "messages[0].content[0].text",
    ],
    ["a part that is text", { messages: [{ role: "user", content: ["hi"] }] }, "messages[0].content[0]"],
    [
      "an image that is nowhere",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      "messages[0].content[0].image_url.url",
    ],
    [
      "an image in a data URL without base64",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: "data:image/svg+xml,<svg/>" }] }] },
      "messages[0].content[0].image_url.url",
    ],
    [
      "a part nobody knows",
      { messages: [{ role: "user", content: [{ type: "hologram" }] }] },
      "messages[0].content[0]",
    ],
    [
      "a tool call without a name",
      { messages: [{ role: "assistant", tool_calls: [{ ...call, function: { arguments: "" } }] }] },
      "messages[0].tool_calls[0].function.name",
    ],
    [
      "a tool call without an id",
      { messages: [{ role: "assistant", tool_calls: [{ ...call, id: undefined }] }] },
      "messages[0].tool_calls[0].id",
    ],
    [
      "a tool message that answers nothing",
      {
        messages: [
          { role: "assistant", content: null, tool_calls: [call] },
          { role: "tool", tool_call_id: "call_2", content: "x" },
        ],
      },
      "messages[1].tool_call_id",
    ],
  ];
  test.each(table)("%s", (_what, change, param) => {
    const failure = refusal({ ...hello, ...change });
    expect(failure.code).toBe("invalid_request");
    expect(failure.param).toBe(param);
    expect(failure.message).not.toBe("");
  });

  test.each([[[]], ["x"], [null], [5], [true]])("a body that is %j", (body) => {
    expect(refusal(body).code).toBe("invalid_request");
  });

  test("the model is named first when everything is missing", () => {
    expect(refusal({}).param).toBe("model");
  });
});

describe("S-06 agent fields accepted", () => {
  test("everything agents send beside the request is dropped without a word", () => {
    const request = decodeChat({
      ...hello,
      store: false,
      metadata: { session: "1" },
      parallel_tool_calls: false,
      reasoning_effort: "xhigh",
      service_tier: "auto",
      prompt_cache_key: "abc",
      user: "me",
      x_foo: { deep: [1] },
      stream_options: { include_usage: true, x: 1 },
      tool_choice: null,
      tools: null,
      temperature: null,
      stop: null,
      response_format: null,
      max_tokens: null,
    });
    expect(request).toMatchObject({ model: "coder", parallelToolCalls: false, includeUsage: true, maxTokens: null });
    expect(request.sampling.temperature).toBeNull();
  });

  test("developer is system, and content may be text, nothing, null or parts on every role", () => {
    const { messages } = decodeChat({
      model: "coder",
      messages: [
        { role: "developer", content: [{ type: "text", text: "a", cache_control: { type: "ephemeral" } }] },
        { role: "system", content: "b" },
        {
          role: "user",
          content: [
            { type: "text", text: "c" },
            { type: "text", text: "d" },
          ],
          name: "Ann",
        },
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id: "1", function: { name: "f", arguments: ' {"a" : 1}' } }],
        },
        { role: "tool", tool_call_id: "1", content: [{ type: "text", text: "e" }] },
        { role: "tool", tool_call_id: "1", content: null },
        { role: "assistant", content: "", reasoning_content: "hm" },
        { role: "assistant" },
        { role: "user", content: null },
      ],
    });
    const nothing = { role: "assistant", content: [], reasoning: null, toolCalls: [] };
    expect(messages).toEqual([
      { role: "system", content: [{ type: "text", text: "a", cache: { keep: "5m" } }] },
      { role: "system", content: [{ type: "text", text: "b" }] },
      {
        role: "user",
        content: [
          { type: "text", text: "c" },
          { type: "text", text: "d" },
        ],
      },
      { ...nothing, toolCalls: [{ id: "1", name: "f", arguments: ' {"a" : 1}' }] },
      { role: "tool", toolCallId: "1", content: [{ type: "text", text: "e" }] },
      { role: "tool", toolCallId: "1", content: [] },
      { ...nothing, reasoning: "hm" },
      nothing,
      { role: "user", content: [] },
    ]);
  });

  test("max_completion_tokens wins over max_tokens, and more than any context is no error", () => {
    expect(decodeChat({ ...hello, max_tokens: 64_000, max_completion_tokens: 3 }).maxTokens).toBe(3);
    expect(decodeChat({ ...hello, max_tokens: 64_000_000 }).maxTokens).toBe(64_000_000);
  });

  test("tools that only a vendor can run are dropped, functions stay", () => {
    const { tools } = decodeChat({
      ...hello,
      tools: [{ type: "web_search" }, weather, { type: "custom", custom: { name: "c", format: {} } }],
    });
    expect(tools).toEqual([{ name: "weather", description: null, parameters: { type: "object" } }]);
  });

  test.each([
    [undefined, { type: "auto" }],
    ["none", { type: "none" }],
    ["required", { type: "required" }],
    [{ type: "auto" }, { type: "auto" }],
    [
      { type: "function", function: { name: "weather" } },
      { type: "named", name: "weather" },
    ],
  ])("tool_choice %j", (sent, meant) => {
    expect(decodeChat({ ...hello, tools: [weather], tool_choice: sent }).toolChoice).toEqual(meant);
  });
});

test("sampling wishes and the extensions arrive as they were sent", () => {
  const request = decodeChat({
    ...hello,
    temperature: 0,
    top_p: 0.9,
    top_k: -1,
    min_p: 0.05,
    seed: -1,
    frequency_penalty: 1,
    presence_penalty: -1,
    repeat_penalty: 1.1,
    logit_bias: { 15: -100, 7: 2.5 },
    stop: "END",
    ignore_eos: true,
    cache_prompt: false,
    response_format: { type: "json_object" },
  });
  expect(request).toMatchObject({
    sampling: {
      temperature: 0,
      topP: 0.9,
      topK: 0,
      minP: 0.05,
      seed: 4_294_967_295,
      frequencyPenalty: 1,
      presencePenalty: -1,
      repeatPenalty: 1.1,
    },
    stop: ["END"],
    ignoreEos: true,
    cachePrompt: false,
    responseFormat: { type: "json-object" },
  });
  expect([...request.sampling.logitBias]).toEqual([
    [7, 2.5],
    [15, -100],
  ]);
  expect(decodeChat({ ...hello, seed: 2 ** 32 + 5 }).sampling.seed).toBe(5);
});

test("an empty stop string means none: it would end every answer before it began", () => {
  expect(decodeChat({ ...hello, stop: ["", "x"] }).stop).toEqual(["x"]);
});

test("a schema is read from either place, and its place is remembered", () => {
  const schema = { type: "object", properties: {} };
  const strict = { type: "json_schema", json_schema: { name: "x", strict: true, schema } };
  const param = "response_format.json_schema.schema";
  expect(decodeChat({ ...hello, response_format: strict }).responseFormat).toEqual({
    type: "json-schema",
    schema,
    param,
  });
  const extension = { type: "json_object", schema };
  expect(decodeChat({ ...hello, response_format: extension }).responseFormat).toMatchObject({
    schema,
    param: "response_format.schema",
  });
  expect(decodeChat({ ...hello, response_format: { type: "json_object", schema: null } }).responseFormat).toEqual({
    type: "json-object",
  });
});

describe("images, files and wishes", () => {
  const content = (...parts: object[]) => {
    const { messages } = decodeChat({ model: "coder", messages: [{ role: "user", content: parts }] });
    return messages[0]?.content;
  };

  test("an image comes by its bytes or its address", () => {
    const url = "data:image/PNG;base64,iVBORw0=";
    expect(content({ type: "image_url", image_url: { url, detail: "low" } })).toEqual([
      { type: "image", source: { kind: "base64", mediaType: "image/png", data: "iVBORw0=" }, detail: "low" },
    ]);
    expect(content({ type: "image_url", image_url: "https://host.test/a.png" })).toEqual([
      { type: "image", source: { kind: "url", url: "https://host.test/a.png" } },
    ]);
  });

  test("a file comes by its bytes; one that lies at a vendor and audio are not supported here", () => {
    const file = { filename: "a.pdf", file_data: "data:application/pdf;base64,JVBERi0=" };
    expect(content({ type: "file", file, cache_control: { type: "ephemeral", ttl: "1h" } })).toEqual([
      {
        ...{ type: "file", name: "a.pdf", cache: { keep: "1h" } },
        source: { kind: "base64", mediaType: "application/pdf", data: "JVBERi0=" },
      },
    ]);
    for (const [part, param] of [
      [{ type: "file", file: { file_id: "file-1" } }, "messages[0].content[1].file"],
      [{ type: "input_audio", input_audio: { data: "", format: "wav" } }, "messages[0].content[1]"],
    ] as const) {
      const body = { model: "coder", messages: [{ role: "user", content: [{ type: "text", text: "x" }, part] }] };
      expect(refusal(body)).toMatchObject({ code: "unsupported", param });
    }
  });

  test("thinking, tier and user are kept where they are known; strict and marks stay on tools", () => {
    const request = decodeChat({
      ...hello,
      ...{ reasoning_effort: "high", service_tier: "flex", user: "u-1" },
      tools: [{ ...weather, function: { ...weather.function, strict: true }, cache_control: { type: "ephemeral" } }],
    });
    expect(request).toMatchObject({
      reasoning: { effort: "high", budgetTokens: null, summary: null },
      serviceTier: "flex",
      endUser: "u-1",
      tools: [{ name: "weather", strict: true, cache: { keep: "5m" } }],
    });
    const unsaid = decodeChat({ ...hello, reasoning_effort: "galactic", service_tier: "auto", user: "" });
    expect(Object.keys(unsaid)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(reasoning|serviceTier|endUser)$/)]),
    );
    expect(decodeChat({ ...hello, reasoning: { max_tokens: 2_000 } }).reasoning?.budgetTokens).toBe(2_000);
  });

  test("the body itself goes along, as it came", () => {
    const body = { ...hello, zz_unknown: { a: 1 } };
    expect(decodeChat(body).wire).toEqual({ dialect: "openai-chat", body });
  });
});
