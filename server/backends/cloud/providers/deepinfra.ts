/** DeepInfra. Data. */
import { bearer, type Provider } from "../provider.ts";

export const deepinfra = Object.freeze<Provider>({
  id: "deepinfra",
  title: "DeepInfra",
  kind: "cloud",
  baseUrl: "https://api.deepinfra.com/v1/openai",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: { maxTokensField: "max_tokens", noDeveloperRole: true, reportedCost: "estimated_cost" },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning", "embeddings"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"],
  priceSource: "deepinfra",
  limits: null,
  creditPath: null,
  notes: "The base URL ends in /v1/openai, not in /v1.",
  docsUrl: "https://deepinfra.com/docs",
});
