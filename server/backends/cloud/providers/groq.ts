/** Groq. Data. */
import { bearer, openaiLimits, type Provider } from "../provider.ts";

export const groq = Object.freeze<Provider>({
  id: "groq",
  title: "Groq",
  kind: "cloud",
  baseUrl: "https://api.groq.com/openai/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: {},
  abilities: ["chat", "tools", "images", "json-schema", "reasoning"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["GROQ_API_KEY"],
  priceSource: "groq",
  limits: openaiLimits,
  creditPath: null,
  notes: "What is left of requests is counted per day, of tokens per minute.",
  docsUrl: "https://console.groq.com/docs/api-reference",
});
