/** Ollama, by its OpenAI wire. Data. */
import { bearer, type Provider } from "../cloud/provider.ts";

export const ollama = Object.freeze<Provider>({
  id: "ollama",
  title: "Ollama",
  kind: "peer",
  baseUrl: "http://127.0.0.1:11434/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: false,
  headers: {},
  traits: { maxTokensField: "max_tokens", noDeveloperRole: true, completions: true },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning", "embeddings"],
  region: null,
  dataPolicy: "local",
  keyVariables: [],
  priceSource: null,
  limits: null,
  creditPath: null,
  notes: "",
  docsUrl: "https://docs.ollama.com",
});
