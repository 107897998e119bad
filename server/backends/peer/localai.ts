/** LocalAI. Data. */
import { bearer, type Provider } from "../cloud/provider.ts";

export const localai = Object.freeze<Provider>({
  id: "localai",
  title: "LocalAI",
  kind: "peer",
  baseUrl: "http://127.0.0.1:8080/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: false,
  headers: {},
  traits: { maxTokensField: "max_tokens", noDeveloperRole: true, extendedSampling: true, completions: true },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning", "embeddings"],
  region: null,
  dataPolicy: "local",
  keyVariables: [],
  priceSource: null,
  limits: null,
  creditPath: null,
  notes: "",
  docsUrl: "https://localai.io",
});
