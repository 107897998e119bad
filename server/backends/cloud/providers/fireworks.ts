/** Fireworks AI. Data. */
import { bearer, type Provider } from "../provider.ts";

export const fireworks = Object.freeze<Provider>({
  id: "fireworks",
  title: "Fireworks AI",
  kind: "cloud",
  baseUrl: "https://api.fireworks.ai/inference/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: { maxTokensField: "max_tokens", noDeveloperRole: true },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["FIREWORKS_API_KEY"],
  priceSource: "fireworks",
  limits: null,
  creditPath: null,
  notes: "Model names are paths: accounts/fireworks/models/\u2026.",
  docsUrl: "https://docs.fireworks.ai",
});
