/**
 * A tiny BERT with random weights: an encoder that makes one vector of a text, or, with a classification head, one score
 * of a pair of texts. For exactness, not for sense. Used by tests and commands; a few hundred kilobytes, made in memory.
 */
import { writeFile } from "node:fs/promises";
import { float32Bytes } from "../gguf/float16.ts";
import { tensorTypeIds } from "../gguf/format.ts";
import { type GgufPlan, ggufBytes } from "../gguf/writer.ts";
import { tokenTypes } from "../vocabulary/chatml.ts";
import { wordPieceSpecials, wordPieces } from "../vocabulary/word-pieces.ts";
import { RandomSource } from "./numbers.ts";
import { poolingIds, type Pooling } from "./pooling.ts";

const blockCount = 2;
const width = 64;
const headCount = 4;
const feedForwardWidth = 128;
/** Tokens: an encoder learns a vector for each place and takes no more. */
export const encoderContextLength = 512;

interface Filling {
  readonly name: string;
  readonly dimensions: readonly number[];
  readonly deviation: number;
  readonly mean: number;
}

function metadataOf(tokens: readonly string[], pooling: Pooling): GgufPlan["metadata"] {
  const specials = Object.values(wordPieceSpecials).length;
  const id = (value: number) => ({ type: "uint32", value }) as const;
  return [
    ["general.architecture", { type: "string", value: "bert" }],
    ["general.type", { type: "string", value: "model" }],
    ["general.name", { type: "string", value: `Random encoder (${pooling})` }],
    ["general.file_type", id(0)],
    ["bert.block_count", id(blockCount)],
    ["bert.context_length", id(encoderContextLength)],
    ["bert.embedding_length", id(width)],
    ["bert.feed_forward_length", id(feedForwardWidth)],
    ["bert.attention.head_count", id(headCount)],
    ["bert.attention.layer_norm_epsilon", { type: "float32", value: 1e-12 }],
    ["bert.attention.causal", { type: "bool", value: false }],
    ["bert.pooling_type", id(poolingIds[pooling])],
    ["tokenizer.ggml.model", { type: "string", value: "bert" }],
    ["tokenizer.ggml.pre", { type: "string", value: "default" }],
    ["tokenizer.ggml.token_type_count", id(2)],
    ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
    [
      "tokenizer.ggml.token_type",
      { type: "int32s", value: tokens.map((_, at) => (at < specials ? tokenTypes.control : tokenTypes.normal)) },
    ],
    ["tokenizer.ggml.bos_token_id", id(wordPieceSpecials.cls)],
    ["tokenizer.ggml.eos_token_id", id(wordPieceSpecials.sep)],
    ["tokenizer.ggml.cls_token_id", id(wordPieceSpecials.cls)],
    ["tokenizer.ggml.seperator_token_id", id(wordPieceSpecials.sep)],
    ["tokenizer.ggml.unknown_token_id", id(wordPieceSpecials.unknown)],
    ["tokenizer.ggml.padding_token_id", id(wordPieceSpecials.padding)],
    ["tokenizer.ggml.mask_token_id", id(wordPieceSpecials.mask)],
  ];
}

function fillingsOf(vocabularySize: number, pooling: Pooling): Filling[] {
  const matrix = (name: string, columns: number, rows: number, sharpness = 1): Filling => ({
    name,
    dimensions: [columns, rows],
    deviation: sharpness / Math.sqrt(columns),
    mean: 0,
  });
  const vector = (name: string, length: number, mean: number): Filling => ({
    name,
    dimensions: [length],
    deviation: 0.1,
    mean,
  });
  const affine = (name: string, columns: number, rows: number, sharpness = 1) => [
    matrix(`${name}.weight`, columns, rows, sharpness),
    vector(`${name}.bias`, rows, 0),
  ];
  const norm = (name: string) => [vector(`${name}.weight`, width, 1), vector(`${name}.bias`, width, 0)];
  const blocks = Array.from({ length: blockCount }, (_, index) => {
    const of = (name: string) => `blk.${index}.${name}`;
    return [
      ...affine(of("attn_q"), width, width, 2),
      ...affine(of("attn_k"), width, width, 2),
      ...affine(of("attn_v"), width, width),
      ...affine(of("attn_output"), width, width),
      ...norm(of("attn_output_norm")),
      ...affine(of("ffn_up"), width, feedForwardWidth),
      ...affine(of("ffn_down"), feedForwardWidth, width),
      ...norm(of("layer_output_norm")),
    ];
  });
  const head = [...affine("cls", width, width), ...affine("cls.output", width, 1, 4)];
  return [
    matrix("token_embd.weight", width, vocabularySize, Math.sqrt(width)),
    matrix("token_types.weight", width, 2),
    matrix("position_embd.weight", width, encoderContextLength, 4),
    ...norm("token_embd_norm"),
    ...blocks.flat(),
    ...(pooling === "rank" ? head : []),
  ];
}

/** Writes the encoder; with `rank` it gets a classification head. The same seed gives the same bytes. */
export async function writeRandomEncoder(path: string, pooling: Pooling, seed = 42): Promise<void> {
  const tokens = wordPieces();
  const fillings = fillingsOf(tokens.length, pooling);
  const source = new RandomSource(seed);
  const data = fillings.map(({ dimensions, deviation, mean }) => {
    const length = dimensions.reduce((product, dimension) => product * dimension, 1);
    return float32Bytes(new Float32Array(length).map(() => mean + deviation * source.normal()));
  });
  const tensors = fillings.map(({ name, dimensions }) => ({ name, dimensions, typeId: tensorTypeIds.F32 }));
  await writeFile(path, ggufBytes({ metadata: metadataOf(tokens, pooling), tensors }, data));
}
