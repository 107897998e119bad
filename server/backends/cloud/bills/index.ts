/** Whose bills can be read, by the provider's id. Adding one is a file and a line here. */
import { anthropicBill } from "./anthropic.ts";
import type { BillSource } from "./bill-source.ts";
import { deepinfraBill } from "./deepinfra.ts";
import { openaiBill } from "./openai.ts";
import { openrouterBill } from "./openrouter.ts";
import { runpodBill } from "./runpod.ts";

export const billSources: Readonly<Record<string, BillSource>> = Object.freeze({
  openai: openaiBill,
  anthropic: anthropicBill,
  openrouter: openrouterBill,
  deepinfra: deepinfraBill,
  runpod: runpodBill,
});

/** Null: it tells nobody what it bills, or not in a documented way. */
export function billSourceOf(providerId: string): BillSource | null {
  return Object.hasOwn(billSources, providerId) ? (billSources[providerId] ?? null) : null;
}
