/** What an attempt costs, by the book, by the owner and by the provider's own word. */
import { describe, expect, test } from "vitest";
import { readAnthropicUsage } from "../../../../server/dialects/usage/anthropic.ts";
import { readGeminiUsage } from "../../../../server/dialects/usage/gemini.ts";
import { readOpenaiChatUsage } from "../../../../server/dialects/usage/openai-chat.ts";
import { estimatedUsage } from "../../../../server/dialects/usage/upstream-usage.ts";
import { priceBook } from "../../../../server/domain/pricing/book/index.ts";
import { nanosOf, picosOf } from "../../../../server/domain/pricing/cost.ts";
import { overrideRow, type PriceSetting } from "../../../../server/domain/pricing/override.ts";
import { createPricing } from "../../../../server/domain/pricing/price-list.ts";
import type { UpstreamUsage } from "../../../../server/domain/upstream-usage.ts";
import { noUsage } from "../../../../server/domain/usage.ts";
import { type Random, seeded } from "../../../support/random.ts";

const atMs = Date.parse("2026-11-26T12:00:00Z");
const worstCase = { prompt: 30_000_000, completion: 75_000_000 };
const pricing = createPricing({ book: priceBook, overrides: [], worstCase });
const withOwn = (...settings: PriceSetting[]) =>
  createPricing({ book: priceBook, overrides: settings.map(overrideRow), worstCase });

const thousand = { prompt_tokens: 1000, completion_tokens: 1000 };
const chat = (usage: object) => readOpenaiChatUsage(usage, { reportedCost: "cost" });
const ask = (provider: string, model: string, used: UpstreamUsage, at = atMs) => ({ provider, model, used, atMs: at });

describe("S-27: reported cost", () => {
  const own: PriceSetting = { provider: "openrouter", model: "m", prompt: "1", completion: "1" };
  const list = withOwn(own, { ...own, model: "m:free" });
  const price = (usage: object, model = "m") => list.price(ask("openrouter", model, chat(usage)));

  test("S-27 above 0 wins, with the drift kept", () => {
    expect(price({ ...thousand, cost: 0.0025 })).toMatchObject({
      cost: { known: true, nanos: 2_500_000, basis: "billed" },
      computed: { known: true, nanos: 2_000_000, basis: "estimated" },
      reportedNanos: 2_500_000,
      driftNanos: 500_000,
      flags: [],
    });
  });

  test("S-27 above 0 wins where no price is known", () => {
    const priced = pricing.price(ask("openrouter", "m", chat({ ...thousand, cost: 0.0025 })));
    expect(priced).toMatchObject({
      cost: { known: true, nanos: 2_500_000, basis: "billed" },
      computed: { known: false, reason: "unknown_price" },
      driftNanos: null,
      flags: ["unknown_price"],
    });
  });

  test.each([
    ["the caller's own key", { ...thousand, cost: 0, is_byok: true }, "m"],
    ["a free model", { ...thousand, cost: 0 }, "m:free"],
  ])("S-27 a reported 0 is meant with %s", (_why, usage, model) => {
    const priced = price(usage, model);
    expect(priced.cost).toEqual({ known: true, nanos: 0, basis: "billed" });
    expect(priced.driftNanos).toBe(-2_000_000);
    expect(priced.flags).toEqual([]);
  });

  test("S-27 a bare 0 is not believed, and flagged", () => {
    const priced = price({ ...thousand, cost: 0 });
    expect(priced.cost).toEqual({ known: true, nanos: 2_000_000, basis: "estimated" });
    expect(priced).toMatchObject({ reportedNanos: 0, driftNanos: -2_000_000, flags: ["reported_zero_ignored"] });
  });

  test("S-27 an absurd one is none", () => {
    for (const cost of [-1, 1e300, "0.5", {}, Number.NaN]) {
      const priced = price({ ...thousand, cost });
      expect(priced).toMatchObject({ reportedNanos: null, flags: ["absurd_figure"] });
      expect(priced.cost).toEqual({ known: true, nanos: 2_000_000, basis: "estimated" });
    }
  });

  test("S-27 usage that never came is an estimate, flagged", () => {
    const priced = pricing.price(ask("openai", "gpt-4o", estimatedUsage(1000, 1000)));
    expect(priced.cost).toEqual({ known: true, nanos: 12_500_000, basis: "estimated" });
    expect(priced.flags).toEqual(["usage_absent"]);
  });
});

describe("look-ups", () => {
  const used = chat(thousand);

  test.each([
    ["anthropic", "claude-sonnet-5-5-20261007"],
    ["anthropic", "claude-sonnet"],
    ["openai", "gpt-5.6"],
    ["openai", "gpt-4o-2024-05-13"],
    ["openai", "GPT-4O"],
    ["anthropic", "gpt-4o"],
    ["openrouter", "qwen/qwen-2.5-coder-32b-instruct"],
    ["nobody", "gpt-4o"],
    ["openai", "__proto__"],
  ])("%s %s is unknown, not like another", (provider, model) => {
    const priced = pricing.price(ask(provider, model, used));
    expect(priced).toEqual({
      cost: { known: false, reason: "unknown_price" },
      computed: { known: false, reason: "unknown_price" },
      reportedNanos: null,
      driftNanos: null,
      priceId: null,
      parts: [],
      flags: ["unknown_price"],
    });
  });

  test("names that are listed have the model's price", () => {
    const id = (model: string) => pricing.price(ask("openai", model, used)).priceId;
    expect(id("gpt-4o-2024-11-20")).toBe("openai/gpt-4o@start");
    expect(id("gpt-4o")).toBe("openai/gpt-4o@start");
  });

  test.each([
    ["2026-10-06T23:59:59Z", 200_000],
    ["2026-10-07T00:00:00Z", 100_000],
  ])("Sonnet 5.5's cached tokens at %s", (at, picos) => {
    const read = readAnthropicUsage({ input_tokens: 0, cache_read_input_tokens: 1000, output_tokens: 0 }, {});
    const priced = pricing.price(ask("anthropic", "claude-sonnet-5-5", read, Date.parse(at)));
    expect(priced.parts).toEqual([{ what: "cached", count: 1000, picosEach: { numerator: picos, denominator: 1 } }]);
  });

  test("Gemini's promotion ends with the year", () => {
    const flash = readGeminiUsage({ promptTokenCount: 1_000_000, candidatesTokenCount: 1_000_000 }, {});
    const at = (time: string) => pricing.price(ask("gemini", "gemini-3.8-flash", flash, Date.parse(time))).cost;
    expect(at("2026-12-31T23:59:59Z")).toMatchObject({ nanos: 4_500_000_000 });
    expect(at("2027-01-01T00:00:00Z")).toMatchObject({ nanos: 9_000_000_000 });
  });

  test("days of which nobody knows yet whether they are holidays are flagged", () => {
    const priced = pricing.price(ask("deepseek", "deepseek-flash", used, Date.parse("2027-01-01T02:00:00Z")));
    expect(priced.flags).toEqual(["holidays_not_entered"]);
  });

  test("a price that was not looked at for four months is flagged", () => {
    const priced = pricing.price(ask("openai", "gpt-4o", used, Date.parse("2027-05-01T00:00:00Z")));
    expect(priced.flags).toEqual(["price_unchecked"]);
  });
});

describe("kinds of tokens and service", () => {
  const tiers = (service_tier: string) => chat({ ...thousand, service_tier });

  test.each([
    ["batch", 6_250_000],
    ["flex", 6_250_000],
    ["priority", 25_000_000],
    ["default", 12_500_000],
  ])("served %s", (tier, nanos) => {
    expect(pricing.price(ask("openai", "gpt-4o", tiers(tier))).cost).toMatchObject({ nanos });
  });

  test("half of an odd number of picos is not lost before the end", () => {
    // 3 cached tokens at 2,800 / 2, 5 at 5,000 / 2: exact fractions add up first.
    const usage = { prompt_tokens: 3, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 3 } };
    const priced = pricing.price(ask("openai", "gpt-5-nano", chat({ ...usage, service_tier: "flex" })));
    expect(priced.parts[0]?.picosEach).toEqual({ numerator: 2500, denominator: 1 });
    // 7,500 picos are 7.5 nanos: half up.
    expect(priced.cost).toMatchObject({ nanos: 8 });
  });

  test("a tier whose price nobody knows is taken as standard, flagged", () => {
    const priced = pricing.price(ask("groq", "llama-3.1-8b-instant", tiers("flex")));
    expect(priced.cost).toMatchObject({ nanos: 130_000 });
    expect(priced.flags).toEqual(["no_service_rate"]);
  });

  test("Opus 5.5's fast mode costs twice", () => {
    const fast = readAnthropicUsage({ input_tokens: 1000, output_tokens: 1000, speed: "fast" }, {});
    expect(pricing.price(ask("anthropic", "claude-opus-5-5", fast)).cost).toMatchObject({ nanos: 48_000_000 });
    expect(pricing.price(ask("anthropic", "claude-opus-5", fast)).flags).toEqual(["no_service_rate"]);
  });

  test("audio has its rate, cached audio its own", () => {
    const usage = {
      promptTokenCount: 1000,
      cachedContentTokenCount: 400,
      candidatesTokenCount: 0,
      promptTokensDetails: [
        { modality: "TEXT", tokenCount: 500 },
        { modality: "AUDIO", tokenCount: 500 },
      ],
      cacheTokensDetails: [{ modality: "AUDIO", tokenCount: 100 }],
    };
    const priced = pricing.price(ask("gemini", "gemini-2.5-flash", readGeminiUsage(usage, {})));
    expect(priced.parts.map(({ what, count, picosEach }) => [what, count, picosEach.numerator])).toEqual([
      ["prompt", 200, 300_000],
      ["audio_prompt", 400, 1_000_000],
      ["cached", 300, 30_000],
      ["audio_cached", 100, 100_000],
    ]);
  });

  test("a kind without a rate is taken at the nearest one, flagged", () => {
    const cached = chat({ prompt_tokens: 1000, completion_tokens: 0, prompt_tokens_details: { cached_tokens: 1000 } });
    const priced = pricing.price(ask("groq", "llama-3.1-8b-instant", cached));
    expect(priced.cost).toMatchObject({ nanos: 50_000 });
    expect(priced.flags).toEqual(["no_cached_rate"]);
  });

  test("searches have a fee, others are flagged", () => {
    const searched = readAnthropicUsage(
      { input_tokens: 0, output_tokens: 1, server_tool_use: { web_search_requests: 2, web_fetch_requests: 1 } },
      {},
    );
    const priced = pricing.price(ask("anthropic", "claude-haiku-4-5", searched));
    expect(priced.cost).toMatchObject({ nanos: 20_000_000 + 5_000 });
    expect(priced.flags).toEqual(["no_tool_fee"]);
  });

  test("a sum beyond all money is cut and flagged, not wrong", () => {
    const much = { ...chat(thousand), usage: { ...noUsage, promptTokens: 2 ** 40, completionTokens: 2 ** 40 } };
    const priced = pricing.price(ask("anthropic", "claude-opus-4-1", much));
    expect(priced.cost).toMatchObject({ nanos: Number.MAX_SAFE_INTEGER });
    expect(priced.flags).toContain("cost_clamped");
  });
});

describe("the owner's own prices", () => {
  test("win over the book while they hold, and are exact", () => {
    const list = withOwn({
      provider: "openai",
      model: "gpt-4o",
      prompt: "0.003625",
      completion: "10",
      perRequest: "0.005",
      from: "2026-11-01",
      until: "2026-12-01",
    });
    const priced = list.price(ask("openai", "gpt-4o", chat({ prompt_tokens: 1, completion_tokens: 0 })));
    expect(priced.priceId).toBe("own/openai/gpt-4o@2026-11-01");
    expect(picosOf(priced.parts)).toEqual({ numerator: 3625n + 5_000_000_000n, denominator: 1n });
    const later = list.price(ask("openai", "gpt-4o", chat(thousand), Date.parse("2026-12-01T00:00:00Z")));
    expect(later.priceId).toBe("openai/gpt-4o@start");
  });
});

describe("what is held before", () => {
  const question = { provider: "openai", model: "gpt-4o", atMs, promptTokens: 1000, completionTokens: 1000 };

  test("a model nobody knows is held at the configured worst case", () => {
    const held = pricing.worstCase({ ...question, model: "nobody's" });
    expect(held).toMatchObject({ nanos: 105_000_000, priceId: null });
  });

  test("a request that may be cached is held at the dearest write", () => {
    const sonnet = { ...question, provider: "anthropic", model: "claude-sonnet-5", completionTokens: 0 };
    expect(pricing.worstCase(sonnet).nanos).toBe(4_000_000);
    expect(pricing.worstCase({ ...sonnet, cacheWrite: "5m" }).nanos).toBe(2_500_000);
    expect(pricing.worstCase({ ...sonnet, cacheWrite: "none" }).nanos).toBe(2_000_000);
  });

  test("a window that may open is counted, a cheaper tier is not", () => {
    expect(pricing.worstCase({ ...question, provider: "deepseek", model: "deepseek-v4-pro" }).nanos).toBe(5_280_000);
    expect(pricing.worstCase({ ...question, serviceTier: "flex" }).nanos).toBe(12_500_000);
    expect(pricing.worstCase({ ...question, serviceTier: "priority" }).nanos).toBe(25_000_000);
  });

  test("a fast mode that may be asked for is counted", () => {
    const opus = { ...question, provider: "anthropic", model: "claude-opus-5-5", promptTokens: 0 };
    expect(pricing.worstCase(opus).nanos).toBe(40_000_000);
    expect(pricing.worstCase({ ...opus, fast: false }).nanos).toBe(20_000_000);
  });

  test("no usage within the bounds costs more than was held", () => {
    const random = seeded(5);
    const models = priceBook.flatMap(({ provider, rows }) => rows.map(({ model }) => ({ provider, model })));
    for (let round = 0; round < 3000; round += 1) {
      const { provider, model } = random.pick(models);
      const time = Date.parse("2026-06-01") + random.below(200 * 24) * 3_600_000;
      const used = someUsage(random);
      const { promptTokens, completionTokens } = used.usage;
      const asked = { provider, model, atMs: time, promptTokens, completionTokens, serviceTier: used.serviceTier };
      const held = pricing.worstCase(asked);
      const { cost } = pricing.price({ provider, model, atMs: time, used });
      if (cost.known) expect(cost.nanos, `${model} ${JSON.stringify(used)}`).toBeLessThanOrEqual(held.nanos);
    }
  });
});

/** Within the rules: parts no larger than their whole. */
function someUsage(random: Random): UpstreamUsage {
  const promptTokens = random.below(400_000);
  const cachedTokens = random.below(promptTokens + 1);
  const cacheWrite5mTokens = random.below(promptTokens - cachedTokens + 1);
  const cacheWrite1hTokens = random.below(promptTokens - cachedTokens - cacheWrite5mTokens + 1);
  const completionTokens = random.below(100_000);
  const audio = random.below(promptTokens + 1);
  return {
    usage: { promptTokens, cachedTokens, completionTokens, reasoningTokens: 0, cacheWrite5mTokens, cacheWrite1hTokens },
    audio: { promptTokens: audio, cachedTokens: Math.min(audio, cachedTokens), completionTokens: 0 },
    serviceTier: random.pick(["standard", "batch", "flex", "priority"] as const),
    ...(random.chance(0.2) && { fast: true }),
    toolCalls: {},
    reported: null,
    flags: [],
    raw: null,
  };
}

test("parts: every token once, none below 0, and their exact sum is the cost before its one rounding", () => {
  const random = seeded(27);
  const models = priceBook.flatMap(({ provider, rows }) => rows.map(({ model }) => ({ provider, model })));
  for (let round = 0; round < 3000; round += 1) {
    const { provider, model } = random.pick(models);
    const used = someUsage(random);
    const { parts, computed } = pricing.price({ provider, model, used, atMs });
    if (!computed.known) continue;
    const tokens = (kinds: readonly string[]) =>
      parts.reduce((sum, { what, count }) => sum + (kinds.includes(what) ? count : 0), 0);
    const ofPrompt = ["prompt", "audio_prompt", "cached", "audio_cached", "cache_write_5m", "cache_write_1h"];
    expect(tokens(ofPrompt)).toBe(used.usage.promptTokens);
    expect(tokens(["completion", "audio_completion"])).toBe(used.usage.completionTokens);
    expect(parts.every(({ count, picosEach }) => count > 0 && picosEach.numerator >= 0)).toBe(true);
    const { numerator, denominator } = picosOf(parts);
    const nanos = BigInt(computed.nanos);
    // Half up: the exact sum is less than half a nano above and at most half a nano below.
    expect(2n * numerator < (2n * nanos + 1n) * 1000n * denominator).toBe(true);
    expect(2n * numerator >= (2n * nanos - 1n) * 1000n * denominator).toBe(true);
  }
});

test.each([
  [500, 1, 1],
  [499, 1, 0],
  [1500, 1, 2],
  [1000, 3, 0],
  [3499, 2, 2],
  [3000, 2, 2],
])("%i/%i picos are %i nanos", (numerator, denominator, nanos) => {
  expect(nanosOf([{ what: "prompt", count: 1, picosEach: { numerator, denominator } }]).nanos).toBe(nanos);
});
