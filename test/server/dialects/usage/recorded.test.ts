/** Recorded answers of every wire shape, whole and streamed: the same usage, and so the same cost. */
import { describe, expect, test } from "vitest";
import { usageOfBody, usageOfStream } from "../../../../server/dialects/usage/recorded.ts";
import { priceBook } from "../../../../server/domain/pricing/book/index.ts";
import { createPricing } from "../../../../server/domain/pricing/price-list.ts";

const pricing = createPricing({ book: priceBook, overrides: [], worstCase: { prompt: 1, completion: 1 } });
const sse = (...frames: readonly object[]) =>
  frames
    .map((frame) => `${"type" in frame ? `event: ${frame.type}\n` : ""}data: ${JSON.stringify(frame)}\n\n`)
    .join("");

const chatUsage = {
  prompt_tokens: 1000,
  completion_tokens: 300,
  total_tokens: 1300,
  prompt_tokens_details: { cached_tokens: 600 },
};
const responsesUsage = { input_tokens: 1000, input_tokens_details: { cached_tokens: 600 }, output_tokens: 300 };
const anthropicUsage = { input_tokens: 100, cache_read_input_tokens: 800, cache_creation_input_tokens: 50 };
const usageMetadata = { promptTokenCount: 1000, candidatesTokenCount: 100, thoughtsTokenCount: 200 };
const response = { object: "response", usage: responsesUsage, service_tier: "flex", output: [] };

const cases: Readonly<Record<string, { provider: string; model: string; body: object; stream: string }>> = {
  "openai-chat": {
    provider: "openai",
    model: "gpt-5-nano",
    body: { object: "chat.completion", choices: [], usage: chatUsage, service_tier: "flex" },
    stream: `: hello\n\n${sse({ choices: [{ delta: { content: "a" } }], usage: null, service_tier: "flex" }, { choices: [], usage: chatUsage })}data: [DONE]\n\n`,
  },
  "openai-responses": {
    provider: "openai",
    model: "gpt-5.4",
    body: response,
    stream: sse(
      { type: "response.created", response: { ...response, usage: null } },
      { type: "response.output_text.delta", delta: "a" },
      { type: "response.completed", response },
    ),
  },
  "anthropic-messages": {
    provider: "anthropic",
    model: "claude-sonnet-5-5",
    body: { type: "message", content: [], usage: { ...anthropicUsage, output_tokens: 300 } },
    stream: sse(
      { type: "message_start", message: { usage: { ...anthropicUsage, output_tokens: 1 } } },
      { type: "ping" },
      { type: "message_delta", delta: {}, usage: { output_tokens: 300 } },
      { type: "message_stop" },
    ),
  },
  gemini: {
    provider: "gemini",
    model: "gemini-2.5-flash",
    body: { candidates: [], usageMetadata },
    stream: sse({ candidates: [], usageMetadata: { promptTokenCount: 1000 } }, { candidates: [], usageMetadata }),
  },
  ollama: {
    provider: "nobody",
    model: "m",
    body: { message: { content: "ab" }, done: true, prompt_eval_count: 5, eval_count: 2 },
    stream: '{"message":{"content":"a"},"done":false}\n{"done":true,"prompt_eval_count":5,"eval_count":2}\n',
  },
};

describe.each(Object.entries(cases))("%s", (shape, { provider, model, body, stream }) => {
  const atMs = Date.parse("2026-11-26T12:00:00Z");
  const whole = usageOfBody(body, {});

  test("S-27 streamed is unstreamed, in usage and in cost", () => {
    const streamed = usageOfStream(stream, {});
    expect(streamed).toMatchObject({ shape, used: { usage: whole.used.usage, serviceTier: whole.used.serviceTier } });
    const price = (used: typeof whole.used) => pricing.price({ provider, model, atMs, used });
    expect(price(streamed.used)).toEqual(price(whole.used));
    expect(whole.used.flags).toEqual([]);
  });

  test("with other line ends, without the last empty line, and without framing", () => {
    const texts = [stream.replaceAll("\n", "\r\n"), stream.trimEnd(), stream.replaceAll("\n", "\r")];
    const frames = [...stream.matchAll(/\{.*\}/g)].map(([json]) => json);
    for (const text of [...texts, frames.join("\n"), `[${frames.join(",\r\n")}]`]) {
      expect(usageOfStream(text, {}).used.usage).toEqual(whole.used.usage);
    }
  });
});

describe("without usage", () => {
  test("S-27 the answer's text is estimated, and flagged", () => {
    const stream = sse(
      { choices: [{ delta: { content: "x".repeat(40) } }] },
      { choices: [{ delta: { reasoning_content: "y".repeat(20) } }] },
    );
    const { used } = usageOfStream(stream, {}, 123);
    expect(used.usage).toMatchObject({ promptTokens: 123, completionTokens: 15 });
    expect(used.flags).toEqual(["usage_absent"]);
  });

  test.each([
    [
      "Anthropic",
      {
        type: "message",
        content: [
          { type: "text", text: "12345678" },
          { type: "tool_use", input: { a: 1 } },
        ],
      },
      4,
    ],
    [
      "Responses",
      { object: "response", output: [{ type: "message", content: [{ type: "output_text", text: "12345678" }] }] },
      2,
    ],
    ["Gemini", { candidates: [{ content: { parts: [{ text: "12345678" }] } }] }, 2],
    ["an error, which is nobody's answer", { error: { message: "a long story of what went wrong" } }, 0],
    ["nothing", null, 0],
  ])("%s", (_who, body, completionTokens) => {
    const { used } = usageOfBody(body, {});
    expect(used.usage.completionTokens).toBe(completionTokens);
    expect(used.flags).toEqual(["usage_absent"]);
  });
});

test("embeddings and completions write the same usage as chat", () => {
  const embedded = usageOfBody({ object: "list", data: [], usage: { prompt_tokens: 8, total_tokens: 8 } }, {});
  expect(embedded).toMatchObject({ shape: "openai-chat", used: { usage: { promptTokens: 8 }, flags: [] } });
});

test("what is no stream at all is nothing, not an accident", () => {
  for (const text of ["", "data: {", "[1,2", "\u0000", "data: [DONE]\n\n", "null"]) {
    expect(usageOfStream(text, {})).toMatchObject({ shape: null, used: { flags: ["usage_absent"] } });
  }
});
