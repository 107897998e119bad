/** Replicate, which cannot be called: its wire is one of predictions that are polled. Data. */
import { bearer, type Provider } from "../provider.ts";

export const replicate = Object.freeze<Provider>({
  id: "replicate",
  title: "Replicate",
  kind: "cloud",
  baseUrl: "https://api.replicate.com/v1",
  dialect: "openai-chat",
  auth: bearer,
  needsKey: true,
  headers: {},
  traits: {},
  abilities: [],
  region: null,
  dataPolicy: "any",
  keyVariables: [],
  priceSource: null,
  limits: null,
  creditPath: null,
  notes: "",
  docsUrl: "https://replicate.com/docs",
  refused:
    "Replicate's wire is one of predictions, billed by the second of hardware. Take the same model at Together, Fireworks, DeepInfra or OpenRouter, or set type: custom with the base URL of an OpenAI-compatible proxy.",
});
