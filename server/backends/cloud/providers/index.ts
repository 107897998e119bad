/** Everybody who can be called, by id. Adding one is a file and a line here, or in `../../peer/index.ts`. */
import { peers } from "../../peer/index.ts";
import type { Provider } from "../provider.ts";
import { anthropic } from "./anthropic.ts";
import { custom } from "./custom.ts";
import { deepinfra } from "./deepinfra.ts";
import { deepseek } from "./deepseek.ts";
import { fireworks } from "./fireworks.ts";
import { gemini } from "./gemini.ts";
import { groq } from "./groq.ts";
import { huggingface } from "./huggingface.ts";
import { openai } from "./openai.ts";
import { openrouter } from "./openrouter.ts";
import { perplexity } from "./perplexity.ts";
import { replicate } from "./replicate.ts";
import { together } from "./together.ts";

export const providers = Object.freeze({
  openai,
  anthropic,
  gemini,
  openrouter,
  groq,
  together,
  fireworks,
  deepseek,
  huggingface,
  perplexity,
  deepinfra,
  custom,
  replicate,
  ...peers,
}) satisfies Readonly<Record<string, Provider>>;

export type ProviderId = keyof typeof providers;

export function findProvider(id: string): Provider | null {
  return Object.hasOwn(providers, id) ? providers[id as ProviderId] : null;
}
