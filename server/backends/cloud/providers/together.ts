/** Together AI. Data. */
import { bearer, type Provider } from "../provider.ts";

export const together = Object.freeze<Provider>({
  id: "together",
  title: "Together AI",
  kind: "cloud",
  baseUrl: "https://api.together.xyz/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: { maxTokensField: "max_tokens", noDeveloperRole: true, extendedSampling: true },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning", "embeddings"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["TOGETHER_API_KEY"],
  priceSource: "together",
  limits: null,
  creditPath: null,
  notes: "",
  docsUrl: "https://docs.together.ai",
});
