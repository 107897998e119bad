/**
 * Token prices as the deployment guide of November 2025 has them. Data; pico-USD per token. Kept apart from the price book: nobody is
 * billed by them, they are what the guide's own sums are made of, and a plan may be compared with it.
 */
import type { ProviderPrices } from "../pricing/book.ts";

export const guidePrices: ProviderPrices = Object.freeze({
  provider: "guide",
  source: "AI Agent Production Deployment & Cost Analysis Guide, section 5, lines 253-255",
  checked: "2025-11",
  rows: [
    { model: "gpt-4", rates: { prompt: 30_000_000, completion: 60_000_000 } },
    { model: "gpt-4-turbo", rates: { prompt: 10_000_000, completion: 30_000_000 } },
    { model: "gpt-3.5-turbo", rates: { prompt: 500_000, completion: 1_500_000 } },
  ],
});
