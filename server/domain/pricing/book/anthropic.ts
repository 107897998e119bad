/** Anthropic's list prices. Data; pico-USD per token. */
import { half, type ProviderPrices, type Rates, twice } from "../book.ts";

const opus4x: Rates = {
  prompt: 5_000_000,
  completion: 25_000_000,
  cached: 500_000,
  cacheWrite5m: 6_250_000,
  cacheWrite1h: 10_000_000,
};
const opus4: Rates = {
  prompt: 15_000_000,
  completion: 75_000_000,
  cached: 1_500_000,
  cacheWrite5m: 18_750_000,
  cacheWrite1h: 30_000_000,
};
const sonnet5: Rates = {
  prompt: 2_000_000,
  completion: 10_000_000,
  cached: 200_000,
  cacheWrite5m: 2_500_000,
  cacheWrite1h: 4_000_000,
};
const sonnet4: Rates = {
  prompt: 3_000_000,
  completion: 15_000_000,
  cached: 300_000,
  cacheWrite5m: 3_750_000,
  cacheWrite1h: 6_000_000,
};
const sonnet4Long: Rates = {
  prompt: 6_000_000,
  completion: 22_500_000,
  cached: 600_000,
  cacheWrite5m: 7_500_000,
  cacheWrite1h: 12_000_000,
};
const fable: Rates = {
  prompt: 10_000_000,
  completion: 50_000_000,
  cached: 1_000_000,
  cacheWrite5m: 12_500_000,
  cacheWrite1h: 20_000_000,
};
const longContextBeta = "long-context beta, retired 2026-04-30; its cache rates from the listed multipliers";

export const anthropicPrices: ProviderPrices = Object.freeze({
  provider: "anthropic",
  source: "platform.claude.com pricing and model pages (copy of October 2026)",
  checked: "2026-11-20",
  services: { batch: half },
  // $10 for a thousand searches.
  toolFees: { web_search: 10_000_000_000 },
  rows: [
    { model: "claude-fable-5-1", rates: { ...fable, cached: 250_000 } },
    { model: "claude-fable-5", rates: fable },
    {
      model: "claude-opus-5-5",
      rates: {
        prompt: 4_000_000,
        completion: 20_000_000,
        cached: 200_000,
        cacheWrite5m: 5_000_000,
        cacheWrite1h: 8_000_000,
      },
      services: { batch: half, fast: twice },
      note: "released 2026-09-22; fast mode twice",
    },
    { model: "claude-opus-5", rates: opus4x },
    { model: "claude-opus-4-8", rates: opus4x },
    { model: "claude-opus-4-7", rates: opus4x },
    { model: "claude-opus-4-6", rates: opus4x },
    { model: "claude-opus-4-5", aliases: ["claude-opus-4-5-20251101"], rates: opus4x },
    { model: "claude-opus-4-1", aliases: ["claude-opus-4-1-20250805"], rates: opus4, note: "retired" },
    {
      model: "claude-opus-4-0",
      aliases: ["claude-opus-4-20250514", "claude-opus-4"],
      rates: opus4,
      note: "retired",
    },
    { model: "claude-sonnet-5-5", until: "2026-10-07", rates: sonnet5 },
    { model: "claude-sonnet-5-5", from: "2026-10-07", rates: { ...sonnet5, cached: 100_000 } },
    { model: "claude-sonnet-5", rates: sonnet5 },
    { model: "claude-sonnet-4-6", rates: sonnet4 },
    {
      model: "claude-sonnet-4-5",
      aliases: ["claude-sonnet-4-5-20250929"],
      rates: sonnet4,
      long: [{ above: 200_000, rates: sonnet4Long }],
      note: longContextBeta,
    },
    {
      model: "claude-sonnet-4-0",
      aliases: ["claude-sonnet-4-20250514", "claude-sonnet-4"],
      rates: sonnet4,
      long: [{ above: 200_000, rates: sonnet4Long }],
      note: longContextBeta,
    },
    { model: "claude-3-7-sonnet-latest", aliases: ["claude-3-7-sonnet-20250219"], rates: sonnet4 },
    {
      model: "claude-3-5-sonnet-latest",
      aliases: ["claude-3-5-sonnet-20241022", "claude-3-5-sonnet-20240620"],
      rates: sonnet4,
    },
    {
      model: "claude-haiku-5-5",
      rates: {
        prompt: 100_000,
        completion: 500_000,
        cached: 10_000,
        cacheWrite5m: 125_000,
        cacheWrite1h: 200_000,
      },
      long: [
        {
          above: 100_000,
          rates: {
            prompt: 500_000,
            completion: 2_500_000,
            cached: 50_000,
            cacheWrite5m: 625_000,
            cacheWrite1h: 1_000_000,
          },
        },
      ],
      note: "released 2026-10-07; cache rates of long prompts from kurofune/claudit 1.9.2 (2026-10-24)",
    },
    {
      model: "claude-haiku-4-5",
      aliases: ["claude-haiku-4-5-20251001"],
      rates: {
        prompt: 1_000_000,
        completion: 5_000_000,
        cached: 100_000,
        cacheWrite5m: 1_250_000,
        cacheWrite1h: 2_000_000,
      },
    },
    {
      model: "claude-3-5-haiku-latest",
      aliases: ["claude-3-5-haiku-20241022"],
      rates: {
        prompt: 800_000,
        completion: 4_000_000,
        cached: 80_000,
        cacheWrite5m: 1_000_000,
        cacheWrite1h: 1_600_000,
      },
      note: "cache writes from the listed multipliers",
    },
    {
      model: "claude-3-haiku-20240307",
      rates: {
        prompt: 250_000,
        completion: 1_250_000,
        cached: 30_000,
        cacheWrite5m: 300_000,
        cacheWrite1h: 500_000,
      },
      note: "cache writes from the listed multipliers",
    },
  ],
  leftOut: [
    {
      what: "inference kept in one region",
      why: "its surcharge was not read; answers name the region in their raw usage",
    },
    { what: "Priority Tier", why: "a commitment with a bill of its own; flagged when an answer says it was served so" },
  ],
});
