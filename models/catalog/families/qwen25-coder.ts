/**
 * Qwen2.5-Coder Instruct, 0.5B to 32B, as Q4_K_M from the maker's own repositories. Data only. The 7B, 14B and 32B are there
 * whole and in parts; the whole file is meant. Its 128 K need YaRN, which the files do not ask for: 32,768 is what they say.
 */
import type { CatalogEntry, CatalogFile, CatalogLicence } from "../entry.ts";

const apache: CatalogLicence = { id: "apache-2.0", restricted: false, note: null };

interface Size {
  /** `7b`. */
  readonly size: string;
  readonly revision: string | null;
  readonly file: Omit<CatalogFile, "path">;
  readonly parameters: number | null;
  readonly layers: number;
  readonly headCount: number;
  readonly headCountKv: number;
  readonly headLength: number;
  readonly humanEval: number;
  readonly source: string;
}

function coder(one: Size, differences: Partial<CatalogEntry> = {}): CatalogEntry {
  const { size } = one;
  const name = `${size.toUpperCase()}-Instruct`;
  return {
    id: `qwen2.5-coder-${size}-instruct`,
    aliases: [`qwen2.5-coder-${size}`, `qwen2.5-coder:${size}`],
    title: `Qwen2.5-Coder ${size.toUpperCase()}`,
    note: null,
    repository: `Qwen/Qwen2.5-Coder-${name}-GGUF`,
    revision: one.revision,
    quantization: "Q4_K_M",
    files: [{ path: `qwen2.5-coder-${size}-instruct-q4_k_m.gguf`, ...one.file }],
    parameters: one.parameters,
    activeParameters: null,
    layers: one.layers,
    headCount: one.headCount,
    headCountKv: one.headCountKv,
    headLength: one.headLength,
    contextLength: 32_768,
    licence: apache,
    purposes: ["coding"],
    abilities: ["tools", "fill-in-the-middle"],
    figures: [
      {
        benchmark: "HumanEval",
        value: one.humanEval,
        unit: "percent",
        source: "Qwen2.5-Coder Technical Report, arXiv 2409.12186v3",
        day: "2026-11-26",
      },
    ],
    sources: [one.source],
    ...differences,
  };
}

const twoCatalogs = "Hub metadata as two catalogs give it, 2026-11-20";

export const qwen25Coder: readonly CatalogEntry[] = [
  coder(
    {
      size: "0.5b",
      revision: null,
      // One source only, and no hash.
      file: { bytes: 491_400_064, sha256: null },
      parameters: 490_000_000,
      layers: 24,
      headCount: 14,
      headCountKv: 2,
      headLength: 64,
      humanEval: 61.6,
      source: "bytes in one catalog, 2026-11-20; architecture in ollama issue 9031 and the model card",
    },
    { purposes: ["coding", "autocomplete"] },
  ),
  coder(
    {
      size: "1.5b",
      revision: "f86cb2c1fa58255f8052cc32aeede1b7482d4361",
      file: { bytes: 1_117_320_768, sha256: "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046" },
      parameters: 1_540_000_000,
      layers: 28,
      headCount: 12,
      headCountKv: 2,
      headLength: 128,
      humanEval: 70.7,
      source: `${twoCatalogs}; architecture in the model card, 2026-11-26`,
    },
    { purposes: ["coding", "autocomplete"] },
  ),
  coder(
    {
      size: "3b",
      revision: "f74adce6aa16316c625447af059dbebe4983757c",
      file: { bytes: 2_104_932_800, sha256: "724fb256bec1ff062b2f65e4569e871ad2e95ab2a3989723d1769c54294730b7" },
      parameters: 3_090_000_000,
      layers: 36,
      headCount: 16,
      headCountKv: 2,
      headLength: 128,
      humanEval: 84.1,
      source: `${twoCatalogs}; architecture in the model card, 2026-11-26; licence in the GGUF, llama.cpp pull request 11422`,
    },
    {
      purposes: ["coding", "autocomplete"],
      licence: { id: "qwen-research", restricted: true, note: "It forbids commercial use." },
    },
  ),
  coder(
    {
      size: "7b",
      revision: "13fb94bfda8c8cf22497dc57b78f391a9acb426a",
      file: { bytes: 4_683_073_536, sha256: "509287f78cb4d4cf6b3843734733b914b2c158e43e22a7f4bf5e963800894d3c" },
      parameters: null,
      layers: 28,
      headCount: 28,
      headCountKv: 4,
      headLength: 128,
      humanEval: 88.4,
      source: `${twoCatalogs}; architecture in llama.cpp pull request 10698`,
    },
    { purposes: ["coding", "autocomplete"] },
  ),
  coder({
    size: "14b",
    revision: "d0a692ef765eefbf2fabb130b3cb2e8917e3d225",
    file: { bytes: 8_988_110_272, sha256: "c1e659736d89ac1065fb495330fb824d94001974a4bfa78e7270e43476a8d940" },
    parameters: null,
    layers: 48,
    headCount: 40,
    headCountKv: 8,
    headLength: 128,
    humanEval: 89.6,
    source: `${twoCatalogs}; architecture in the model card`,
  }),
  coder({
    size: "32b",
    revision: "9d3053fce650fe1cdbdb75998c2a87add9d178ef",
    file: { bytes: 19_851_335_872, sha256: "4d64b316b5e6319d9613e0d97935d9ebd631fc7e334da400d00085eca749d085" },
    parameters: null,
    layers: 64,
    headCount: 40,
    headCountKv: 8,
    headLength: 128,
    humanEval: 92.7,
    source:
      "Hub metadata and a HEAD that agree, 2026-11-20; architecture in ollama issue 9595 and llama.cpp issue 11200",
  }),
];
