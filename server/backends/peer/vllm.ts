/** vLLM on a machine of your own. Data. */
import { bearer, type Provider } from "../cloud/provider.ts";

export const vllm = Object.freeze<Provider>({
  id: "vllm",
  title: "vLLM",
  kind: "peer",
  baseUrl: "http://127.0.0.1:8000/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: false,
  headers: {},
  traits: {
    maxTokensField: "max_tokens",
    noDeveloperRole: true,
    extendedSampling: true,
    completions: true,
    rerankLogits: false,
  },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning", "embeddings", "rerank"],
  region: null,
  dataPolicy: "local",
  keyVariables: [],
  priceSource: null,
  limits: null,
  creditPath: null,
  notes: "",
  docsUrl: "https://docs.vllm.ai",
});
