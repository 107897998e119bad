/** Llama 3.1 Instruct, 8B and 70B. Data only. */
import type { CatalogEntry, CatalogLicence } from "../entry.ts";

const llamaLicence: CatalogLicence = {
  id: "llama3.1",
  restricted: true,
  note: "It is Meta's own: an acceptable use policy forbids some uses.",
};

const card = "Llama 3.1 model card, commit 1b28708, instruction tuned models";
const day = "2026-11-26";
const sources = ["Hub metadata as two catalogs give it, 2026-11-20"];

export const llama: readonly CatalogEntry[] = [
  {
    id: "llama-3.1-8b-instruct",
    aliases: ["llama-3.1-8b", "llama3.1:8b"],
    title: "Llama 3.1 8B",
    note: null,
    repository: "bartowski/Meta-Llama-3.1-8B-Instruct-GGUF",
    revision: "bf5b95e96dac0462e2a09145ec66cae9a3f12067",
    quantization: "Q4_K_M",
    files: [
      {
        path: "Meta-Llama-3.1-8B-Instruct-Q4_K_M.gguf",
        bytes: 4_920_739_232,
        sha256: "7b064f5842bf9532c91456deda288a1b672397a54fa729aa665952863033557c",
      },
    ],
    parameters: 8_000_000_000,
    activeParameters: null,
    layers: 32,
    headCount: 32,
    headCountKv: 8,
    headLength: 128,
    contextLength: 131_072,
    licence: llamaLicence,
    purposes: ["chat"],
    abilities: ["tools"],
    figures: [
      { benchmark: "MMLU", value: 69.4, unit: "percent", source: card, day },
      { benchmark: "HumanEval", value: 72.6, unit: "percent", source: card, day },
    ],
    sources,
  },
  {
    id: "llama-3.1-70b-instruct",
    aliases: ["llama-3.1-70b", "llama3.1:70b"],
    title: "Llama 3.1 70B",
    note: null,
    repository: "bartowski/Meta-Llama-3.1-70B-Instruct-GGUF",
    revision: "83fb6e83d0a8aada42d499259bc929d922e9a558",
    quantization: "Q4_K_M",
    files: [
      {
        path: "Meta-Llama-3.1-70B-Instruct-Q4_K_M.gguf",
        bytes: 42_520_398_400,
        sha256: "f775c87029be95fb41df9e2882e6e938b73121c30ffc235ac6b6b880add49aa5",
      },
    ],
    parameters: 70_000_000_000,
    activeParameters: null,
    layers: 80,
    headCount: 64,
    headCountKv: 8,
    headLength: 128,
    contextLength: 131_072,
    licence: llamaLicence,
    purposes: ["chat"],
    abilities: ["tools"],
    figures: [
      { benchmark: "MMLU", value: 83.6, unit: "percent", source: card, day },
      { benchmark: "HumanEval", value: 80.5, unit: "percent", source: card, day },
    ],
    sources,
  },
];
