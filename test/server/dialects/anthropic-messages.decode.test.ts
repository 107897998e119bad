/** Bodies of Anthropic's Messages as agents send them, and the requests they mean. */
import { describe, expect, test } from "vitest";
import { decodeChat, decodeCount } from "../../../server/dialects/anthropic-messages/decode.ts";
import { wireSignature } from "../../../server/dialects/anthropic-messages/signature.ts";
import type { ChatMessage } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";

const hi = { role: "user", content: "hi" };
const body = (more: object = {}) => ({ model: "coder", max_tokens: 100, messages: [hi], ...more });
const text = (words: string) => ({ type: "text", text: words });
const ephemeral = { cache_control: { type: "ephemeral" } };

function messagesOf(...messages: object[]): readonly ChatMessage[] {
  return decodeChat(body({ messages })).messages;
}

/** The field that a refusal names. */
function refusedField(of: unknown, decode: (body: unknown) => object = decodeChat): string | null {
  try {
    decode(of);
  } catch (thrown) {
    if (thrown instanceof Failure && thrown.code === "invalid_request") return thrown.param;
    throw thrown;
  }
  throw new Error("it was accepted");
}

const called = { role: "assistant", content: [{ type: "tool_use", id: "toolu_1", name: "weather", input: {} }] };

describe("what is said", () => {
  test("a text, blocks of it, and a system prompt in either form", () => {
    expect(messagesOf(hi)).toEqual([{ role: "user", content: [text("hi")] }]);
    expect(decodeChat(body({ system: "Be brief." })).messages[0]).toEqual({
      role: "system",
      content: [text("Be brief.")],
    });
    const system = [
      text("Be brief."),
      { ...text("You are in /home."), cache_control: { type: "ephemeral", ttl: "1h" } },
    ];
    expect(decodeChat(body({ system })).messages[0]).toEqual({
      role: "system",
      content: [text("Be brief."), { ...text("You are in /home."), cache: { keep: "1h" } }],
    });
  });

  test("images and documents, by their bytes, their address, or as text", () => {
    const content = [
      { type: "image", source: { type: "base64", media_type: "image/png", data: "aGk=" }, ...ephemeral },
      { type: "image", source: { type: "url", url: "https://pictures.example/a.png" } },
      { type: "document", title: "Plan", source: { type: "base64", media_type: "application/pdf", data: "aGk=" } },
      { type: "document", title: "Notes", source: { type: "text", media_type: "text/plain", data: "Light it." } },
    ];
    expect(messagesOf({ role: "user", content })).toEqual([
      {
        role: "user",
        content: [
          { type: "image", source: { kind: "base64", mediaType: "image/png", data: "aGk=" }, cache: { keep: "5m" } },
          { type: "image", source: { kind: "url", url: "https://pictures.example/a.png" } },
          { type: "file", name: "Plan", source: { kind: "base64", mediaType: "application/pdf", data: "aGk=" } },
          text("Notes\nLight it."),
        ],
      },
    ]);
  });

  test("a block that nobody here knows stays in sight, so that it is never answered unseen", () => {
    const [message] = messagesOf({ role: "user", content: [{ type: "hologram", beam: 1 }] });
    expect(message?.content).toEqual([
      { type: "file", name: null, source: { kind: "url", url: "anthropic-block:hologram" } },
    ]);
  });

  test("several results of one message become messages in order, with the text around them", () => {
    const two = { type: "tool_use", id: "toolu_2", name: "time", input: { zone: "UTC" } };
    const messages = messagesOf(
      { ...called, content: [...called.content, two] },
      {
        role: "user",
        content: [
          text("Here:"),
          { type: "tool_result", tool_use_id: "toolu_1", content: "rain" },
          {
            type: "tool_result",
            tool_use_id: "toolu_2",
            is_error: true,
            content: [text("no "), text("clock")],
            ...ephemeral,
          },
          text("And now?"),
        ],
      },
    );
    expect(messages.slice(1)).toEqual([
      { role: "user", content: [text("Here:")] },
      { role: "tool", toolCallId: "toolu_1", content: [text("rain")] },
      {
        role: "tool",
        toolCallId: "toolu_2",
        content: [text("no "), { ...text("clock"), cache: { keep: "5m" } }],
        isError: true,
      },
      { role: "user", content: [text("And now?")] },
    ]);
  });

  test("a result may hold an image, and nothing at all", () => {
    const picture = { type: "image", source: { type: "base64", media_type: "image/png", data: "aGk=" } };
    const messages = messagesOf(called, {
      role: "user",
      content: [
        { type: "tool_result", tool_use_id: "toolu_1", content: [picture] },
        { type: "tool_result", tool_use_id: "toolu_1" },
      ],
    });
    expect(messages.slice(1)).toEqual([
      {
        role: "tool",
        toolCallId: "toolu_1",
        content: [{ type: "image", source: { kind: "base64", mediaType: "image/png", data: "aGk=" } }],
      },
      { role: "tool", toolCallId: "toolu_1", content: [] },
    ]);
  });

  test("agents 10: thinking in history, two assistant messages in a row, an assistant's message last", () => {
    const thinking = { type: "thinking", thinking: "Rain, I think.", signature: "c2ln" };
    const redacted = { type: "redacted_thinking", data: "aGlkZGVu" };
    const messages = messagesOf(
      hi,
      { role: "assistant", content: [thinking, redacted, text("Let me look."), ...called.content] },
      { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_1", content: "rain" }] },
      { role: "assistant", content: "" },
      { role: "assistant", content: "It rains" },
    );
    expect(messages[1]).toEqual({
      role: "assistant",
      content: [text("Let me look.")],
      reasoning: "Rain, I think.",
      reasoningBlocks: [
        { text: "Rain, I think.", signature: "c2ln", dialect: "anthropic-messages" },
        { text: "", signature: "aGlkZGVu", dialect: "anthropic-messages", redacted: true },
      ],
      toolCalls: [{ id: "toolu_1", name: "weather", arguments: "{}" }],
    });
    expect(messages.slice(3).map((message) => message.content)).toEqual([[], [text("It rains")]]);
  });

  test("a signature of ours comes back as what it was made of: nothing, or another wire's own", () => {
    const foreign = { text: "", signature: "gAAA", dialect: "openai-responses", id: "rs_1" };
    const thinking = (signature: string) => ({ type: "thinking", thinking: "Hm.", signature });
    const [message] = messagesOf({
      role: "assistant",
      content: [
        thinking(wireSignature(null)),
        thinking(wireSignature(foreign)),
        thinking(`${wireSignature(foreign)}x`),
      ],
    });
    expect(message).toMatchObject({
      reasoning: "Hm.\n\nHm.\n\nHm.",
      reasoningBlocks: [{ text: "Hm.", signature: "gAAA", dialect: "openai-responses", id: "rs_1" }],
    });
    expect(message).toHaveProperty("reasoningBlocks.length", 1);
  });

  test("what a provider's own tools did is left out where another model goes on", () => {
    const [message] = messagesOf({
      role: "assistant",
      content: [
        { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "rain" } },
        { type: "web_search_tool_result", tool_use_id: "srvtoolu_1", content: [] },
        text("It rains."),
      ],
    });
    expect(message).toEqual({ role: "assistant", content: [text("It rains.")], reasoning: null, toolCalls: [] });
  });
});

describe("what is wished for", () => {
  test("tools with their schemas and marks; agents 9: tools by type are ignored silently", () => {
    const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
    const tools = [
      { name: "weather", description: "d", input_schema: schema, ...ephemeral },
      { type: "custom", name: "time", input_schema: { type: "object" }, strict: true },
      { type: "web_search_20250305", name: "web_search", max_uses: 5 },
      { type: "computer_20250124", name: "computer", display_width_px: 1, display_height_px: 1 },
    ];
    const request = decodeChat(body({ tools }));
    expect(request.tools).toEqual([
      { name: "weather", description: "d", parameters: schema, cache: { keep: "5m" } },
      { name: "time", description: null, parameters: { type: "object" }, strict: true },
    ]);
    // The very body is there for an upstream that knows them.
    expect(request.wire).toEqual({ dialect: "anthropic-messages", body: body({ tools }) });
    expect(decodeChat(body({ tools: tools.slice(2), tool_choice: { type: "any" } })).toolChoice).toEqual({
      type: "auto",
    });
  });

  test("agents 11: tool_choice in its four forms, absent, and one call at a time", () => {
    const tools = [{ name: "weather", input_schema: {} }];
    const choice = (tool_choice: object | undefined) => decodeChat(body({ tools, tool_choice }));
    expect(choice(undefined)).toMatchObject({ toolChoice: { type: "auto" }, parallelToolCalls: true });
    expect(choice({ type: "auto" }).toolChoice).toEqual({ type: "auto" });
    expect(choice({ type: "any" }).toolChoice).toEqual({ type: "required" });
    expect(choice({ type: "tool", name: "weather" }).toolChoice).toEqual({ type: "named", name: "weather" });
    expect(choice({ type: "none" }).toolChoice).toEqual({ type: "none" });
    expect(choice({ type: "any", disable_parallel_tool_use: true }).parallelToolCalls).toBe(false);
  });

  test("agents 8: a budget of thinking larger than the answer is cut; a huge max_tokens is a wish", () => {
    const thinking = { type: "enabled", budget_tokens: 32_000 };
    expect(decodeChat(body({ max_tokens: 8_000, thinking })).reasoning).toEqual({
      effort: null,
      budgetTokens: 7_999,
      summary: "auto",
    });
    expect(decodeChat(body({ max_tokens: 64_000 })).maxTokens).toBe(64_000);
  });

  test("thinking by effort, and none", () => {
    const reasoning = (more: object) => decodeChat(body(more)).reasoning;
    expect(reasoning({ thinking: { type: "adaptive" }, output_config: { effort: "max" } })).toEqual({
      effort: "xhigh",
      budgetTokens: null,
      summary: "auto",
    });
    expect(reasoning({ output_config: { effort: "low" } })).toMatchObject({ effort: "low" });
    expect(reasoning({ thinking: { type: "disabled" } })).toMatchObject({ effort: "none" });
    expect(reasoning({})).toBeUndefined();
  });

  test("sampling, stops, tier, user and a schema for the answer", () => {
    const schema = { type: "object", properties: { lamp: { type: "string" } } };
    const request = decodeChat(
      body({
        ...{ temperature: 0.5, top_p: 0.9, top_k: 40, stop_sequences: ["END", ""], stream: true },
        ...{ metadata: { user_id: "u1" }, service_tier: "standard_only" },
        output_config: { format: { type: "json_schema", schema } },
      }),
    );
    expect(request).toMatchObject({
      sampling: { temperature: 0.5, topP: 0.9, topK: 40, seed: null },
      ...{ stop: ["END"], stream: true, endUser: "u1", serviceTier: "standard" },
      responseFormat: { type: "json-schema", schema, param: "output_config.format.schema" },
    });
  });

  test("agents 7: fields that nobody here knows are accepted", () => {
    const more = {
      context_management: { edits: [] },
      container: null,
      speed: "fast",
      inference_geo: "eu",
      mcp_servers: [],
    };
    const unknown = { ...hi, content: [{ ...text("hi"), citations: [], zz: 1 }], zz: {} };
    expect(decodeChat(body({ ...more, messages: [unknown] })).messages).toEqual([
      { role: "user", content: [text("hi")] },
    ]);
  });

  test("counting wants no max_tokens", () => {
    const { max_tokens: _, ...prompt } = body({ system: "s" });
    expect(decodeCount(prompt)).toMatchObject({ model: "coder", maxTokens: null, messages: [{}, {}] });
    expect(refusedField({ model: "coder" }, decodeCount)).toBe("messages");
  });
});

describe("S-08 refusals name the field", () => {
  const { max_tokens: _, ...unbounded } = body();
  test.each([
    ["max_tokens", unbounded],
    ["messages", { model: "coder", max_tokens: 5 }],
    ["messages", body({ messages: [] })],
    ["model", { max_tokens: 5, messages: [hi] }],
    ["messages[0].role", body({ messages: [{ role: "tool", content: "x" }] })],
    ["messages[0].content", body({ messages: [{ role: "user", content: 5 }] })],
    [
      "messages[0].content[0].id",
      body({ messages: [{ role: "assistant", content: [{ type: "tool_use", name: "f", input: {} }] }] }),
    ],
    ["messages[0].content[0].text", body({ messages: [{ role: "user", content: [{ type: "text" }] }] })],
    ["messages[0].content[1].source", body({ messages: [{ role: "user", content: [text("a"), { type: "image" }] }] })],
    [
      "messages[1].content[0].tool_use_id",
      body({ messages: [called, { role: "user", content: [{ type: "tool_result", tool_use_id: "toolu_9" }] }] }),
    ],
    ["tool_choice", body({ tool_choice: { type: "any" } })],
    ["tool_choice.name", body({ tools: [{ name: "a", input_schema: {} }], tool_choice: { type: "tool", name: "b" } })],
    ["tools[0].input_schema", body({ tools: [{ name: "a" }] })],
    ["temperature", body({ temperature: 9 })],
    ["stop_sequences", body({ stop_sequences: Array.from({ length: 17 }, () => "x") })],
    ["thinking.budget_tokens", body({ thinking: { type: "enabled" } })],
  ])("%s", (field, wrong) => {
    expect(refusedField(wrong)).toBe(field);
  });
});
