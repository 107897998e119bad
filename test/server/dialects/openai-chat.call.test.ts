/** What an upstream of OpenAI's chat shape is sent, from a request of the same shape and from one of any other. */
import { describe, expect, test } from "vitest";
import type { CallFacts, CallTraits } from "../../../server/dialects/called.ts";
import { calledDialects, dialects } from "../../../server/dialects/index.ts";
import type { ChatRequest } from "../../../server/domain/chat.ts";
import { chatRequest } from "../../support/chat-request.ts";

const dialect = calledDialects["openai-chat"];
const facts = (traits: CallTraits = {}, more: Partial<CallFacts> = {}): CallFacts => ({
  ...{ model: "up-1", maxTokens: null, traits },
  ...more,
});
const bodyOf = (request: ChatRequest, given = facts()) => JSON.parse(dialect.encodeRequest(request, given).body);

describe("from the same shape", () => {
  const sent = {
    ...{ model: "coder", max_tokens: 900, temperature: 0.3, zz_unknown: [1.5, { a: null }], store: false },
    ...{
      cache_prompt: false,
      ignore_eos: true,
      top_k: 3,
      stream: true,
      stream_options: { include_obfuscation: false },
    },
    messages: [
      { role: "developer", content: "be brief", name: "boss" },
      { role: "user", content: [{ type: "text", text: "hi", cache_control: { type: "ephemeral" } }] },
    ],
  };
  const request = dialects["openai-chat"].decodeChat(sent);

  test("the body goes as it came, but for the closed list of edits", () => {
    const { cache_prompt: _, ignore_eos: __, top_k: ___, ...kept } = sent;
    expect(bodyOf(request, facts({}, { maxTokens: 500 }))).toEqual({
      ...kept,
      model: "up-1",
      max_tokens: 500,
      stream_options: { include_obfuscation: false, include_usage: true },
    });
  });

  test("traits say what an upstream has other words for", () => {
    const traits: CallTraits = {
      ...{ maxTokensField: "max_completion_tokens", noStreamOptions: true },
      ...{ noDeveloperRole: true, extendedSampling: true },
    };
    const body = bodyOf(request, facts(traits, { maxTokens: 500, extraBody: { provider: { sort: "price" } } }));
    expect(body).toMatchObject({
      ...{ max_completion_tokens: 500, cache_prompt: false, ignore_eos: true, top_k: 3, provider: { sort: "price" } },
      messages: [{ role: "system", content: "be brief", name: "boss" }, sent.messages[1]],
    });
    expect(Object.keys(body)).not.toEqual(
      expect.arrayContaining([expect.stringMatching(/^(stream_options|max_tokens)$/)]),
    );
  });

  test("asked for in one piece it has no options of a stream", () => {
    const whole = dialects["openai-chat"].decodeChat({ ...sent, stream: false });
    expect(bodyOf(whole)).not.toHaveProperty("stream_options");
    expect(dialect.encodeRequest(whole, facts())).toMatchObject({
      path: "/chat/completions",
      headers: { accept: "application/json" },
    });
  });
});

const schema = { type: "object", properties: { a: { type: "string" }, b: { type: "object", properties: {} } } };
const image = {
  type: "image",
  source: { kind: "base64", mediaType: "image/png", data: "AAAA" },
  detail: "high",
} as const;
const conversation = chatRequest("", {
  messages: [
    { role: "system", content: [{ type: "text", text: "be brief", cache: { keep: "1h" } }] },
    { role: "user", content: [{ type: "text", text: "what is this?" }, image] },
    {
      role: "assistant",
      content: [],
      reasoning: "look",
      toolCalls: [
        { id: "c1", name: "look", arguments: '{"at":1}' },
        { id: "c2", name: "zoom", arguments: "" },
      ],
    },
    { role: "tool", toolCallId: "c1", content: [{ type: "text", text: "seen" }, image] },
    { role: "tool", toolCallId: "c2", content: [{ type: "text", text: "too close" }], isError: true },
    { role: "user", content: [{ type: "text", text: "go on" }] },
  ],
  tools: [{ name: "look", description: "Looks.", parameters: schema, strict: true }],
  toolChoice: { type: "named", name: "look" },
  parallelToolCalls: false,
  responseFormat: { type: "json-schema", schema, param: "format" },
  sampling: { ...chatRequest("").sampling, topP: 0.9, seed: 7, topK: 40, minP: 0.1, repeatPenalty: 1.1 },
  ...{ stop: ["END"], choices: 2, logprobs: { top: 3 }, cacheKey: "k", endUser: "u", serviceTier: "flex" },
  reasoning: { effort: null, budgetTokens: 10_000, summary: null },
});
const shownImage = { type: "image_url", image_url: { url: "data:image/png;base64,AAAA", detail: "high" } };
const wire = {
  model: "up-1",
  messages: [
    { role: "system", content: "be brief" },
    { role: "user", content: [{ type: "text", text: "what is this?" }, shownImage] },
    {
      role: "assistant",
      content: null,
      tool_calls: [
        { id: "c1", type: "function", function: { name: "look", arguments: '{"at":1}' } },
        { id: "c2", type: "function", function: { name: "zoom", arguments: "{}" } },
      ],
    },
    { role: "tool", tool_call_id: "c1", content: "seen" },
    { role: "tool", tool_call_id: "c2", content: "Error: too close" },
    { role: "user", content: [{ type: "text", text: "Result of the tool call c1:" }, shownImage] },
    { role: "user", content: "go on" },
  ],
  max_completion_tokens: 99,
  tools: [{ type: "function", function: { name: "look", description: "Looks.", parameters: schema, strict: true } }],
  tool_choice: { type: "function", function: { name: "look" } },
  parallel_tool_calls: false,
  response_format: {
    type: "json_schema",
    json_schema: {
      ...{ name: "answer", strict: true },
      schema: {
        type: "object",
        properties: {
          a: { type: "string" },
          b: { type: "object", properties: {}, additionalProperties: false, required: [] },
        },
        ...{ additionalProperties: false, required: ["a", "b"] },
      },
    },
  },
  ...{ temperature: 0, top_p: 0.9, seed: 7, stop: ["END"], n: 2, logprobs: true, top_logprobs: 3 },
  ...{
    reasoning_effort: "medium",
    service_tier: "flex",
    user: "u",
    stream: true,
    stream_options: { include_usage: true },
  },
};

describe("from another shape", () => {
  test("everything that was said is said", () => {
    expect(bodyOf(conversation, facts({}, { maxTokens: 99 }))).toEqual(wire);
  });

  test("traits open what only some upstreams know", () => {
    const traits: CallTraits = {
      ...{ maxTokensField: "max_tokens", noStreamOptions: true, extendedSampling: true },
      ...{ reasoningContent: true, cacheControl: true, promptCacheKey: true },
    };
    const { max_completion_tokens: _, stream_options: __, messages, ...rest } = wire;
    const [, user, assistant, ...more] = messages;
    expect(bodyOf(conversation, facts(traits, { maxTokens: 99 }))).toEqual({
      ...rest,
      messages: [
        {
          role: "system",
          content: [{ type: "text", text: "be brief", cache_control: { type: "ephemeral", ttl: "1h" } }],
        },
        user,
        { ...assistant, reasoning_content: "look" },
        ...more,
      ],
      ...{ max_tokens: 99, top_k: 40, min_p: 0.1, repeat_penalty: 1.1, prompt_cache_key: "k" },
    });
  });

  test.each<[string, Partial<ChatRequest>, string]>([
    ["more stop strings than it takes", { stop: ["a", "b", "c", "d", "e"] }, "stop"],
    ["a prompt with a suffix", { completion: { prompts: ["a"], suffix: "b", echo: false } }, "suffix"],
    ["a prompt of tokens", { completion: { prompts: [[1]], suffix: null, echo: false } }, "prompt"],
    [
      "a file by its address",
      {
        messages: [
          { role: "user", content: [{ type: "file", source: { kind: "url", url: "https://a.test" }, name: null }] },
        ],
      },
      "messages[0].content[0]",
    ],
  ])("%s is not supported, and says where", (_name, wishes, param) => {
    const asked = () => dialect.encodeRequest(chatRequest("hi", wishes), facts());
    expect(asked).toThrow(expect.objectContaining({ code: "unsupported", param }));
  });

  test("a completion's prompt is what a user says", () => {
    const request = chatRequest("", { messages: [], completion: { prompts: ["Once"], suffix: null, echo: false } });
    expect(bodyOf(request).messages).toEqual([{ role: "user", content: "Once" }]);
  });
});

test("its list of models is read", () => {
  expect(dialect.models?.ids({ data: [{ id: "a" }, { id: "b" }] })).toEqual(["a", "b"]);
  expect(dialect.models?.ids([{ id: "a" }])).toEqual(["a"]);
});
