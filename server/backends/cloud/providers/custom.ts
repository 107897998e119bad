/** Any server that speaks the OpenAI chat wire: a deployment at Modal or Anyscale, a gateway of the company, a provider that is not listed. Data. */
import { bearer, type Provider } from "../provider.ts";

export const custom = Object.freeze<Provider>({
  id: "custom",
  title: "An OpenAI-compatible server",
  kind: "cloud",
  baseUrl: null,
  dialect: "openai-chat",
  auth: bearer,
  needsKey: false,
  headers: {},
  traits: { maxTokensField: "max_tokens", noDeveloperRole: true },
  abilities: ["chat", "tools", "images", "json-schema", "reasoning", "embeddings", "rerank"],
  region: null,
  dataPolicy: "any",
  keyVariables: [],
  priceSource: null,
  limits: null,
  creditPath: null,
  notes:
    "Set baseUrl, and dialect where it is not OpenAI's chat. A deployment at Modal (https://<workspace>--<app>-<function>.modal.run/v1) or Anyscale is billed by time, so its calls have no price per token.",
  docsUrl: "https://modal.com/docs, https://docs.anyscale.com",
});
