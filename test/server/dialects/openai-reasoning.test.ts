/** Which wishes about sampling models of OpenAI's take, by their names and how hard they are to think. */
import { expect, test } from "vitest";
import { calledDialects } from "../../../server/dialects/index.ts";
import { sampledBy } from "../../../server/dialects/openai-reasoning.ts";
import type { ReasoningEffort } from "../../../server/domain/chat.ts";
import { noSamplingWishes } from "../../../server/domain/plain-request.ts";
import { chatRequest } from "../../support/chat-request.ts";

const wish = (effort?: ReasoningEffort) =>
  chatRequest("hi", {
    sampling: { ...noSamplingWishes, temperature: 0.2, topP: 0.9, frequencyPenalty: 0, seed: 7 },
    ...(effort === undefined ? {} : { reasoning: { effort, budgetTokens: null, summary: null } }),
  });

test.each<[model: string, effort: ReasoningEffort | undefined, samples: boolean]>([
  ["gpt-4.1", undefined, true],
  ["gpt-4o", undefined, true],
  ["o3", undefined, false],
  ["o4-mini-2025-04-16", undefined, false],
  ["gpt-5", undefined, false],
  ["gpt-5-mini-2025-08-07", "none", false],
  ["openai/gpt-5-nano", undefined, false],
  ["gpt-5-chat-latest", undefined, true],
  ["gpt-5.1", undefined, true],
  ["gpt-5.4-mini", "high", false],
  ["gpt-5.6-sol", undefined, false],
  ["gpt-5.6-sol", "none", true],
  ["qwen3-o3-distill", undefined, true],
])("%s with effort %s samples as it is told: %s", (model, effort, samples) => {
  const { temperature, topP, frequencyPenalty, seed } = sampledBy(model, wish(effort));
  expect([temperature, topP]).toEqual(samples ? [0.2, 0.9] : [null, null]);
  // What is as usual anyway, and what decides nothing, goes on.
  expect([frequencyPenalty, seed]).toEqual([0, 7]);
});

test.each(["openai-chat", "openai-responses"] as const)("%s says what was left out", (dialect) => {
  const wire = calledDialects[dialect].encodeRequest(wish("low"), { model: "gpt-5.4", maxTokens: null, traits: {} });
  expect(JSON.parse(wire.body)).not.toHaveProperty("temperature");
  expect(wire.leftOut).toEqual(expect.arrayContaining(["temperature", "top_p"]));
});
