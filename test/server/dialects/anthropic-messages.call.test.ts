/** The rules by which a request becomes a call of Anthropic's: each one as an example, and what goes through unchanged. */
import { describe, expect, test } from "vitest";
import { anthropicMessagesCalled } from "../../../server/dialects/anthropic-messages/anthropic-messages-called.ts";
import { decodeChat } from "../../../server/dialects/anthropic-messages/decode.ts";
import { wireSignature } from "../../../server/dialects/anthropic-messages/signature.ts";
import type { CallTraits } from "../../../server/dialects/called.ts";
import type { ChatMessage, ChatRequest, ContentPart, ToolDefinition } from "../../../server/domain/chat.ts";
import { noSamplingWishes } from "../../../server/domain/plain-request.ts";
import { chatRequest } from "../../support/chat-request.ts";

interface SentBody {
  readonly [field: string]: unknown;
  readonly messages: readonly { readonly role: string; readonly content: readonly object[] }[];
}

function call(
  request: ChatRequest,
  facts: { model?: string; maxTokens?: number | null; traits?: CallTraits; extraBody?: object } = {},
) {
  const wire = anthropicMessagesCalled.encodeRequest(request, {
    ...{ model: "claude-x", maxTokens: null, traits: {} },
    ...(facts as object),
  });
  return { ...wire, body: JSON.parse(wire.body) as SentBody };
}

const text = (words: string, more: object = {}): ContentPart => ({ type: "text", text: words, ...more });
const user = (...content: ContentPart[]): ChatMessage => ({ role: "user", content });
const system = (words: string): ChatMessage => ({ role: "system", content: [text(words)] });
const tool = (toolCallId: string, words: string): ChatMessage => ({ role: "tool", toolCallId, content: [text(words)] });
const assistant = (more: Partial<Extract<ChatMessage, { role: "assistant" }>>): ChatMessage => ({
  ...{ role: "assistant", content: [], reasoning: null, toolCalls: [] },
  ...more,
});
const calls = (...ids: string[]) => ids.map((id) => ({ id, name: "weather", arguments: `{"of":"${id}"}` }));
const weather: ToolDefinition = {
  name: "weather",
  description: "Tells.",
  parameters: { type: "object", properties: {} },
};

function sent(messages: readonly ChatMessage[], wishes: Partial<ChatRequest> = {}) {
  return call(chatRequest("", { messages, tools: [weather], ...wishes })).body;
}

describe("S-24 rules of translation", () => {
  test("path, version and the fields that are always there", () => {
    const { path, headers, body } = call(chatRequest("hi", { endUser: "u1", stop: ["END", " "], stream: true }));
    expect(path).toBe("/messages");
    expect(headers).toEqual({ "content-type": "application/json", "anthropic-version": "2023-06-01" });
    expect(body).toEqual({
      ...{ model: "claude-x", max_tokens: 8192, stream: true, temperature: 0, stop_sequences: ["END"] },
      messages: [{ role: "user", content: [text("hi")] }],
      metadata: { user_id: "u1" },
    });
  });

  test("max_tokens is mandatory: what may be, else what was asked for, else 8192", () => {
    expect(call(chatRequest("hi", { maxTokens: 7 }), { maxTokens: 5 }).body.max_tokens).toBe(5);
    expect(call(chatRequest("hi", { maxTokens: 7 })).body.max_tokens).toBe(7);
    expect(call(chatRequest("hi")).body.max_tokens).toBe(8192);
  });

  test("system messages are hoisted, wherever they stand", () => {
    const body = sent([system("one"), user(text("hi")), system("two")]);
    expect(body.system).toEqual([text("one"), text("two")]);
    expect(body.messages).toEqual([{ role: "user", content: [text("hi")] }]);
    expect(sent([system("alone")])).toMatchObject({ messages: [{ role: "user", content: [text("alone")] }] });
  });

  test("all results of a turn go in one user message, first", () => {
    const body = sent([
      user(text("hi")),
      assistant({ toolCalls: calls("a", "b") }),
      user(text("meanwhile")),
      tool("b", "sun"),
      { ...tool("a", "no"), isError: true } as ChatMessage,
      user(text("so?")),
    ]);
    expect(body.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user"]);
    expect(body.messages[2]?.content).toEqual([
      { type: "tool_result", tool_use_id: "b", content: [text("sun")] },
      { type: "tool_result", tool_use_id: "a", content: [text("no")], is_error: true },
      text("meanwhile"),
      text("so?"),
    ]);
  });

  test("agents 10: two results of one call become one, an empty one is none", () => {
    const body = sent([assistant({ toolCalls: calls("a") }), tool("a", "1"), tool("a", "2")]);
    expect(body.messages[1]?.content).toEqual([
      { type: "tool_result", tool_use_id: "a", content: [text("1"), text("2")] },
    ]);
    const empty = sent([assistant({ toolCalls: calls("a") }), tool("a", "")]);
    expect(empty.messages[1]?.content).toEqual([{ type: "tool_result", tool_use_id: "a" }]);
  });

  test("neighbours of one role become one message; messages without content are none", () => {
    const body = sent([
      user(text("a")),
      user(text("b")),
      assistant({ content: [text("c")] }),
      assistant({}),
      assistant({ content: [text("d")] }),
      user(text(" ")),
      user(text("e")),
    ]);
    expect(body.messages).toEqual([
      { role: "user", content: [text("a"), text("b")] },
      { role: "assistant", content: [text("c"), text("d")] },
      { role: "user", content: [text("e")] },
    ]);
  });

  test("an answer that is to be gone on with does not end in white space", () => {
    const body = sent([user(text("a")), assistant({ content: [text("It \n")] })]);
    expect(body.messages[1]?.content).toEqual([text("It")]);
  });

  test.each([
    ["", {}],
    ["{}", {}],
    ['{"a":1}', { a: 1 }],
    ["[1]", { arguments: [1] }],
    ['{"a":', { arguments: '{"a":' }],
  ])("arguments %j are the input %j", (written, input) => {
    const body = sent([assistant({ toolCalls: [{ id: "functions.f:0", name: "f", arguments: written }] })]);
    expect(body.messages[0]?.content).toEqual([{ type: "tool_use", id: "functions_f_0", name: "f", input }]);
  });

  test.each<[Partial<ChatRequest>, object | undefined]>([
    [{ toolChoice: { type: "auto" } }, undefined],
    [{ toolChoice: { type: "required" } }, { type: "any" }],
    [{ toolChoice: { type: "named", name: "weather" } }, { type: "tool", name: "weather" }],
    [{ toolChoice: { type: "none" } }, { type: "none" }],
    [{ parallelToolCalls: false }, { type: "auto", disable_parallel_tool_use: true }],
    [
      { toolChoice: { type: "required" }, parallelToolCalls: false },
      { type: "any", disable_parallel_tool_use: true },
    ],
  ])("tool_choice of %j is %j", (wishes, choice) => {
    expect(sent([user(text("hi"))], wishes).tool_choice).toEqual(choice);
  });

  test("tools: schemas are objects, names are plain, free text is a field", () => {
    const body = call(
      chatRequest("hi", {
        tools: [
          { name: "a", description: null, parameters: null, cache: { keep: "1h" } },
          { name: "spawn", description: "d", parameters: { type: "object" }, namespace: "agents", strict: true },
          { name: "patch.it", description: "d", parameters: null, custom: { grammar: "x" } },
        ],
      }),
    ).body;
    expect(body.tools).toEqual([
      { name: "a", input_schema: { type: "object", properties: {} }, cache_control: { type: "ephemeral", ttl: "1h" } },
      { name: "spawn", description: "d", input_schema: { type: "object" }, strict: true },
      { name: "patch_it", description: "d", input_schema: expect.objectContaining({ required: ["input"] }) },
    ]);
  });

  test("a completion's prompt is what a user says", () => {
    const completion = { prompts: ["Once upon"], suffix: null, echo: false };
    const body = call(chatRequest("", { messages: [], completion })).body;
    expect(body.messages).toEqual([{ role: "user", content: [text("Once upon")] }]);
  });

  test("thinking that Anthropic signed goes back unchanged and first; any other stays here", () => {
    const body = sent([
      user(text("hi")),
      assistant({
        content: [text("Let me look.")],
        reasoning: "Hm.",
        reasoningBlocks: [
          { text: "Hm.", signature: "c2ln", dialect: "anthropic-messages" },
          { text: "", signature: "aGlk", dialect: "anthropic-messages", redacted: true },
          { text: "Sum.", signature: "gAAA", dialect: "openai-responses" },
          { text: "unsigned", signature: null, dialect: "anthropic-messages" },
        ],
        toolCalls: calls("a"),
      }),
      tool("a", "rain"),
    ]);
    expect(body.messages[1]?.content).toEqual([
      { type: "thinking", thinking: "Hm.", signature: "c2ln" },
      { type: "redacted_thinking", data: "aGlk" },
      text("Let me look."),
      { type: "tool_use", id: "a", name: "weather", input: { of: "a" } },
    ]);
  });

  test("images, documents and marks for the cache", () => {
    const body = sent([
      user(
        text("Look:", { cache: { keep: "5m" } }),
        { type: "image", source: { kind: "base64", mediaType: "image/png", data: "aGk=" } },
        { type: "image", source: { kind: "url", url: "https://pictures.example/a.png" }, cache: { keep: "1h" } },
        { type: "file", name: "Plan", source: { kind: "base64", mediaType: "application/pdf", data: "aGk=" } },
        { type: "file", name: null, source: { kind: "base64", mediaType: "text/markdown", data: "aMOp" } },
      ),
    ]);
    expect(body.messages[0]?.content).toEqual([
      text("Look:", { cache_control: { type: "ephemeral" } }),
      { type: "image", source: { type: "base64", media_type: "image/png", data: "aGk=" } },
      {
        type: "image",
        source: { type: "url", url: "https://pictures.example/a.png" },
        cache_control: { type: "ephemeral", ttl: "1h" },
      },
      { type: "document", title: "Plan", source: { type: "base64", media_type: "application/pdf", data: "aGk=" } },
      { type: "document", source: { type: "text", media_type: "text/plain", data: "hé" } },
    ]);
  });

  test("of more than four marks the last ones stay, over tools, system and messages", () => {
    const mark = { cache: { keep: "5m" } } as const;
    const body = sent(
      [{ role: "system", content: [text("s", mark)] }, user(...["a", "b", "c", "d"].map((one) => text(one, mark)))],
      {
        tools: [{ ...weather, ...mark }],
      },
    );
    expect(JSON.stringify([body.tools, body.system])).not.toContain("cache_control");
    expect(JSON.stringify(body.messages).match(/cache_control/g)).toHaveLength(4);
  });

  test("a schema for the answer is `output_config.format`, closed where it says nothing", () => {
    const schema = { type: "object", properties: { a: { type: "object", properties: {} } }, required: ["a"] };
    const body = call(chatRequest("hi", { responseFormat: { type: "json-schema", schema, param: "x" } })).body;
    const closed = { additionalProperties: false };
    const a = { type: "object", properties: {}, ...closed };
    expect(body.output_config).toEqual({
      format: { type: "json_schema", schema: { ...schema, properties: { a }, ...closed } },
    });
  });

  test("JSON without a schema is asked for as the arguments of a tool, and read as the answer", () => {
    const request = chatRequest("hi", { responseFormat: { type: "json-object" } });
    const { body } = call(request);
    expect(body).toMatchObject({
      tools: [{ name: "answer_in_json", input_schema: { type: "object" } }],
      tool_choice: { type: "tool", name: "answer_in_json" },
    });
    const decoder = anthropicMessagesCalled.decoder(request, { model: "claude-x", maxTokens: null, traits: {} });
    const content = [{ type: "tool_use", id: "t", name: "answer_in_json", input: { a: 1 } }];
    const events = decoder.whole(JSON.stringify({ type: "message", content, stop_reason: "tool_use" }));
    expect(events).toMatchObject([
      { type: "started" },
      { type: "text", text: '{"a":1}' },
      { type: "finished", finishReason: "stop" },
    ]);
  });

  test.each<[string, Partial<ChatRequest>]>([
    ["n", { choices: 2 }],
    ["logprobs", { logprobs: { top: 0 } }],
    ["prompt", { completion: { prompts: [[1, 2]], suffix: null, echo: false } }],
    ["response_format", { responseFormat: { type: "json-object" }, tools: [weather] }],
  ])("what it cannot carry is refused by name: %s", (param, wishes) => {
    const refused = expect.objectContaining({ code: "unsupported", param });
    expect(() => call(chatRequest("hi", wishes))).toThrow(refused);
  });
});

describe("effort and budget", () => {
  const wish = (reasoning: Partial<NonNullable<ChatRequest["reasoning"]>>, more: Partial<ChatRequest> = {}) =>
    chatRequest("hi", { reasoning: { effort: null, budgetTokens: null, summary: null, ...reasoning }, ...more });
  const budget: CallTraits = { thinkingBudget: true };

  test("an effort is one, and sampling is left to the model while it thinks", () => {
    const { body } = call(wish({ effort: "minimal", summary: "auto" }));
    expect(body).toMatchObject({
      thinking: { type: "adaptive", display: "summarized" },
      output_config: { effort: "low" },
    });
    expect(body).not.toHaveProperty("temperature");
    expect(call(wish({ budgetTokens: 20_000 })).body.output_config).toEqual({ effort: "high" });
    expect(call(wish({ effort: "none" })).body.thinking).toEqual({ type: "disabled" });
  });

  test("where budgets are taken, an effort is one, below max_tokens", () => {
    expect(call(wish({ effort: "high" }), { traits: budget, maxTokens: 64_000 }).body.thinking).toEqual({
      type: "enabled",
      budget_tokens: 16_384,
    });
    expect(call(wish({ effort: "high" }), { traits: budget, maxTokens: 4_096 }).body.thinking).toEqual({
      type: "enabled",
      budget_tokens: 4_095,
    });
    expect(call(wish({ effort: "high" }), { traits: budget, maxTokens: 1_000 }).body).not.toHaveProperty("thinking");
  });

  test("no thinking while a call is forced, nor on from a call whose thinking cannot be shown", () => {
    const forced = { tools: [weather], toolChoice: { type: "required" } } as const;
    expect(call(wish({ effort: "high" }, forced)).body).not.toHaveProperty("thinking");
    const messages = [user(text("hi")), assistant({ toolCalls: calls("a") }), tool("a", "rain")];
    expect(call(wish({ effort: "high" }, { messages, tools: [weather] })).body).not.toHaveProperty("thinking");
  });
});

describe("what a model takes, by its version", () => {
  const thinks = chatRequest("hi", { reasoning: { effort: "low", budgetTokens: null, summary: null } });
  test.each([
    ["claude-3-5-haiku-20241022", undefined],
    ["claude-3-7-sonnet-20250219", "enabled"],
    ["claude-sonnet-4-20250514", "enabled"],
    ["claude-haiku-4-5", "enabled"],
    ["claude-opus-4-5-20251101", "enabled"],
    ["claude-sonnet-4-6", "adaptive"],
    ["claude-opus-5", "adaptive"],
    ["claude-fable-5-1", "adaptive"],
    ["somebody-else", "adaptive"],
  ])("%s thinks: %s", (model, type) => {
    expect((call(thinks, { model, maxTokens: 9_000 }).body.thinking as { type?: string } | undefined)?.type).toBe(type);
  });

  test("from 4.7 on wishes about sampling are left out, and said to be", () => {
    const wish = chatRequest("hi", { sampling: { ...noSamplingWishes, temperature: 0.2, topK: 40, seed: 7 } });
    const newest = call(wish, { model: "claude-opus-4-7" });
    expect(newest.body).not.toHaveProperty("temperature");
    expect(newest.leftOut).toEqual(["temperature", "top_k", "seed"]);
    const older = call(wish, { model: "claude-sonnet-4-6" });
    expect(older.body).toMatchObject({ temperature: 0.2, top_k: 40 });
    expect(older.leftOut).toEqual(["seed"]);
  });
});

describe("a body of the same shape", () => {
  const body = (more: object = {}) => ({
    ...{ model: "coder", max_tokens: 4_000, zz_unknown: { a: [1.5] }, stream: true },
    messages: [{ role: "user", content: [{ type: "hologram", beam: 1 }] }],
    tools: [{ type: "web_search_20250305", name: "web_search", max_uses: 2 }],
    ...more,
  });
  const passed = (more: object = {}, maxTokens: number | null = null) => {
    const request = decodeChat(body(more));
    return call(request, { maxTokens }).body;
  };

  test("goes as it came, but for the model and a smaller bound", () => {
    expect(passed()).toEqual({ ...body(), model: "claude-x" });
    expect(passed({}, 1_000)).toEqual({ ...body(), model: "claude-x", max_tokens: 1_000 });
    expect(passed({ max_tokens: 0 }, 1_000).max_tokens).toBe(0);
  });

  test("agents 8: a budget that does not fit under the bound is cut, or left out where it would be refused", () => {
    const thinking = { type: "enabled", budget_tokens: 32_000, zz: 1 };
    expect(passed({ thinking }).thinking).toEqual({ ...thinking, budget_tokens: 3_999 });
    expect(passed({ thinking }, 500).thinking).toEqual({ type: "disabled" });
  });

  test("thinking that this box signed does not go to a provider", () => {
    const ours = { type: "thinking", thinking: "Hm.", signature: wireSignature(null) };
    const theirs = { type: "thinking", thinking: "Hm.", signature: "c2ln", zz: 1 };
    const said = (...content: object[]) => ({ role: "assistant", content });
    const user = { role: "user", content: "hi" };
    const { messages } = passed({
      messages: [user, said(ours), said(theirs, ours, { type: "text", text: "Yes." }), user],
    });
    expect(messages).toEqual([user, said(theirs, { type: "text", text: "Yes." }), user]);
  });

  test("the client's version and betas go along, and fields of the provider alone", () => {
    const request = decodeChat(body());
    const headers = { "anthropic-version": "2026-10-21", "anthropic-beta": "interleaved-thinking-2025-05-14" };
    const wire = { dialect: "anthropic-messages", body: body(), headers };
    const sentCall = call({ ...request, wire }, { extraBody: { speed: "fast" } });
    expect(sentCall.headers).toEqual({ "content-type": "application/json", ...headers });
    expect(sentCall.body.speed).toBe("fast");
  });

  test("counting sends the prompt alone", () => {
    const facts = { model: "claude-x", maxTokens: 5, traits: {} };
    const own = anthropicMessagesCalled.count?.encode(decodeChat(body()), facts);
    const { max_tokens: _, stream: __, ...prompt } = body();
    expect(own?.path).toBe("/messages/count_tokens");
    expect(JSON.parse(own?.body ?? "")).toEqual({ ...prompt, model: "claude-x" });
    const other = anthropicMessagesCalled.count?.encode(chatRequest("hi", { tools: [weather] }), facts);
    expect(Object.keys(JSON.parse(other?.body ?? ""))).toEqual(["model", "messages", "tools"]);
    expect(anthropicMessagesCalled.count?.tokens({ input_tokens: 12 })).toBe(12);
    expect(anthropicMessagesCalled.count?.tokens({ input_tokens: "12" })).toBeNull();
  });
});
