/** OpenAI, by its chat wire. Data. */
import { bearer, openaiLimits, type Provider } from "../provider.ts";

export const openai = Object.freeze<Provider>({
  id: "openai",
  title: "OpenAI",
  kind: "cloud",
  baseUrl: "https://api.openai.com/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: { promptCacheKey: true },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning", "embeddings"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["OPENAI_API_KEY"],
  priceSource: "openai",
  limits: openaiLimits,
  creditPath: null,
  notes: "For its Responses wire instead, set dialect: openai-responses.",
  docsUrl: "https://platform.openai.com/docs/api-reference",
});
