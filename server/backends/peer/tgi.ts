/** Text Generation Inference, which is not developed further since March 2026. Data. */
import { bearer, type Provider } from "../cloud/provider.ts";

export const tgi = Object.freeze<Provider>({
  id: "tgi",
  title: "Text Generation Inference",
  kind: "peer",
  baseUrl: null,
  dialect: "openai-chat",
  auth: bearer,
  needsKey: false,
  headers: {},
  traits: { maxTokensField: "max_tokens", noDeveloperRole: true, extendedSampling: true, completions: true },
  abilities: ["chat", "tools", "json-schema"],
  region: null,
  dataPolicy: "local",
  keyVariables: [],
  priceSource: null,
  limits: null,
  creditPath: null,
  notes: "",
  docsUrl: "https://huggingface.co/docs/text-generation-inference",
});
