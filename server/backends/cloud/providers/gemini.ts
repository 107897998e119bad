/** Google, by the Gemini wire. The key goes into a header and never into the address, where it would end in logs. Data. */
import type { Provider } from "../provider.ts";

export const gemini = Object.freeze<Provider>({
  id: "gemini",
  title: "Google Gemini",
  kind: "cloud",
  baseUrl: "https://generativelanguage.googleapis.com/v1beta",
  dialect: "gemini",
  auth: { header: "x-goog-api-key", scheme: null },
  needsKey: true,
  headers: {},
  traits: {},
  abilities: ["chat", "tools", "images", "json-schema", "reasoning"],
  region: null,
  dataPolicy: "any",
  keyVariables: ["GEMINI_API_KEY", "GOOGLE_API_KEY"],
  priceSource: "gemini",
  limits: null,
  creditPath: null,
  notes: "",
  docsUrl: "https://ai.google.dev/api",
});
