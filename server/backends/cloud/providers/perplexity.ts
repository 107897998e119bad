/** Perplexity's Agent API, which has the shape of OpenAI's Responses. Its chat completions (Sonar) were retired in September 2026. Data. */
import { bearer, type Provider } from "../provider.ts";

export const perplexity = Object.freeze<Provider>({
  id: "perplexity",
  title: "Perplexity",
  kind: "cloud",
  baseUrl: "https://api.perplexity.ai/v1",
  dialect: "openai-responses",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: { reportedCost: "cost" },
  abilities: ["chat", "tools", "json-schema", "reasoning"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["PERPLEXITY_API_KEY"],
  priceSource: "perplexity",
  limits: null,
  creditPath: null,
  notes: "What a call cost is what its usage says, searches included.",
  docsUrl: "https://docs.perplexity.ai",
});
