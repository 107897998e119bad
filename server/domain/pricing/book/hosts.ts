/**
 * Providers that host other people's models, of whose lists little or nothing is entered. Data; pico-USD per token. One that grows
 * moves into a file of its own.
 */
import type { ProviderPrices } from "../book.ts";

export const togetherPrices: ProviderPrices = Object.freeze({
  provider: "together",
  source: "together.ai pricing",
  checked: "2026-11-20",
  rows: [{ model: "meta-llama/Llama-3.3-70B-Instruct-Turbo", rates: { prompt: 880_000, completion: 880_000 } }],
  leftOut: [{ what: "batch", why: "up to half off, by model: the page does not say which" }],
});

export const deepinfraPrices: ProviderPrices = Object.freeze({
  provider: "deepinfra",
  source: "deepinfra.com pricing (copy of 2026-11-05)",
  checked: "2026-11-20",
  reportedCost: "estimated_cost",
  rows: [
    { model: "meta-llama/Llama-3.3-70B-Instruct-Turbo", rates: { prompt: 100_000, completion: 320_000 } },
    { model: "meta-llama/Meta-Llama-3.1-70B-Instruct", rates: { prompt: 400_000, completion: 400_000 } },
  ],
});

export const openrouterPrices: ProviderPrices = Object.freeze({
  provider: "openrouter",
  source: "openrouter.ai/docs: usage accounting, fees",
  checked: "2026-11-20",
  reportedCost: "cost",
  freeSuffix: ":free",
  creditFee: { numerator: 55, denominator: 1000 },
  rows: [],
  leftOut: [
    { what: "all models", why: "every answer says what it took off the credit, and its list changes by the hour" },
    { what: "qwen/qwen-2.5-coder-32b-instruct", why: "sources disagree by a factor of ten (0.06/0.15 and 0.66/1.00)" },
    { what: "meta-llama/llama-3.3-70b-instruct", why: "sources disagree (0.05/0.24 and 0.10/0.32)" },
  ],
});

export const perplexityPrices: ProviderPrices = Object.freeze({
  provider: "perplexity",
  source: "docs.perplexity.ai: Agent API",
  checked: "2026-11-20",
  reportedCost: "cost",
  rows: [],
  leftOut: [
    { what: "models of the Agent API", why: "at their makers' prices, and every answer says what it cost" },
    { what: "tools of the Agent API", why: "their fees were seen in a secondary copy only" },
    { what: "sonar", why: "retired 2026-09-27; its fee per request depends on a setting answers do not repeat" },
  ],
});

export const fireworksPrices: ProviderPrices = Object.freeze({
  provider: "fireworks",
  source: "docs.fireworks.ai",
  checked: "2026-11-20",
  rows: [],
  leftOut: [
    { what: "all models", why: "no list was read; cached tokens are half price unless a model says otherwise" },
  ],
});

export const huggingfacePrices: ProviderPrices = Object.freeze({
  provider: "huggingface",
  source: "huggingface.co/docs: pricing of inference providers",
  checked: "2026-11-20",
  rows: [],
  leftOut: [{ what: "all models", why: "the price is that of whichever provider answers; no mark-up" }],
});
