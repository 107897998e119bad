/** OpenRouter, a market of providers. Data. */
import { bearer, type Provider } from "../provider.ts";

export const openrouter = Object.freeze<Provider>({
  id: "openrouter",
  title: "OpenRouter",
  kind: "cloud",
  baseUrl: "https://openrouter.ai/api/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: { maxTokensField: "max_tokens", reportedCost: "cost", cacheControl: true },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["OPENROUTER_API_KEY"],
  priceSource: "openrouter",
  creditFeeBasisPoints: 550,
  limits: null,
  creditPath: "/key",
  modelSuffixes: [":nitro", ":floor"],
  notes:
    "Buying credit costs 5.5 % on top. A model's name may end in :nitro (fastest) or :floor (cheapest); preferences such as order, only, ignore, max_price, zdr go under extraBody: { provider: { \u2026 } }.",
  docsUrl: "https://openrouter.ai/docs",
});
