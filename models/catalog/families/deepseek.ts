/** DeepSeek's coders, and the distilled reasoner that is easily taken for one. Data only. */
import type { CatalogEntry, CatalogLicence } from "../entry.ts";

const deepseekLicence: CatalogLicence = {
  id: "deepseek",
  restricted: true,
  note: "It forbids the uses that its attachment lists, and whoever passes the model on must forbid them too.",
};

const coderTable = "DeepSeek-Coder-V2 README, commit 09209c4, table 3.1";
const r1Table = "DeepSeek-R1 README, commit 00f3296, distilled models";
const day = "2026-11-26";

export const deepseek: readonly CatalogEntry[] = [
  {
    id: "deepseek-coder-33b-instruct",
    aliases: ["deepseek-coder-33b", "deepseek-coder:33b", "deepseek-coder-32b"],
    title: "DeepSeek-Coder 33B",
    note:
      "There is no DeepSeek-Coder of 32B: this is DeepSeek-Coder 33B Instruct of 2023, which has no template for tools, so agents do badly with it. " +
      "DeepSeek's only model of 32B is deepseek-r1-distill-qwen-32b, a reasoner.",
    repository: "TheBloke/deepseek-coder-33B-instruct-GGUF",
    revision: "cd6a4d02d3502901ff7f980b6373387ab8b8e91a",
    quantization: "Q4_K_M",
    files: [
      {
        path: "deepseek-coder-33b-instruct.Q4_K_M.gguf",
        bytes: 19_940_659_200,
        sha256: "e76518575f9d367b0a04278cd027c51e53519506b4316b4d368e853a42bfe790",
      },
    ],
    parameters: 33_000_000_000,
    activeParameters: null,
    layers: null,
    headCount: null,
    headCountKv: null,
    headLength: null,
    contextLength: 16_384,
    licence: deepseekLicence,
    purposes: ["coding"],
    abilities: ["fill-in-the-middle"],
    figures: [{ benchmark: "HumanEval", value: 79.3, unit: "percent", source: coderTable, day }],
    sources: ["Hub metadata as catalogs give it, 2026-11-20; its layers were not read anywhere"],
  },
  {
    id: "deepseek-r1-distill-qwen-32b",
    aliases: ["deepseek-r1:32b", "deepseek-r1-32b"],
    title: "DeepSeek-R1-Distill-Qwen-32B",
    note: "It thinks at length before it answers, and was not made for coding or tools.",
    repository: "bartowski/DeepSeek-R1-Distill-Qwen-32B-GGUF",
    revision: "1dc8cf9ffa5dd333057ea1b09ccf4772d8726dec",
    quantization: "Q4_K_M",
    files: [
      {
        path: "DeepSeek-R1-Distill-Qwen-32B-Q4_K_M.gguf",
        bytes: 19_851_335_840,
        sha256: "bed9b0f551f5b95bf9da5888a48f0f87c37ad6b72519c4cbd775f54ac0b9fc62",
      },
    ],
    parameters: null,
    activeParameters: null,
    layers: 64,
    headCount: 40,
    headCountKv: 8,
    headLength: 128,
    contextLength: 131_072,
    licence: { id: "mit", restricted: false, note: null },
    purposes: ["chat"],
    abilities: ["reasoning"],
    figures: [
      { benchmark: "GPQA Diamond", value: 62.1, unit: "percent", source: r1Table, day },
      { benchmark: "LiveCodeBench", value: 57.2, unit: "percent", source: r1Table, day },
      { benchmark: "MATH-500", value: 94.3, unit: "percent", source: r1Table, day },
    ],
    sources: ["Hub metadata as catalogs give it, 2026-11-20; context in llama-cpp-python pull request 1901"],
  },
  {
    id: "deepseek-coder-v2-lite-instruct",
    aliases: ["deepseek-coder-v2-lite", "deepseek-coder-v2:16b"],
    title: "DeepSeek-Coder-V2-Lite",
    note: null,
    repository: "bartowski/DeepSeek-Coder-V2-Lite-Instruct-GGUF",
    revision: "8f248fa2072348f77a8bc37754e470de1f61866e",
    quantization: "Q4_K_M",
    files: [
      {
        path: "DeepSeek-Coder-V2-Lite-Instruct-Q4_K_M.gguf",
        bytes: 10_364_416_768,
        sha256: "603bd3f8a0281d16571da7c08bd661ee17ff0d1be6fcbd1b42242da257ef0bb8",
      },
    ],
    parameters: 16_000_000_000,
    activeParameters: 2_400_000_000,
    layers: 27,
    // Its attention is compressed (MLA): K and V have lengths of their own, so one figure would be wrong.
    headCount: 16,
    headCountKv: null,
    headLength: null,
    contextLength: 163_840,
    licence: deepseekLicence,
    purposes: ["coding"],
    abilities: ["fill-in-the-middle"],
    figures: [
      { benchmark: "HumanEval", value: 81.1, unit: "percent", source: coderTable, day },
      { benchmark: "LiveCodeBench", value: 24.3, unit: "percent", source: coderTable, day },
    ],
    sources: ["Hub metadata as catalogs give it, 2026-11-20; layers, heads and context in llama.cpp issue 7979"],
  },
];
