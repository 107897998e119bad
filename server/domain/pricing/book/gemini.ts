/** Google's list prices of the Gemini API. Data; pico-USD per token. Completions include thoughts. */
import { half, type ProviderPrices, type Rates } from "../book.ts";

const pro3: Rates = { prompt: 2_000_000, completion: 12_000_000, cached: 200_000 };
const pro3Long: Rates = { prompt: 4_000_000, completion: 18_000_000, cached: 400_000 };
const proLongAbove = 200_000;

/** Half price until the end of 2026. */
const flashPromotion: Rates = { prompt: 750_000, completion: 3_750_000, cached: 75_000 };
const flashAfter: Rates = { prompt: 1_500_000, completion: 7_500_000, cached: 150_000 };
const cachedFromGenaiPrices = "cached tokens as @pydantic/genai-prices 0.1.8 has them";
const promotionEnds = "2027-01-01";

export const geminiPrices: ProviderPrices = Object.freeze({
  provider: "gemini",
  source: "ai.google.dev pricing (copy of 2026-10-07)",
  checked: "2026-11-20",
  services: { batch: half },
  rows: [
    ...["gemini-3.8-flash", "gemini-3.7-flash", "gemini-3.6-flash"].flatMap((model) => [
      { model, until: promotionEnds, rates: flashPromotion, note: `promotion; ${cachedFromGenaiPrices}` },
      { model, from: promotionEnds, rates: flashAfter, note: cachedFromGenaiPrices },
    ]),
    { model: "gemini-3.5-flash", rates: { prompt: 1_500_000, completion: 9_000_000, cached: 150_000 } },
    { model: "gemini-3.5-flash-lite", rates: { prompt: 300_000, completion: 2_500_000, cached: 30_000 } },
    { model: "gemini-3.1-pro-preview", rates: pro3, long: [{ above: proLongAbove, rates: pro3Long }] },
    { model: "gemini-3-pro-preview", rates: pro3, long: [{ above: proLongAbove, rates: pro3Long }] },
    {
      model: "gemini-3-flash-preview",
      rates: { prompt: 500_000, completion: 3_000_000, cached: 50_000, audioPrompt: 1_000_000, audioCached: 100_000 },
      note: "cached audio as @pydantic/genai-prices 0.1.8 has it",
    },
    {
      model: "gemini-3.1-flash-lite",
      rates: { prompt: 250_000, completion: 1_500_000, cached: 25_000 },
      note: "audio: sources differ (0.50 and 1.00), so it has no rate",
    },
    {
      model: "gemini-2.5-pro",
      rates: { prompt: 1_250_000, completion: 10_000_000, cached: 125_000 },
      long: [{ above: proLongAbove, rates: { prompt: 2_500_000, completion: 15_000_000, cached: 250_000 } }],
    },
    {
      model: "gemini-2.5-flash",
      rates: {
        prompt: 300_000,
        completion: 2_500_000,
        cached: 30_000,
        audioPrompt: 1_000_000,
        audioCached: 100_000,
      },
    },
    {
      model: "gemini-2.5-flash-lite",
      rates: { prompt: 100_000, completion: 400_000, cached: 10_000, audioPrompt: 300_000, audioCached: 30_000 },
      note: "cached audio as @pydantic/genai-prices 0.1.8 has it",
    },
  ],
  leftOut: [
    { what: "storage of explicit caches", why: "per token and hour, and only a garbled copy of the price was seen" },
    { what: "grounding with search", why: "5,000 a month are free, then $14 per thousand; answers do not count them" },
  ],
});
