/** Groq's list prices. Data; pico-USD per token. */
import type { ProviderPrices } from "../book.ts";

export const groqPrices: ProviderPrices = Object.freeze({
  provider: "groq",
  source: "groq.com pricing",
  checked: "2026-11-20",
  rows: [
    { model: "llama-3.3-70b-versatile", rates: { prompt: 590_000, completion: 790_000 } },
    { model: "llama-3.1-8b-instant", rates: { prompt: 50_000, completion: 80_000 } },
    {
      model: "openai/gpt-oss-120b",
      rates: { prompt: 150_000, completion: 600_000, cached: 75_000 },
      note: "cached tokens as @pydantic/genai-prices 0.1.8 has them",
    },
  ],
  leftOut: [{ what: "batch and flex", why: "their terms were not read; flagged when an answer was served so" }],
});
