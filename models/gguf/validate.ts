/**
 * Decides whether a GGUF may be handed to native code, from its header alone, and says why not in one plain sentence.
 *
 * An honest first validator: every length, count, offset and extent is checked against the file before the engine follows
 * it (a tensor that reaches past the end of its file made other servers read their own heap). It does not look at weights.
 * Runs in the server process.
 */
import { basename } from "node:path";
import { Failure } from "../../server/domain/failure.ts";
import type { ModelShape } from "../../server/domain/fit/shape.ts";
import type { PooledAbility } from "../../server/domain/model.ts";
import { defaultAlignment, type GgufHeader, type HeaderValue, type TensorEntry, tensorTypes } from "./format.ts";
import { withModelFile } from "./open.ts";
import { readOpenGgufHeader, shown } from "./reader.ts";
import { shapeOf } from "./shape.ts";

/** What the rest of the product wants to know about a model file. */
export interface GgufSummary {
  readonly architecture: string;
  readonly name: string | null;
  /** Tokens the model was trained for. */
  readonly trainedContextLength: number;
  readonly blockCount: number;
  /** The greatest of the layers where they differ. */
  readonly headCount: number;
  readonly headCountKv: number;
  readonly embeddingLength: number;
  /** Numbers of one vector that comes out, where that differs from those inside. */
  readonly outputLength: number;
  /** How one vector is made of those of an input's tokens; null: the file does not say. */
  readonly pooling: PooledAbility["pooling"] | null;
  /** It has a head that gives a score. */
  readonly classifier: boolean;
  /** Tokens look back only, as in every model that chats. */
  readonly causal: boolean;
  readonly vocabularySize: number;
  /** Which kind of vocabulary: `gpt2` (byte-level BPE), `llama` (SentencePiece), `bert` … */
  readonly tokenizer: string;
  /** Jinja source; null when the file has none. */
  readonly chatTemplate: string | null;
  /** One of the models this project writes itself. */
  readonly demo: boolean;
  /** The quantization as the file numbers it (`general.file_type`). */
  readonly fileType: number | null;
  /** 1, or how many files the model is split into. */
  readonly splitCount: number;
  /** What it needs of memory, by the tensors of this file: of one part where the model is split. */
  readonly shape: ModelShape;
}

/** The further parts of a split model carry tensors but not the model's description. */
export type GgufPart = "model" | "continuation";

export type GgufVerdict =
  | {
      readonly accepted: true;
      /** Null for a continuation. */
      readonly summary: GgufSummary | null;
      readonly header: GgufHeader;
      readonly sizeBytes: number;
      /** Epoch milliseconds. */
      readonly modifiedAtMs: number;
    }
  | { readonly accepted: false; readonly reason: string };

function wrong(reason: string): Failure {
  return new Failure("invalid_request", reason);
}

type Metadata = GgufHeader["metadata"];

function textOf(metadata: Metadata, key: string): string | null {
  const value = metadata.get(key);
  if (value === undefined) return null;
  if (value.type !== "string") throw wrong(`the key ${shown(key)} should be text but is ${value.type}`);
  if (value.value === null) throw wrong(`the key ${shown(key)} holds ${value.bytes} bytes of text, too many`);
  return value.value;
}

function requiredText(metadata: Metadata, key: string): string {
  const text = textOf(metadata, key);
  if (text === null) throw wrong(`the key ${shown(key)} is missing`);
  if (text === "") throw wrong(`the key ${shown(key)} is empty`);
  return text;
}

function asWholeNumber(value: unknown): number | null {
  const number = typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) ? number : null;
}

/** The number of a key, or the greatest of its list (some architectures give one number per layer). */
function wholeNumberOf(key: string, value: HeaderValue): number {
  const held = value.type === "array" ? (value.values ?? []) : value.type === "string" ? [] : [value.value];
  const numbers = held.map(asWholeNumber);
  if (numbers.length === 0 || numbers.includes(null)) throw wrong(`the key ${shown(key)} should be a whole number`);
  return Math.max(...numbers.map((number) => number ?? 0));
}

function countOf(metadata: Metadata, key: string, most: number): number | null {
  const value = metadata.get(key);
  if (value === undefined) return null;
  const number = wholeNumberOf(key, value);
  if (number < 1 || number > most) throw wrong(`the key ${shown(key)} is ${number}; 1 to ${most} are possible`);
  return number;
}

function requiredCount(metadata: Metadata, key: string, most: number): number {
  const number = countOf(metadata, key, most);
  if (number === null) throw wrong(`the key ${shown(key)} is missing`);
  return number;
}

/** Bytes, a power of two. */
function alignmentOf(metadata: Metadata): bigint {
  const value = metadata.get("general.alignment");
  if (value === undefined) return BigInt(defaultAlignment);
  const alignment = value.type === "uint32" ? asWholeNumber(value.value) : null;
  // Past 2^30 the signed arithmetic below would not hold, and no disk asks for it.
  if (alignment === null || alignment < 1 || alignment > 1 << 30 || (alignment & (alignment - 1)) !== 0) {
    throw wrong("the alignment is not a power of two");
  }
  return BigInt(alignment);
}

/** Bytes the tensor takes in the file. */
function tensorBytes(tensor: TensorEntry): bigint {
  const type = tensorTypes.get(tensor.typeId);
  const name = shown(tensor.name);
  if (type === undefined)
    throw wrong(`the tensor ${name} has the type ${tensor.typeId}, which the engine does not know`);
  const perBlock = BigInt(type.elements);
  let elements = 1n;
  for (const dimension of tensor.dimensions) {
    if (dimension < 1n) throw wrong(`the tensor ${name} has a dimension of 0`);
    elements *= dimension;
    if (elements > 1n << 62n) throw wrong(`the tensor ${name} claims more elements than can be counted`);
  }
  const rowLength = tensor.dimensions[0] ?? 0n;
  if (rowLength % perBlock !== 0n) {
    throw wrong(
      `the tensor ${name} has rows of ${rowLength} elements, not a multiple of the ${perBlock} of ${type.name}`,
    );
  }
  return (elements / perBlock) * BigInt(type.bytes);
}

function checkTensors(header: GgufHeader): void {
  if (header.tensors.length === 0) throw wrong("it holds no tensors");
  const alignment = alignmentOf(header.metadata);
  const dataStart = ((BigInt(header.headerBytes) + alignment - 1n) / alignment) * alignment;
  const dataBytes = BigInt(header.fileBytes) - dataStart;
  const extents = header.tensors.map((tensor) => {
    const size = tensorBytes(tensor);
    if (tensor.offset % alignment !== 0n) {
      throw wrong(
        `the tensor ${shown(tensor.name)} begins at ${tensor.offset}, not a multiple of the alignment ${alignment}`,
      );
    }
    if (tensor.offset + size > dataBytes) {
      throw wrong(
        `the tensor ${shown(tensor.name)} reaches ${tensor.offset + size - dataBytes} bytes past the end of the file: ` +
          "it is truncated or forged",
      );
    }
    return { name: tensor.name, start: tensor.offset, end: tensor.offset + size };
  });
  extents.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  for (const [index, extent] of extents.entries()) {
    const before = extents[index - 1];
    if (before !== undefined && extent.start < before.end) {
      throw wrong(`the tensors ${shown(before.name)} and ${shown(extent.name)} overlap`);
    }
  }
}

/** Lists beside the vocabulary. The engine reads them as numbers of this width without looking. */
const numbersPerToken: Readonly<Record<string, readonly string[]>> = Object.freeze({
  "tokenizer.ggml.token_type": ["int32", "uint32"],
  "tokenizer.ggml.scores": ["float32"],
});

/** How many tokens the vocabulary has; every list beside it must be as long, and every special token inside it. */
function vocabularySizeOf(metadata: Metadata): number {
  requiredText(metadata, "tokenizer.ggml.model");
  const key = "tokenizer.ggml.tokens";
  const tokens = metadata.get(key);
  if (tokens === undefined) throw wrong(`the key ${shown(key)} is missing`);
  if (tokens.type !== "array" || tokens.elementType !== "string")
    throw wrong(`the key ${shown(key)} should be a list of text`);
  if (tokens.length === 0) throw wrong("its vocabulary is empty");
  if (tokens.firstRepeat != null) throw wrong(`its token number ${tokens.firstRepeat} is the same as one before it`);
  for (const [beside, kinds] of Object.entries(numbersPerToken)) {
    const list = metadata.get(beside);
    if (list === undefined) continue;
    if (list.type !== "array" || !kinds.includes(list.elementType)) {
      throw wrong(`the key ${shown(beside)} should be a list of ${kinds[0]}`);
    }
    if (list.length !== tokens.length) {
      throw wrong(`the key ${shown(beside)} has ${list.length} entries for ${tokens.length} tokens`);
    }
  }
  const merges = metadata.get("tokenizer.ggml.merges");
  if (merges !== undefined && (merges.type !== "array" || merges.elementType !== "string")) {
    throw wrong(`the key "tokenizer.ggml.merges" should be a list of text`);
  }
  for (const special of ["bos", "eos", "eot", "unknown", "padding"]) {
    const value = metadata.get(`tokenizer.ggml.${special}_token_id`);
    if (value === undefined) continue;
    const id = wholeNumberOf(`tokenizer.ggml.${special}_token_id`, value);
    if (id >= tokens.length) throw wrong(`its ${special} token is number ${id} of ${tokens.length} tokens`);
  }
  return tokens.length;
}

function checkEmbedding(header: GgufHeader, embeddingLength: number, vocabularySize: number): void {
  const name = "token_embd.weight";
  const embedding = header.tensors.find((tensor) => tensor.name === name);
  if (embedding === undefined) throw wrong(`the tensor ${shown(name)} is missing`);
  const [width, height] = embedding.dimensions;
  if (width !== BigInt(embeddingLength) || height !== BigInt(vocabularySize)) {
    throw wrong(
      `the tensor ${shown(name)} is ${embedding.dimensions.join(" by ")}, ` +
        `but the keys say ${embeddingLength} by ${vocabularySize}`,
    );
  }
}

const kindsThatAreNoModel: Readonly<Record<string, string>> = Object.freeze({
  adapter: "it is an adapter (LoRA), not a model",
  mmproj: "it is a vision or audio projector, not a model",
  imatrix: "it holds quantization statistics, not a model",
});

function refuseOtherKinds(metadata: Metadata, architecture: string): void {
  const kind = architecture === "clip" ? "mmproj" : textOf(metadata, "general.type");
  const reason = kind === null ? undefined : kindsThatAreNoModel[kind];
  if (reason !== undefined) throw wrong(reason);
}

function summarise(header: GgufHeader): GgufSummary {
  const { metadata } = header;
  const architecture = requiredText(metadata, "general.architecture");
  refuseOtherKinds(metadata, architecture);
  const key = (name: string): string => `${architecture}.${name}`;
  // The engine's own array of layers has 512 places.
  const blockCount = requiredCount(metadata, key("block_count"), 512);
  const trainedContextLength = requiredCount(metadata, key("context_length"), 2 ** 31 - 1);
  const embeddingLength = requiredCount(metadata, key("embedding_length"), 1 << 20);
  const headCount = requiredCount(metadata, key("attention.head_count"), embeddingLength);
  const headCountKv = countOf(metadata, key("attention.head_count_kv"), headCount) ?? headCount;
  const vocabularySize = vocabularySizeOf(metadata);
  checkEmbedding(header, embeddingLength, vocabularySize);
  const fileType = metadata.get("general.file_type");
  const demo = metadata.get("lanthorn.demo");
  const causal = metadata.get(key("attention.causal"));
  return {
    architecture,
    name: textOf(metadata, "general.name"),
    trainedContextLength,
    blockCount,
    headCount,
    headCountKv,
    embeddingLength,
    outputLength: countOf(metadata, key("embedding_length_out"), 1 << 20) ?? embeddingLength,
    pooling: poolingOf(metadata, key("pooling_type")),
    classifier: header.tensors.some(({ name }) => name === "cls.weight" || name === "cls.output.weight"),
    causal: causal?.type !== "bool" || causal.value === true,
    vocabularySize,
    tokenizer: textOf(metadata, "tokenizer.ggml.model") ?? "none",
    chatTemplate: textOf(metadata, "tokenizer.chat_template"),
    demo: demo?.type === "bool" && demo.value === true,
    fileType: fileType === undefined ? null : wholeNumberOf("general.file_type", fileType),
    splitCount: countOf(metadata, "split.count", 99_999) ?? 1,
    shape: shapeOf(header),
  };
}

/** In the order of their numbers in the file. */
const poolings: readonly PooledAbility["pooling"][] = ["none", "mean", "cls", "last", "rank"];

function poolingOf(metadata: Metadata, key: string): PooledAbility["pooling"] | null {
  const value = metadata.get(key);
  if (value === undefined) return null;
  const number = wholeNumberOf(key, value);
  // llama.cpp's own way to say nothing.
  if (number === -1) return null;
  const pooling = poolings[number];
  if (pooling === undefined) throw wrong(`the key ${shown(key)} is ${number}, a pooling the engine does not know`);
  return pooling;
}

async function examine(path: string, part: GgufPart): Promise<GgufVerdict> {
  return withModelFile(path, async (file) => {
    if (file.sizeBytes === 0) throw wrong("it is empty");
    const header = await readOpenGgufHeader(file);
    const summary = judgeHeader(header, part);
    return { accepted: true, summary, header, sizeBytes: file.sizeBytes, modifiedAtMs: file.modifiedAtMs };
  });
}

/** The same judgement on a header that somebody else read, as one of a file that is not here. Throws Failure `invalid_request`. */
export function judgeHeader(header: GgufHeader, part: GgufPart): GgufSummary | null {
  checkTensors(header);
  return part === "model" ? summarise(header) : null;
}

/** The verdict on one file. Never throws for what is in the file or for its absence. */
export async function examineGguf(path: string, part: GgufPart = "model"): Promise<GgufVerdict> {
  try {
    return await examine(path, part);
  } catch (thrown) {
    if (thrown instanceof Failure) return { accepted: false, reason: thrown.message };
    throw thrown;
  }
}

/**
 * The summary of a model that may be loaded. Throws Failure `invalid_request` whose message names the file, never its
 * folder, and what is wrong with it.
 */
export async function validateGguf(path: string): Promise<GgufSummary> {
  const verdict = await examineGguf(path);
  if (verdict.accepted && verdict.summary !== null) return verdict.summary;
  const reason = verdict.accepted ? "it is only a part of a model" : verdict.reason;
  throw new Failure("invalid_request", `${basename(path)} cannot be served: ${reason}.`);
}
