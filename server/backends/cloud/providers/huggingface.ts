/** The router of Hugging Face, which hands on to other providers. Data. */
import { bearer, type Provider } from "../provider.ts";

export const huggingface = Object.freeze<Provider>({
  id: "huggingface",
  title: "Hugging Face router",
  kind: "cloud",
  baseUrl: "https://router.huggingface.co/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: { maxTokensField: "max_tokens", noDeveloperRole: true },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["HF_TOKEN"],
  priceSource: "huggingface",
  limits: null,
  creditPath: null,
  notes: "Billed by credits of the Hub, or by your own key of the provider behind it.",
  docsUrl: "https://huggingface.co/docs/inference-providers",
});
