/** DeepSeek. Data. */
import { bearer, type Provider } from "../provider.ts";

export const deepseek = Object.freeze<Provider>({
  id: "deepseek",
  title: "DeepSeek",
  kind: "cloud",
  baseUrl: "https://api.deepseek.com",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: { maxTokensField: "max_tokens", noDeveloperRole: true, reasoningContent: true },
  abilities: ["chat", "tools", "reasoning"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["DEEPSEEK_API_KEY"],
  priceSource: "deepseek",
  limits: null,
  creditPath: null,
  notes:
    "Prices depend on the hour: peak is 01:00-04:00 and 06:00-10:00 UTC on weekdays. An empty balance comes as 402.",
  docsUrl: "https://api-docs.deepseek.com",
});
