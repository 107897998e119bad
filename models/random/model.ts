/**
 * Random weights in a true shape, with a tokenizer of the true size and a chat template: for speed, not for sense. Streams
 * to the file, so that a model of 15 GB needs no more memory than a small one. Used by commands, tests and benches.
 */
import { truncate, writeFile } from "node:fs/promises";
import { defaultAlignment, tensorTypeIds, tensorTypes } from "../gguf/format.ts";
import { float32Bytes } from "../gguf/float16.ts";
import { type GgufPlan, headerBytes, tensorDataBytes, type WritableTensor, writeGguf } from "../gguf/writer.ts";
import { type ByteLevelVocabulary, growVocabulary, learnVocabulary } from "../vocabulary/byte-level.ts";
import { chatTemplate, endOfText, infillTokens, messageEnd, specialTokens, tokenTypes } from "../vocabulary/chatml.ts";
import { commonTexts } from "../vocabulary/words.ts";
import { NormalTable, RandomSource, standardNormals } from "./numbers.ts";
import { type Pooling, poolingIds } from "./pooling.ts";
import type { Shape } from "./shapes.ts";

/**
 * What the model is for. `chat` is Qwen2; with a pooling it is the same and makes vectors; `rank` is the shape of Qwen3's
 * reranker, whose head says how likely "yes" is.
 */
export type Purpose = "chat" | Exclude<Pooling, "cls">;

/** The two texts in the reranker's own words; braces as the engine's files write them. */
const rankTemplate =
  "<|im_start|>user\nQuery: {query}\nDocument: {document}<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n";

const controls = [...specialTokens, ...infillTokens];

/** Written at once. Bytes. */
const pieceBytes = 8 << 20;

function vocabularyOf(shape: Shape): ByteLevelVocabulary {
  const vocabulary = learnVocabulary(commonTexts());
  growVocabulary(vocabulary, shape.ordinaryTokens);
  return vocabulary;
}

function architectureOf(purpose: Purpose): string {
  return purpose === "rank" ? "qwen3" : "qwen2";
}

function purposeKeys(shape: Shape, purpose: Purpose): GgufPlan["metadata"] {
  const architecture = architectureOf(purpose);
  const headWidth = shape.width / shape.headCount;
  const pooling =
    purpose === "chat"
      ? []
      : ([[`${architecture}.pooling_type`, { type: "uint32", value: poolingIds[purpose] }]] as const);
  if (purpose !== "rank") return pooling;
  return [
    ...pooling,
    ["qwen3.attention.key_length", { type: "uint32", value: headWidth }],
    ["qwen3.attention.value_length", { type: "uint32", value: headWidth }],
    ["qwen3.classifier.output_labels", { type: "strings", value: ["yes", "no"] }],
    ["tokenizer.chat_template.rerank", { type: "string", value: rankTemplate }],
  ];
}

function metadataOf(shape: Shape, purpose: Purpose): GgufPlan["metadata"] {
  const architecture = architectureOf(purpose);
  const vocabulary = vocabularyOf(shape);
  const unused = shape.vocabularySize - shape.ordinaryTokens - controls.length;
  const idOf = (text: string): number => shape.ordinaryTokens + controls.findIndex((token) => token.text === text);
  const tokens = [
    ...vocabulary.tokens,
    ...controls.map((token) => token.text),
    ...Array.from({ length: unused }, (_, index) => `[unused ${index}]`),
  ];
  const types = [
    ...vocabulary.tokens.map(() => tokenTypes.normal),
    ...controls.map((token) => tokenTypes[token.kind]),
    ...Array.from({ length: unused }, () => tokenTypes.unused),
  ];
  return [
    ["general.architecture", { type: "string", value: architecture }],
    ["general.type", { type: "string", value: "model" }],
    ["general.name", { type: "string", value: `Random weights ${shape.name}` }],
    ["general.file_type", { type: "uint32", value: 1 }],
    ["general.quantization_version", { type: "uint32", value: 2 }],
    [`${architecture}.block_count`, { type: "uint32", value: shape.blockCount }],
    [`${architecture}.context_length`, { type: "uint32", value: 32_768 }],
    [`${architecture}.embedding_length`, { type: "uint32", value: shape.width }],
    [`${architecture}.feed_forward_length`, { type: "uint32", value: shape.feedForwardWidth }],
    [`${architecture}.attention.head_count`, { type: "uint32", value: shape.headCount }],
    [`${architecture}.attention.head_count_kv`, { type: "uint32", value: shape.headCountKv }],
    [`${architecture}.attention.layer_norm_rms_epsilon`, { type: "float32", value: 1e-6 }],
    [`${architecture}.rope.freq_base`, { type: "float32", value: 1_000_000 }],
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: "qwen2" }],
    ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "int32s", value: types }],
    ["tokenizer.ggml.merges", { type: "strings", value: vocabulary.merges }],
    ["tokenizer.ggml.eos_token_id", { type: "uint32", value: idOf(messageEnd) }],
    ["tokenizer.ggml.bos_token_id", { type: "uint32", value: idOf(endOfText) }],
    ["tokenizer.ggml.padding_token_id", { type: "uint32", value: idOf(endOfText) }],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: false }],
    ["tokenizer.chat_template", { type: "string", value: chatTemplate }],
    ...purposeKeys(shape, purpose),
  ];
}

/** What a tensor is filled with: normal numbers of this deviation around this mean. */
interface Filling {
  readonly tensor: WritableTensor;
  readonly deviation: number;
  readonly mean: number;
}

/** Deviations as in trained models of this kind, sharp enough that greedy answers do not fall into one token at once. */
function fillingsOf(shape: Shape, purpose: Purpose): Filling[] {
  const { width, feedForwardWidth, vocabularySize } = shape;
  const ranks = purpose === "rank";
  const headWidth = width / shape.headCount;
  const kvWidth = (width / shape.headCount) * shape.headCountKv;
  const matrix = (name: string, columns: number, rows: number, sharpness: number): Filling => ({
    tensor: { name, dimensions: [columns, rows], typeId: tensorTypeIds.F16 },
    deviation: sharpness / Math.sqrt(columns),
    mean: 0,
  });
  const vector = (name: string, length: number, mean: number, deviation: number): Filling => ({
    tensor: { name, dimensions: [length], typeId: tensorTypeIds.F32 },
    deviation,
    mean,
  });
  const bias = (name: string, length: number): Filling[] => (ranks ? [] : [vector(name, length, 0, 0.1)]);
  const blocks = Array.from({ length: shape.blockCount }, (_, index) => {
    const of = (name: string): string => `blk.${index}.${name}`;
    return [
      vector(of("attn_norm.weight"), width, 1, 0),
      matrix(of("attn_q.weight"), width, width, 2),
      ...bias(of("attn_q.bias"), width),
      matrix(of("attn_k.weight"), width, kvWidth, 2),
      ...bias(of("attn_k.bias"), kvWidth),
      matrix(of("attn_v.weight"), width, kvWidth, 2),
      ...bias(of("attn_v.bias"), kvWidth),
      ...(ranks
        ? [vector(of("attn_q_norm.weight"), headWidth, 1, 0), vector(of("attn_k_norm.weight"), headWidth, 1, 0)]
        : []),
      matrix(of("attn_output.weight"), width, width, 2),
      vector(of("ffn_norm.weight"), width, 1, 0),
      matrix(of("ffn_gate.weight"), width, feedForwardWidth, 1),
      matrix(of("ffn_up.weight"), width, feedForwardWidth, 1),
      matrix(of("ffn_down.weight"), feedForwardWidth, width, 2),
    ];
  });
  return [
    matrix("token_embd.weight", width, vocabularySize, Math.sqrt(width)),
    ...blocks.flat(),
    vector("output_norm.weight", width, 1, 0),
    matrix("output.weight", width, vocabularySize, 4),
    ...(ranks ? [matrix("cls.output.weight", width, 2, 1)] : []),
  ];
}

/** How many weights the shape has. */
export function parameterCount(shape: Shape): number {
  return fillingsOf(shape, "chat").reduce(
    (sum, { tensor }) => sum + tensor.dimensions.reduce((product, dimension) => product * dimension, 1),
    0,
  );
}

function* matrixPieces(table: NormalTable, tensor: WritableTensor): Generator<Uint8Array> {
  const rowBytes = 2 * (tensor.dimensions[0] ?? 0);
  const total = tensorDataBytes(tensor);
  const piece = new Uint8Array(Math.min(total, Math.max(1, Math.floor(pieceBytes / rowBytes)) * rowBytes));
  for (let left = total; left > 0; left -= piece.length) {
    const part = piece.subarray(0, Math.min(left, piece.length));
    table.fill(part, rowBytes);
    yield part;
  }
}

/** Writes the model in half precision. The same seed gives the same bytes. */
export async function writeRandomModel(
  path: string,
  shape: Shape,
  seed = 42,
  purpose: Purpose = "chat",
): Promise<void> {
  const fillings = fillingsOf(shape, purpose);
  const normals = standardNormals(seed);
  const source = new RandomSource(seed + 1);
  const longestRow = Math.max(shape.width, shape.feedForwardWidth);
  const tables = new Map<number, NormalTable>();
  const tableOf = (deviation: number): NormalTable => {
    const table = tables.get(deviation) ?? new NormalTable(normals, deviation, source.next(), longestRow);
    tables.set(deviation, table);
    return table;
  };
  const fillingOf = new Map(fillings.map((filling) => [filling.tensor.name, filling]));
  const plan = { metadata: metadataOf(shape, purpose), tensors: fillings.map((filling) => filling.tensor) };
  await writeGguf(path, plan, (tensor) => {
    const { deviation, mean } = fillingOf.get(tensor.name) ?? { deviation: 0, mean: 0 };
    if (tensor.typeId === tensorTypeIds.F16) return matrixPieces(tableOf(deviation), tensor);
    const values = new Float32Array(tensor.dimensions[0] ?? 0).map(() => mean + deviation * source.normal());
    return [float32Bytes(values)];
  });
}

export interface HollowOptions {
  /** Of the matrices; F16 when absent. Where a row does not divide into its blocks, F16 stays. */
  readonly typeId?: number;
  /** Without an output matrix: the input table is used again. */
  readonly tied?: boolean;
}

/**
 * Writes the same file with nothing in it: the header, and a hole where the weights would be. It takes no room on disk and is
 * what the engine allocates memory for; its answers are noise. Gives the size it claims, in bytes.
 */
export async function writeHollowModel(path: string, shape: Shape, options: HollowOptions = {}): Promise<number> {
  const { typeId = tensorTypeIds.F16, tied = false } = options;
  const blockNumbers = tensorTypes.get(typeId)?.elements ?? 1;
  const tensors = fillingsOf(shape, "chat")
    .map(({ tensor }): WritableTensor => {
      const isMatrix = tensor.typeId === tensorTypeIds.F16;
      return isMatrix && (tensor.dimensions[0] ?? 0) % blockNumbers === 0 ? { ...tensor, typeId } : tensor;
    })
    .filter((tensor) => !tied || tensor.name !== "output.weight");
  const header = headerBytes({ metadata: metadataOf(shape, "chat"), tensors });
  const padded = (bytes: number): number => Math.ceil(bytes / defaultAlignment) * defaultAlignment;
  const size = header.length + tensors.reduce((sum, tensor) => sum + padded(tensorDataBytes(tensor)), 0);
  await writeFile(path, header);
  await truncate(path, size);
  return size;
}
