import { describe, expect, test } from "vitest";
import { answerKeyOf } from "../../../server/domain/answer-key.ts";
import type { ChatRequest } from "../../../server/domain/chat.ts";
import { chatRequest } from "../../support/chat-request.ts";

const base = chatRequest("hi", {
  wire: {
    dialect: "openai-chat",
    body: { model: "coder", seed: 1, nested: { b: 1, a: 2 }, stream: true, user: "ayo" },
  },
});
const key = (wishes: Partial<ChatRequest>) => answerKeyOf({ ...base, ...wishes });
const body = (fields: Record<string, unknown>) => ({
  wire: { dialect: "openai-chat", body: { ...base.wire?.body, ...fields } },
});

describe("the key of an answer", () => {
  test("is the same however the answer travels, whoever asks, and in whatever order fields are written", () => {
    const same: Partial<ChatRequest>[] = [
      { stream: !base.stream },
      { includeUsage: true },
      { endUser: "somebody" },
      { cacheKey: "session-7" },
      { notes: [{ code: "wish_not_kept", detail: "keep_alive" }] },
      { cachePrompt: false },
      body({ stream: false, user: "jonas", metadata: { turn: 9 }, prompt_cache_key: "x", store: true }),
      { wire: { dialect: "openai-chat", body: { user: "x", nested: { a: 2, b: 1 }, seed: 1, model: "coder" } } },
    ];
    for (const wishes of same) expect(key(wishes), JSON.stringify(wishes)).toBe(key({}));
  });

  test("is another one for anything that changes what a model says", () => {
    const { sampling } = base;
    const others: Partial<ChatRequest>[] = [
      { model: "other" },
      { messages: [...base.messages, { role: "user", content: [{ type: "text", text: "and?" }] }] },
      { tools: [{ name: "weather", description: null, parameters: null }] },
      { toolChoice: { type: "required" } },
      { parallelToolCalls: !base.parallelToolCalls },
      { responseFormat: { type: "json-object" } },
      { maxTokens: 7 },
      { choices: 2 },
      { logprobs: { top: 1 } },
      { stop: ["\n"] },
      { ignoreEos: true },
      { reasoning: { effort: "high", budgetTokens: null, summary: null } },
      { serviceTier: "flex" },
      { completion: { prompts: ["x"], suffix: null, echo: false } },
      { sampling: { ...sampling, temperature: 0.3 } },
      { sampling: { ...sampling, seed: 9 } },
      { sampling: { ...sampling, logitBias: new Map([[7, 1]]) } },
      body({ a_field_nobody_knows: 1 }),
      { wire: { dialect: "anthropic-messages", body: base.wire?.body ?? {} } },
    ];
    const keys = others.map((wishes) => key(wishes));
    expect(new Set([key({}), ...keys]).size).toBe(others.length + 1);
  });
});
