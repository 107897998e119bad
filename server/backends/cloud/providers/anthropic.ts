/** Anthropic, by its Messages wire. Data. */
import type { Provider } from "../provider.ts";

export const anthropic = Object.freeze<Provider>({
  id: "anthropic",
  title: "Anthropic",
  kind: "cloud",
  baseUrl: "https://api.anthropic.com/v1",
  dialect: "anthropic-messages",
  auth: { header: "x-api-key", scheme: null },
  needsKey: true,
  headers: { "anthropic-version": "2023-06-01" },
  traits: {},
  abilities: ["chat", "tools", "images", "json-schema", "reasoning"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["ANTHROPIC_API_KEY"],
  priceSource: "anthropic",
  limits: {
    requests: {
      limit: "anthropic-ratelimit-requests-limit",
      remaining: "anthropic-ratelimit-requests-remaining",
      reset: "anthropic-ratelimit-requests-reset",
    },
    tokens: {
      limit: "anthropic-ratelimit-tokens-limit",
      remaining: "anthropic-ratelimit-tokens-remaining",
      reset: "anthropic-ratelimit-tokens-reset",
    },
  },
  creditPath: null,
  notes: "A spend limit that is reached comes as 429 without Retry-After; the key is then parked.",
  docsUrl: "https://docs.anthropic.com/en/api/overview",
});
