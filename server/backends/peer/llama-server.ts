/** llama-server of llama.cpp. Data. */
import { bearer, type Provider } from "../cloud/provider.ts";

export const llamaServer = Object.freeze<Provider>({
  id: "llama-server",
  title: "llama-server",
  kind: "peer",
  baseUrl: "http://127.0.0.1:8080/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: false,
  headers: {},
  traits: {
    maxTokensField: "max_tokens",
    noDeveloperRole: true,
    extendedSampling: true,
    completions: true,
    rerankLogits: true,
  },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning", "embeddings", "rerank"],
  region: null,
  dataPolicy: "local",
  keyVariables: [],
  priceSource: null,
  limits: null,
  creditPath: null,
  notes: "",
  docsUrl: "https://github.com/ggml-org/llama.cpp/tree/master/tools/server",
});
