import { expect, test } from "vitest";
import { sizeOfChat, sizeOfEmbedding, sizeOfRerank } from "../../../../server/domain/budget/attempt-size.ts";
import { chatRequest } from "../../../support/chat-request.ts";

test("a prompt is at least as many tokens as it has bytes: no vocabulary makes more of it", () => {
  for (const text of ["hello", "größer", "你好，世界", "🏮🏮", "a\ud800b", "1234567890".repeat(50)]) {
    expect(sizeOfChat(chatRequest(text)).promptTokens).toBeGreaterThanOrEqual(Buffer.byteLength(text));
  }
});

test("answers are as many as are asked for, of each prompt", () => {
  const request = chatRequest("x", { maxTokens: 50, choices: 3, serviceTier: "priority" });
  expect(sizeOfChat(request)).toMatchObject({ completionTokens: 50, answers: 3, serviceTier: "priority", fast: false });
  const completion = { prompts: ["abc", [1, 2, 3, 4]], suffix: "zz", echo: false };
  const raw = sizeOfChat({ ...request, completion });
  expect(raw.answers).toBe(6);
  expect(raw.promptTokens).toBeGreaterThanOrEqual(3 + 4 + 2 * 2);
});

test("tools, pictures and documents count", () => {
  const bare = sizeOfChat(chatRequest("x")).promptTokens;
  const tool = { name: "f", description: "d".repeat(100), parameters: { type: "object" } };
  expect(sizeOfChat(chatRequest("x", { tools: [tool] })).promptTokens).toBeGreaterThan(bare + 100);
  const picture = { type: "image", source: { kind: "url", url: "https://a.invalid/b.png" } } as const;
  const withPicture = chatRequest("x", { messages: [{ role: "user", content: [picture] }] });
  expect(sizeOfChat(withPicture).promptTokens).toBeGreaterThan(10_000);
});

test("vectors and scores have no answer to pay for; a query is read with each document", () => {
  const embedding = sizeOfEmbedding({ model: "m", inputs: [{ type: "text", text: "abc" }], dimensions: null });
  expect(embedding).toMatchObject({ completionTokens: 0, answers: 1 });
  const rerank = sizeOfRerank({ model: "m", query: "q".repeat(10), documents: ["a", "b"] });
  expect(rerank.promptTokens).toBeGreaterThanOrEqual(22);
});
