/**
 * Sixteen sums that other gateways got wrong, each from the usage as the provider writes it to the nano-dollar. The figures are
 * from bug reports and price pages; the arithmetic beside each is by hand.
 */
import { describe, expect, test } from "vitest";
import { readAnthropicFrame, readAnthropicUsage } from "../../../../server/dialects/usage/anthropic.ts";
import { readGeminiUsage } from "../../../../server/dialects/usage/gemini.ts";
import { readOpenaiChatUsage } from "../../../../server/dialects/usage/openai-chat.ts";
import { priceBook } from "../../../../server/domain/pricing/book/index.ts";
import { overrideRow } from "../../../../server/domain/pricing/override.ts";
import { createPricing } from "../../../../server/domain/pricing/price-list.ts";
import type { PricedAttempt } from "../../../../server/domain/pricing/priced.ts";
import type { UpstreamUsage } from "../../../../server/domain/upstream-usage.ts";

const thursday = "2026-11-26T12:00:00Z";
const worstCase = { prompt: 30_000_000, completion: 75_000_000 };
const pricing = createPricing({ book: priceBook, overrides: [], worstCase });

function price(provider: string, model: string, used: UpstreamUsage, at = thursday): PricedAttempt {
  return pricing.price({ provider, model, used, atMs: Date.parse(at) });
}

const estimated = (nanos: number) => ({ known: true, nanos, basis: "estimated" });
const anthropic = (usage: object) => readAnthropicUsage(usage, {});
const openai = (usage: object) => readOpenaiChatUsage(usage, {});
const gemini = (promptTokenCount: number, candidatesTokenCount: number) =>
  readGeminiUsage({ promptTokenCount, candidatesTokenCount }, {});

describe("the vectors", () => {
  test("vector 1: a cache write is not charged as prompt once more", () => {
    const usage = {
      input_tokens: 3,
      cache_creation_input_tokens: 12_304,
      cache_read_input_tokens: 0,
      output_tokens: 550,
    };
    // 3 × 3 + 12,304 × 3.75 + 550 × 15 = 54,399 millionths
    expect(price("anthropic", "claude-3-7-sonnet-20250219", anthropic(usage)).cost).toEqual(estimated(54_399_000));
  });

  test("vector 2: the same at Opus", () => {
    const usage = { input_tokens: 6, cache_creation_input_tokens: 159_217, output_tokens: 2745 };
    // 30 + 995,106.25 + 68,625
    expect(price("anthropic", "claude-opus-4-5", anthropic(usage)).cost).toEqual(estimated(1_063_761_250));
  });

  test("vector 3: cached tokens are within the prompt", () => {
    const usage = {
      prompt_tokens: 51_232 + 1_188_096,
      completion_tokens: 12_909,
      prompt_tokens_details: { cached_tokens: 1_188_096 },
    };
    // 64,040 + 148,512 + 129,090
    expect(price("openai", "gpt-5", openai(usage)).cost).toEqual(estimated(341_642_000));
  });

  test("vector 4: 200,000 is not yet a long prompt, and one more makes the whole request one", () => {
    expect(price("gemini", "gemini-2.5-pro", gemini(200_000, 1000)).cost).toEqual(estimated(260_000_000));
    expect(price("gemini", "gemini-2.5-pro", gemini(200_001, 1000)).cost).toEqual(estimated(515_002_500));
  });

  test("vector 5: below and above it", () => {
    expect(price("gemini", "gemini-2.5-pro", gemini(100_000, 50_000)).cost).toEqual(estimated(625_000_000));
    expect(price("gemini", "gemini-2.5-pro", gemini(300_000, 0)).cost).toEqual(estimated(750_000_000));
  });

  test("vector 6: fresh, read and written at their own rates", () => {
    const usage = {
      input_tokens: 2000,
      cache_read_input_tokens: 80_000,
      cache_creation_input_tokens: 5000,
      output_tokens: 1000,
    };
    // 4,000 + 16,000 + 12,500 + 10,000
    expect(price("anthropic", "claude-sonnet-5", anthropic(usage)).cost).toEqual(estimated(42_500_000));
  });

  test("vector 7: more read than fresh is never negative", () => {
    const usage = { input_tokens: 56_322, cache_read_input_tokens: 72_960, output_tokens: 87 };
    // 56,322 + 7,296 + 435
    expect(price("anthropic", "claude-haiku-4-5", anthropic(usage)).cost).toEqual(estimated(64_053_000));
  });

  test.each([
    ["as it is meant", { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 463_184 }],
    ["said twice", { ephemeral_5m_input_tokens: 463_184, ephemeral_1h_input_tokens: 463_184 }],
  ])("vector 8: what was written for an hour is not charged for five minutes too, %s", (_how, cache_creation) => {
    const usage = { input_tokens: 0, cache_creation_input_tokens: 463_184, cache_creation, output_tokens: 0 };
    const priced = price("anthropic", "claude-sonnet-4-6", anthropic(usage));
    expect(priced.cost).toEqual(estimated(2_779_104_000));
    expect(priced.parts.map(({ what, count }) => [what, count])).toEqual([["cache_write_1h", 463_184]]);
  });

  test("vector 9: above 272,000 the whole request costs more", () => {
    const at = (prompt_tokens: number) => openai({ prompt_tokens, completion_tokens: 1000 });
    expect(price("openai", "gpt-5.4", at(272_000)).cost).toEqual(estimated(695_000_000));
    expect(price("openai", "gpt-5.4", at(272_001)).cost).toEqual(estimated(1_382_505_000));
  });

  test("vector 10: Haiku 5.5's bound is 100,000, and cached tokens count towards it", () => {
    const at = (input_tokens: number) => anthropic({ input_tokens, output_tokens: 1000 });
    expect(price("anthropic", "claude-haiku-5-5", at(100_000)).cost).toEqual(estimated(10_500_000));
    expect(price("anthropic", "claude-haiku-5-5", at(100_001)).cost).toEqual(estimated(52_500_500));
    const mostlyRead = anthropic({ input_tokens: 1, cache_read_input_tokens: 100_000, output_tokens: 0 });
    // 1 × 0.50 + 100,000 × 0.05
    expect(price("anthropic", "claude-haiku-5-5", mostlyRead).cost).toEqual(estimated(5_000_500));
  });

  test.each([
    ["a Wednesday morning in Beijing", "2026-11-25T02:00:00Z", 5_280_000_000],
    ["its first second", "2026-11-25T01:00:00Z", 5_280_000_000],
    ["the second before", "2026-11-25T00:59:59Z", 2_640_000_000],
    ["its last second", "2026-11-25T03:59:59Z", 5_280_000_000],
    ["lunch", "2026-11-25T04:00:00Z", 2_640_000_000],
    ["the afternoon", "2026-11-25T09:59:59Z", 5_280_000_000],
    ["the evening", "2026-11-25T10:00:00Z", 2_640_000_000],
    ["a Saturday", "2026-11-28T02:00:00Z", 2_640_000_000],
    ["a Thursday that is a public holiday", "2026-10-01T02:00:00Z", 2_640_000_000],
    ["the Thursday after", "2026-10-08T02:00:00Z", 5_280_000_000],
    ["the last second of the old price", "2026-08-16T15:59:59Z", 1_305_000_000],
    ["the first of the new one", "2026-08-16T16:00:00Z", 2_640_000_000],
  ])("vector 11: DeepSeek by the clock: %s", (_when, at, nanos) => {
    const usage = {
      prompt_tokens: 1_000_000,
      prompt_cache_hit_tokens: 0,
      prompt_cache_miss_tokens: 1_000_000,
      completion_tokens: 1_000_000,
    };
    expect(price("deepseek", "deepseek-v4-pro", openai(usage), at).cost).toEqual(estimated(nanos));
  });

  test("vector 12: DeepInfra says what it costs", () => {
    const usage = { prompt_tokens: 15, completion_tokens: 16, total_tokens: 31, estimated_cost: 2.68e-5 };
    const used = readOpenaiChatUsage(usage, { reportedCost: "estimated_cost" });
    expect(price("deepinfra", "any/model", used).cost).toEqual({ known: true, nanos: 26_800, basis: "billed" });
  });

  test("vector 13: what was billed wins over what we compute, and the difference is kept", () => {
    const own = overrideRow({ provider: "openrouter", model: "maker/model", prompt: "0.9", completion: "1" });
    const list = createPricing({ book: priceBook, overrides: [own], worstCase });
    const usage = { prompt_tokens: 19, completion_tokens: 0, cost: 0.0000139 };
    const used = readOpenaiChatUsage(usage, { reportedCost: "cost" });
    const priced = list.price({ provider: "openrouter", model: "maker/model", atMs: Date.parse(thursday), used });
    expect(priced).toMatchObject({
      cost: { known: true, nanos: 13_900, basis: "billed" },
      computed: estimated(17_100),
      reportedNanos: 13_900,
      driftNanos: -3200,
      priceId: "own/openrouter/maker/model@start",
    });
  });

  test("vector 14: more cached tokens than prompt are cut to it", () => {
    const used = openai({
      prompt_tokens: 5136,
      completion_tokens: 0,
      prompt_tokens_details: { cached_tokens: 10_192 },
    });
    const priced = price("openai", "gpt-4o", used);
    expect(used.usage.cachedTokens).toBe(5136);
    expect(priced.cost).toEqual(estimated(6_420_000));
    expect(priced.flags).toContain("cached_clamped");
  });

  test("vector 15: a stream that begins with 0/0 and says the truth at its end", () => {
    const start = { type: "message_start", message: { usage: { input_tokens: 0, output_tokens: 0 } } };
    const delta = { type: "message_delta", usage: { input_tokens: 1200, output_tokens: 300 } };
    const used = readAnthropicFrame(delta, {}, readAnthropicFrame(start, {}));
    expect(used.usage).toMatchObject({ promptTokens: 1200, completionTokens: 300 });
    // 2,400 + 3,000
    expect(price("anthropic", "claude-sonnet-5", used).cost).toEqual(estimated(5_400_000));
    expect(used.flags).toEqual([]);
    const back = readAnthropicFrame(
      { type: "message_delta", usage: { input_tokens: 0, output_tokens: 310 } },
      {},
      used,
    );
    expect(back.usage).toMatchObject({ promptTokens: 1200, completionTokens: 310 });
  });

  test("vector 16: usage that is there and all 0 costs 0 and is no estimate", () => {
    const used = openai({ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 });
    const priced = price("openai", "gpt-4o", used);
    expect(priced).toMatchObject({ cost: estimated(0), parts: [] });
    expect(priced.flags).toEqual(["usage_all_zero"]);
    expect(price("openai", "a model nobody knows", used).cost).toEqual(estimated(0));
  });
});
