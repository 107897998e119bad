/** Another Lanthorn. Data. */
import { bearer, type Provider } from "../cloud/provider.ts";

export const lanthorn = Object.freeze<Provider>({
  id: "lanthorn",
  title: "Another Lanthorn",
  kind: "peer",
  baseUrl: null,
  dialect: "openai-chat",
  auth: bearer,
  needsKey: false,
  headers: {},
  requestIdHeader: "x-request-id",
  traits: { extendedSampling: true, completions: true, rerankLogits: false },
  abilities: ["chat", "tools", "json-schema", "reasoning", "embeddings", "rerank"],
  region: null,
  dataPolicy: "local",
  keyVariables: [],
  priceSource: null,
  limits: null,
  creditPath: null,
  notes: "Its address and a key of its own: http://<box>:4747/v1 and lanthorn keys create there.",
  docsUrl: "docs/api.md",
});
