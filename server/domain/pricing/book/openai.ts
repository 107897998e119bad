/** OpenAI's list prices. Data; pico-USD per token. */
import { half, type ProviderPrices, twice } from "../book.ts";

/** Prompts above this are long: twice the prompt, one and a half times the completion, for the whole request. */
const longAbove = 272_000;
const tiersFromGenaiPrices = "long prompts and cache writes as @pydantic/genai-prices 0.1.8 has them";

export const openaiPrices: ProviderPrices = Object.freeze({
  provider: "openai",
  source: "platform.openai.com pricing (copy of October 2026)",
  checked: "2026-11-20",
  services: { batch: half, flex: half, priority: twice },
  // $10 for a thousand searches.
  toolFees: { web_search: 10_000_000_000 },
  rows: [
    {
      model: "gpt-4o",
      aliases: ["gpt-4o-2024-08-06", "gpt-4o-2024-11-20"],
      rates: { prompt: 2_500_000, completion: 10_000_000, cached: 1_250_000 },
    },
    {
      model: "gpt-4o-mini",
      aliases: ["gpt-4o-mini-2024-07-18"],
      rates: { prompt: 150_000, completion: 600_000, cached: 75_000 },
    },
    {
      model: "gpt-4.1",
      aliases: ["gpt-4.1-2025-04-14"],
      rates: { prompt: 2_000_000, completion: 8_000_000, cached: 500_000 },
    },
    {
      model: "gpt-4.1-mini",
      aliases: ["gpt-4.1-mini-2025-04-14"],
      rates: { prompt: 400_000, completion: 1_600_000, cached: 100_000 },
    },
    {
      model: "gpt-4.1-nano",
      aliases: ["gpt-4.1-nano-2025-04-14"],
      rates: { prompt: 100_000, completion: 400_000, cached: 25_000 },
    },
    {
      model: "gpt-5",
      aliases: ["gpt-5-2025-08-07"],
      rates: { prompt: 1_250_000, completion: 10_000_000, cached: 125_000 },
    },
    {
      model: "gpt-5-mini",
      aliases: ["gpt-5-mini-2025-08-07"],
      rates: { prompt: 250_000, completion: 2_000_000, cached: 25_000 },
    },
    {
      model: "gpt-5-nano",
      aliases: ["gpt-5-nano-2025-08-07"],
      rates: { prompt: 50_000, completion: 400_000, cached: 5_000 },
    },
    {
      model: "gpt-5.1",
      aliases: ["gpt-5.1-2025-11-13"],
      rates: { prompt: 1_250_000, completion: 10_000_000, cached: 125_000 },
    },
    {
      model: "gpt-5.2",
      aliases: ["gpt-5.2-2025-12-11"],
      rates: { prompt: 1_750_000, completion: 14_000_000, cached: 175_000 },
    },
    {
      model: "gpt-5.4",
      aliases: ["gpt-5.4-2026-03-05"],
      rates: { prompt: 2_500_000, completion: 15_000_000, cached: 250_000 },
      long: [{ above: longAbove, rates: { prompt: 5_000_000, completion: 22_500_000, cached: 500_000 } }],
    },
    {
      model: "gpt-5.4-mini",
      aliases: ["gpt-5.4-mini-2026-03-17"],
      rates: { prompt: 750_000, completion: 4_500_000, cached: 75_000 },
    },
    {
      model: "gpt-5.4-nano",
      aliases: ["gpt-5.4-nano-2026-03-17"],
      rates: { prompt: 200_000, completion: 1_250_000, cached: 20_000 },
    },
    {
      model: "gpt-5.5",
      aliases: ["gpt-5.5-2026-04-23"],
      rates: { prompt: 5_000_000, completion: 30_000_000, cached: 500_000 },
      long: [{ above: longAbove, rates: { prompt: 10_000_000, completion: 45_000_000, cached: 1_000_000 } }],
    },
    {
      model: "gpt-5.6-sol",
      until: "2026-08-21",
      rates: { prompt: 5_000_000, completion: 30_000_000, cached: 500_000, cacheWrite5m: 6_250_000 },
      long: [
        {
          above: longAbove,
          rates: { prompt: 10_000_000, completion: 45_000_000, cached: 1_000_000, cacheWrite5m: 12_500_000 },
        },
      ],
      note: `the day of the cut from genai-prices; ${tiersFromGenaiPrices}`,
    },
    {
      model: "gpt-5.6-sol",
      from: "2026-08-21",
      rates: { prompt: 4_000_000, completion: 20_000_000, cached: 400_000, cacheWrite5m: 5_000_000 },
      long: [
        {
          above: longAbove,
          rates: { prompt: 8_000_000, completion: 30_000_000, cached: 800_000, cacheWrite5m: 10_000_000 },
        },
      ],
      note: tiersFromGenaiPrices,
    },
    {
      model: "gpt-5.6-terra",
      from: "2026-07-30",
      rates: { prompt: 2_000_000, completion: 12_000_000, cached: 200_000, cacheWrite5m: 2_500_000 },
      long: [
        {
          above: longAbove,
          rates: { prompt: 4_000_000, completion: 18_000_000, cached: 400_000, cacheWrite5m: 5_000_000 },
        },
      ],
      note: tiersFromGenaiPrices,
    },
    {
      model: "gpt-5.6-luna",
      from: "2026-07-30",
      rates: { prompt: 200_000, completion: 1_200_000, cached: 20_000, cacheWrite5m: 250_000 },
      long: [
        {
          above: longAbove,
          rates: { prompt: 400_000, completion: 1_800_000, cached: 40_000, cacheWrite5m: 500_000 },
        },
      ],
      note: tiersFromGenaiPrices,
    },
    {
      model: "gpt-6-astra",
      rates: { prompt: 10_000_000, completion: 50_000_000, cached: 1_000_000, cacheWrite5m: 12_500_000 },
      long: [
        {
          above: longAbove,
          rates: { prompt: 20_000_000, completion: 75_000_000, cached: 2_000_000, cacheWrite5m: 25_000_000 },
        },
      ],
      note: tiersFromGenaiPrices,
    },
    {
      model: "gpt-6-sol",
      rates: { prompt: 2_000_000, completion: 10_000_000, cached: 200_000, cacheWrite5m: 2_500_000 },
      long: [
        {
          above: longAbove,
          rates: { prompt: 4_000_000, completion: 15_000_000, cached: 400_000, cacheWrite5m: 5_000_000 },
        },
      ],
      note: tiersFromGenaiPrices,
    },
    {
      model: "gpt-6-luna",
      rates: { prompt: 100_000, completion: 500_000, cached: 10_000, cacheWrite5m: 125_000 },
      long: [
        {
          above: longAbove,
          rates: { prompt: 200_000, completion: 750_000, cached: 20_000, cacheWrite5m: 250_000 },
        },
      ],
      note: tiersFromGenaiPrices,
    },
    {
      model: "gpt-6.1-sol",
      rates: { prompt: 2_000_000, completion: 10_000_000, cached: 100_000 },
      long: [{ above: longAbove, rates: { prompt: 4_000_000, completion: 15_000_000, cached: 200_000 } }],
      note: "released 2026-10-26; no rate of cache writes was read",
    },
    {
      model: "gpt-6.1-terra",
      rates: { prompt: 1_000_000, completion: 5_000_000, cached: 50_000, cacheWrite5m: 1_250_000 },
      note: "released 2026-10-26",
    },
    {
      model: "o3",
      aliases: ["o3-2025-04-16"],
      from: "2025-06-10",
      rates: { prompt: 2_000_000, completion: 8_000_000, cached: 500_000 },
    },
    {
      model: "o4-mini",
      aliases: ["o4-mini-2025-04-16"],
      rates: { prompt: 1_100_000, completion: 4_400_000, cached: 275_000 },
    },
  ],
  leftOut: [
    { what: "gpt-5.6 without a word behind it", why: "an alias whose target the sources do not agree on" },
    { what: "data residency (+10 %)", why: "answers do not say it; set `prices` for models used so" },
    { what: "gpt-5.6-terra and -luna before 2026-07-30", why: "only one source has those prices" },
  ],
});
