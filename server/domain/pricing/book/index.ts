/** The price book: every provider's file. Adding a provider is a file and a line here. */
import type { ProviderPrices } from "../book.ts";
import { anthropicPrices } from "./anthropic.ts";
import { deepseekPrices } from "./deepseek.ts";
import { geminiPrices } from "./gemini.ts";
import { groqPrices } from "./groq.ts";
import {
  deepinfraPrices,
  fireworksPrices,
  huggingfacePrices,
  openrouterPrices,
  perplexityPrices,
  togetherPrices,
} from "./hosts.ts";
import { openaiPrices } from "./openai.ts";

export const priceBook: readonly ProviderPrices[] = Object.freeze([
  anthropicPrices,
  openaiPrices,
  geminiPrices,
  deepseekPrices,
  openrouterPrices,
  groqPrices,
  togetherPrices,
  fireworksPrices,
  huggingfacePrices,
  perplexityPrices,
  deepinfraPrices,
]);
