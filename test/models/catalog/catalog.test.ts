/** The catalog's data: of the right shape, without contradictions, and with the figures that the research page has. */
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { catalog, catalogEntry, entryOfRepository } from "../../../models/catalog/catalog.ts";
import { chooseFile } from "../../../models/catalog/choose-file.ts";
import { bytesOfEntry, shapeOfEntry } from "../../../models/catalog/entry-shape.ts";
import { pathProblem, repositoryProblem } from "../../../models/catalog/name-rules.ts";

const name = z.string().regex(/^[a-z0-9][a-z0-9._:-]{1,60}$/);
const count = z.int().positive().nullable();
const day = z.string().regex(/^\d{4}-\d{2}-\d{2}$/);
const shape = z.array(
  z.strictObject({
    id: name,
    aliases: z.array(name),
    title: z.string().min(3),
    note: z.string().regex(/\.$/).nullable(),
    repository: z.string().regex(/^[^/]+\/[^/]+$/),
    revision: z
      .string()
      .regex(/^[0-9a-f]{40}$/)
      .nullable(),
    quantization: z.string().regex(/^[A-Z0-9_]+$/),
    files: z.array(
      z.strictObject({
        path: z.string(),
        bytes: z.int().positive(),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/)
          .nullable(),
      }),
    ),
    parameters: count,
    activeParameters: count,
    layers: count,
    headCount: count,
    headCountKv: count,
    headLength: count,
    contextLength: z.int().positive(),
    licence: z.strictObject({
      id: z.string(),
      restricted: z.boolean(),
      note: z
        .string()
        .regex(/^It .*\.$/)
        .nullable(),
    }),
    purposes: z.array(z.enum(["coding", "chat", "autocomplete", "embeddings", "rerank"])).min(1),
    abilities: z.array(z.enum(["tools", "reasoning", "fill-in-the-middle"])),
    figures: z.array(
      z.strictObject({
        benchmark: z.string().min(3),
        value: z.number().positive(),
        unit: z.enum(["percent", "elo", "score"]),
        source: z.string().min(10),
        day,
      }),
    ),
    sources: z.array(z.string().regex(/\d{4}-\d{2}-\d{2}/)).min(1),
  }),
);

test("is of the shape it says, every entry with its sources and every figure with source and day", () => {
  expect(shape.safeParse(catalog).error).toBeUndefined();
});

test("has the models that were promised", () => {
  expect(catalog.map((entry) => entry.id)).toEqual([
    "qwen2.5-coder-0.5b-instruct",
    "qwen2.5-coder-1.5b-instruct",
    "qwen2.5-coder-3b-instruct",
    "qwen2.5-coder-7b-instruct",
    "qwen2.5-coder-14b-instruct",
    "qwen2.5-coder-32b-instruct",
    "deepseek-coder-33b-instruct",
    "deepseek-r1-distill-qwen-32b",
    "deepseek-coder-v2-lite-instruct",
    "qwen3-coder-30b-a3b-instruct",
    "gpt-oss-20b",
    "devstral-small-2507",
    "llama-3.1-8b-instruct",
    "llama-3.1-70b-instruct",
    "nomic-embed-text-v1.5",
    "qwen3-embedding-0.6b",
    "bge-reranker-v2-m3",
  ]);
});

test("no two models answer to one name, and nothing in it can be changed", () => {
  const names = catalog.flatMap(({ id, aliases }) => [id, ...aliases]);
  expect(new Set(names).size).toBe(names.length);
  const [first] = catalog;
  expect(() => Object.assign(first?.licence ?? {}, { restricted: false })).toThrow(TypeError);
  expect(() => Object.assign(first?.files[0] ?? {}, { sha256: "0" })).toThrow(TypeError);
});

test("its repositories and paths pass the rules for names, and its own choice is what would be chosen", () => {
  for (const entry of catalog) {
    const [owner = "", repository = ""] = entry.repository.split("/");
    expect(repositoryProblem(owner, repository), entry.id).toBeNull();
    for (const { path } of entry.files) expect(pathProblem(path), entry.id).toBeNull();
    const quantization = { kind: "quantization", quantization: entry.quantization } as const;
    expect(chooseFile(entry.files, quantization), entry.id).toMatchObject({ kind: "chosen", files: entry.files });
  }
});

test("a restricted licence says what it forbids", () => {
  const restricted = catalog.filter(({ licence }) => licence.restricted);
  expect(restricted.map(({ id }) => id)).toEqual([
    "qwen2.5-coder-3b-instruct",
    "deepseek-coder-33b-instruct",
    "deepseek-coder-v2-lite-instruct",
    "llama-3.1-8b-instruct",
    "llama-3.1-70b-instruct",
  ]);
  expect(restricted.filter(({ licence }) => licence.note === null)).toEqual([]);
});

describe("names", () => {
  test("deepseek-coder-32b leads to the 33B, and says that it is none", () => {
    const entry = catalogEntry("DeepSeek-Coder-32B");
    expect(entry?.id).toBe("deepseek-coder-33b-instruct");
    expect(entry?.note).toContain("There is no DeepSeek-Coder of 32B");
  });

  test("a repository leads to its entry, whatever file of it is meant", () => {
    expect(entryOfRepository("qwen/qwen2.5-coder-3b-instruct-gguf")?.licence.id).toBe("qwen-research");
    expect(entryOfRepository("somebody/else")).toBeNull();
  });
});

describe("what it says about memory", () => {
  /** KiB of K and V per token in f16, as the research page has them. */
  test.each([
    ["qwen2.5-coder-0.5b-instruct", 12],
    ["qwen2.5-coder-1.5b-instruct", 28],
    ["qwen2.5-coder-3b-instruct", 36],
    ["qwen2.5-coder-7b-instruct", 56],
    ["qwen2.5-coder-14b-instruct", 192],
    ["qwen2.5-coder-32b-instruct", 256],
    ["deepseek-r1-distill-qwen-32b", 256],
    ["qwen3-coder-30b-a3b-instruct", 96],
    ["gpt-oss-20b", 48],
    ["llama-3.1-8b-instruct", 128],
    ["llama-3.1-70b-instruct", 320],
  ])("%s keeps %d KiB per token", (id, kib) => {
    const entry = catalogEntry(id);
    const model = entry === null ? null : shapeOfEntry(entry);
    const numbers = model?.layers.reduce((sum, layer) => sum + layer.keyWidth + layer.valueWidth, 0);
    expect((numbers ?? 0) * 2).toBe(kib * 1024);
  });

  test("Qwen2.5-Coder 32B: the weights to the byte, and 2 GiB of KV for one slot of 8,192", () => {
    const entry = catalogEntry("qwen2.5-coder-32b");
    const model = entry === null ? null : shapeOfEntry(entry);
    expect(model?.weightBytes).toBe(19_851_335_872);
    const inLayers = model?.layers.reduce((sum, layer) => sum + layer.weightBytes, 0) ?? 0;
    expect(inLayers + (model?.inputBytes ?? 0) + (model?.outputBytes ?? 0)).toBe(19_851_335_872);
    expect(model?.layers.reduce((sum, layer) => sum + (layer.keyWidth + layer.valueWidth) * 2 * 8192, 0)).toBe(
      2_147_483_648,
    );
  });

  test("a mixture of experts computes with the part that is active; what is not known gives no shape", () => {
    const shapeOf = (id: string) => {
      const entry = catalogEntry(id);
      return entry === null ? undefined : shapeOfEntry(entry);
    };
    expect(shapeOf("qwen3-coder-30b")?.activeShare).toBeCloseTo(0.108, 3);
    expect(shapeOf("qwen2.5-coder-7b")?.activeShare).toBe(1);
    for (const id of ["devstral", "deepseek-coder-33b", "deepseek-coder-v2-lite", "nomic-embed-text", "bge-reranker"])
      expect(shapeOf(id), id).toBeNull();
    const [first] = catalog;
    expect(first && bytesOfEntry({ ...first, files: [] })).toBeNull();
  });
});
