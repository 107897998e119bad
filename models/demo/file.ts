/**
 * The constructed models as GGUF files: written byte for byte the same on every machine, put into a folder only when they
 * are not there yet. Runs in the server process at start-up and in commands.
 */
import { createHash } from "node:crypto";
import { mkdir, open, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { float16Bytes, float32Bytes } from "../gguf/float16.ts";
import { tensorTypeIds } from "../gguf/format.ts";
import { readGgufHeader } from "../gguf/reader.ts";
import { type GgufPlan, ggufBytes, type WritableTensor } from "../gguf/writer.ts";
import { chatTemplate } from "../vocabulary/chatml.ts";
import { attentionWeights, headCount, headCountKv, headWidth, ropeBase, trainedContextLength } from "./attention.ts";
import { constructDemo, type DemoModel } from "./construct.ts";
import { rowsPerToken, width } from "./directions.ts";
import { type VoiceName, voices } from "./voices.ts";

/** Width of the feed-forward layer, which does nothing. */
const feedForwardWidth = 32;

/**
 * What the files are, so that one that lies in a folder is known without building it again. A test builds both and compares;
 * after a change of the construction it prints the new values.
 */
export const demoHashes: Readonly<Record<VoiceName, string>> = Object.freeze({
  demo: "7c3bc957e79e702db5b462f181537999f21bd606b90f30beb1a8b573c8608ef7",
  second: "4300af7672e81942d8f8aac0e2cd6e0699f2b43cc8c31a1b9da050a19cc700eb",
});

function metadataOf(model: DemoModel): GgufPlan["metadata"] {
  const { lexicon } = model;
  return [
    ["general.architecture", { type: "string", value: "qwen2" }],
    ["general.type", { type: "string", value: "model" }],
    ["general.name", { type: "string", value: model.voice.name }],
    [
      "general.description",
      { type: "string", value: "A constructed demo: it can say a few fixed sentences, nothing else." },
    ],
    ["general.license", { type: "string", value: "apache-2.0" }],
    ["lanthorn.demo", { type: "bool", value: true }],
    ["general.file_type", { type: "uint32", value: 1 }],
    ["general.quantization_version", { type: "uint32", value: 2 }],
    ["qwen2.block_count", { type: "uint32", value: 1 }],
    ["qwen2.context_length", { type: "uint32", value: trainedContextLength }],
    ["qwen2.embedding_length", { type: "uint32", value: width }],
    ["qwen2.feed_forward_length", { type: "uint32", value: feedForwardWidth }],
    ["qwen2.attention.head_count", { type: "uint32", value: headCount }],
    ["qwen2.attention.head_count_kv", { type: "uint32", value: headCountKv }],
    ["qwen2.attention.layer_norm_rms_epsilon", { type: "float32", value: 1e-6 }],
    ["qwen2.rope.freq_base", { type: "float32", value: ropeBase }],
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: "qwen2" }],
    ["tokenizer.ggml.tokens", { type: "strings", value: lexicon.tokens }],
    ["tokenizer.ggml.token_type", { type: "int32s", value: lexicon.tokenTypeOf }],
    ["tokenizer.ggml.merges", { type: "strings", value: lexicon.merges }],
    ["tokenizer.ggml.eos_token_id", { type: "uint32", value: lexicon.messageEndId }],
    ["tokenizer.ggml.bos_token_id", { type: "uint32", value: lexicon.endOfTextId }],
    ["tokenizer.ggml.padding_token_id", { type: "uint32", value: lexicon.endOfTextId }],
    ["tokenizer.ggml.add_bos_token", { type: "bool", value: false }],
    ["tokenizer.chat_template", { type: "string", value: chatTemplate }],
  ];
}

type Precision = keyof typeof tensorTypeIds;

interface FilledTensor {
  readonly tensor: WritableTensor;
  readonly bytes: Uint8Array;
}

function filled(name: string, precision: Precision, dimensions: readonly number[], values: Float32Array): FilledTensor {
  return {
    tensor: { name, dimensions, typeId: tensorTypeIds[precision] },
    bytes: precision === "F16" ? float16Bytes(values) : float32Bytes(values),
  };
}

function tensorsOf(model: DemoModel): FilledTensor[] {
  const attention = attentionWeights();
  // A token's embedding is a sum of this many unit rows; scaled back by its root, the norm leaves it as it is.
  const keepLength = new Float32Array(width).fill(Math.sqrt(rowsPerToken));
  const nothing = (rows: number, columns: number): Float32Array => new Float32Array(rows * columns);
  const kvWidth = headWidth * headCountKv;
  const block = (name: string): string => `blk.0.${name}`;
  return [
    filled("token_embd.weight", "F16", [width, model.lexicon.tokens.length], model.embedding),
    filled(block("attn_norm.weight"), "F32", [width], keepLength),
    filled(block("attn_q.weight"), "F16", [width, width], attention.query),
    filled(block("attn_q.bias"), "F32", [width], nothing(1, width)),
    filled(block("attn_k.weight"), "F16", [width, kvWidth], attention.key),
    filled(block("attn_k.bias"), "F32", [kvWidth], attention.keyBias),
    filled(block("attn_v.weight"), "F16", [width, kvWidth], attention.value),
    filled(block("attn_v.bias"), "F32", [kvWidth], attention.valueBias),
    filled(block("attn_output.weight"), "F16", [width, width], attention.output),
    filled(block("ffn_norm.weight"), "F32", [width], keepLength),
    filled(block("ffn_gate.weight"), "F16", [width, feedForwardWidth], nothing(feedForwardWidth, width)),
    filled(block("ffn_up.weight"), "F16", [width, feedForwardWidth], nothing(feedForwardWidth, width)),
    filled(block("ffn_down.weight"), "F16", [feedForwardWidth, width], nothing(width, feedForwardWidth)),
    filled("output_norm.weight", "F32", [width], keepLength),
    filled("output.weight", "F32", [width, model.lexicon.tokens.length], model.output),
  ];
}

/** The whole file. */
export function demoFileBytes(model: DemoModel): Uint8Array {
  const tensors = tensorsOf(model);
  return ggufBytes(
    { metadata: metadataOf(model), tensors: tensors.map((one) => one.tensor) },
    tensors.map((one) => one.bytes),
  );
}

export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

async function holdsAlready(path: string, hash: string): Promise<boolean> {
  try {
    return sha256(await readFile(path)) === hash;
  } catch {
    return false;
  }
}

/**
 * The demo model in `folder`, as `<alias>.gguf`. Leaves a right file alone, replaces a missing or different one in one
 * step, so that nobody ever opens half of it. Resolves to its path; throws what the file system throws.
 */
export async function ensureDemoModel(folder: string, voice: VoiceName = "demo"): Promise<string> {
  const path = join(folder, `${voices[voice].alias}.gguf`);
  if (await holdsAlready(path, demoHashes[voice])) return path;
  await mkdir(folder, { recursive: true });
  await writeDemoModel(path, voice);
  return path;
}

/** Writes the model to `path`, beside it first. */
export async function writeDemoModel(path: string, voice: VoiceName): Promise<void> {
  const beside = `${path}.${process.pid}.partial`;
  try {
    await writeFile(beside, demoFileBytes(constructDemo(voices[voice])));
    await rename(beside, path);
  } finally {
    await rm(beside, { force: true });
  }
}

/**
 * Exchanges two tokens' rows of the output matrix in a file of this project's making: from then on each is said where the
 * other was. For tests and for showing that replies come from the weights.
 */
export async function swapOutputRows(path: string, firstId: number, secondId: number): Promise<void> {
  const header = await readGgufHeader(path);
  const output = header.tensors.find((tensor) => tensor.name === "output.weight");
  if (output === undefined) throw new Error("the file has no output matrix");
  const rowBytes = Number(output.dimensions[0]) * (output.typeId === tensorTypeIds.F32 ? 4 : 2);
  const alignment = 32;
  const start = Math.ceil(header.headerBytes / alignment) * alignment + Number(output.offset);
  const file = await open(path, "r+");
  try {
    const rows = [firstId, secondId].map((id) => ({ at: start + id * rowBytes, bytes: new Uint8Array(rowBytes) }));
    for (const row of rows) await file.read(row.bytes, 0, rowBytes, row.at);
    for (const [index, row] of rows.entries()) {
      const other = rows[1 - index];
      if (other !== undefined) await file.write(other.bytes, 0, rowBytes, row.at);
    }
  } finally {
    await file.close();
  }
}
