/**
 * Headers of well-known models, made from their published dimensions and the quantizer's own rule for Q4_K_M, so that a test
 * counts with the tensors that such a file has, without the file.
 */
import type { GgufHeader, HeaderValue, TensorEntry } from "../../models/gguf/format.ts";
import { shapeOf } from "../../models/gguf/shape.ts";
import type { Machine, MachineGpu } from "../../server/domain/fit/machine.ts";
import type { ModelShape } from "../../server/domain/fit/shape.ts";

export const typeIds = { F32: 0, F16: 1, Q4_K: 12, Q6_K: 14, Q8_0: 8, MXFP4: 39 } as const;

export type KeyValue = number | string | readonly number[];

export function header(
  architecture: string,
  keys: Readonly<Record<string, KeyValue>>,
  tensors: readonly TensorEntry[],
): GgufHeader {
  const metadata = new Map<string, HeaderValue>([
    ["general.architecture", { type: "string", value: architecture, bytes: architecture.length }],
  ]);
  for (const [key, value] of Object.entries(keys)) {
    metadata.set(`${architecture}.${key}`, headerValue(value));
  }
  return { version: 3, metadata, tensors, headerBytes: 0, fileBytes: 0 };
}

function headerValue(value: KeyValue): HeaderValue {
  if (typeof value === "string") return { type: "string", value, bytes: value.length };
  if (typeof value === "number") return { type: "uint32", value };
  return { type: "array", elementType: "uint32", length: value.length, values: value };
}

export function tensor(name: string, dimensions: readonly number[], typeId: number): TensorEntry {
  return { name, dimensions: dimensions.map(BigInt), typeId, offset: 0n };
}

export interface DenseModel {
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly headsKv: number;
  readonly feedForward: number;
  readonly vocabulary: number;
  readonly context: number;
  /** Vectors added to Q, K and V. */
  readonly biases?: boolean;
  readonly tied?: boolean;
}

/** The quantizer gives these layers more bits. */
function getsMoreBits(layer: number, layers: number): boolean {
  return layer < layers / 8 || layer >= (7 * layers) / 8 || (layer - Math.floor(layers / 8)) % 3 === 2;
}

/** As `llama-quantize` writes Q4_K_M. */
export function denseHeader(model: DenseModel): GgufHeader {
  const { layers, width, heads, headsKv, feedForward, vocabulary } = model;
  const kvWidth = (width / heads) * headsKv;
  const blocks = Array.from({ length: layers }, (_, layer) => {
    const of = (name: string): string => `blk.${layer}.${name}.weight`;
    const finer = getsMoreBits(layer, layers) ? typeIds.Q6_K : typeIds.Q4_K;
    return [
      tensor(of("attn_norm"), [width], typeIds.F32),
      tensor(of("attn_q"), [width, width], typeIds.Q4_K),
      tensor(of("attn_k"), [width, kvWidth], typeIds.Q4_K),
      tensor(of("attn_v"), [width, kvWidth], finer),
      tensor(of("attn_output"), [width, width], typeIds.Q4_K),
      tensor(of("ffn_norm"), [width], typeIds.F32),
      tensor(of("ffn_gate"), [width, feedForward], typeIds.Q4_K),
      tensor(of("ffn_up"), [width, feedForward], typeIds.Q4_K),
      tensor(of("ffn_down"), [feedForward, width], finer),
      ...(model.biases === true
        ? [
            tensor(`blk.${layer}.attn_q.bias`, [width], typeIds.F32),
            tensor(`blk.${layer}.attn_k.bias`, [kvWidth], typeIds.F32),
            tensor(`blk.${layer}.attn_v.bias`, [kvWidth], typeIds.F32),
          ]
        : []),
    ];
  });
  return header(
    model.architecture,
    {
      block_count: layers,
      context_length: model.context,
      embedding_length: width,
      feed_forward_length: feedForward,
      "attention.head_count": heads,
      "attention.head_count_kv": headsKv,
    },
    [
      tensor("token_embd.weight", [width, vocabulary], model.tied === true ? typeIds.Q6_K : typeIds.Q4_K),
      ...blocks.flat(),
      tensor("output_norm.weight", [width], typeIds.F32),
      ...(model.tied === true ? [] : [tensor("output.weight", [width, vocabulary], typeIds.Q6_K)]),
    ],
  );
}

const qwen = { architecture: "qwen2", vocabulary: 152_064, context: 32_768, biases: true } as const;

export const denseModels = {
  "Qwen2.5-Coder 7B": { ...qwen, layers: 28, width: 3584, heads: 28, headsKv: 4, feedForward: 18_944 },
  "Qwen2.5-Coder 14B": { ...qwen, layers: 48, width: 5120, heads: 40, headsKv: 8, feedForward: 13_824 },
  "Qwen2.5-Coder 32B": { ...qwen, layers: 64, width: 5120, heads: 40, headsKv: 8, feedForward: 27_648 },
  "DeepSeek-Coder 33B": {
    architecture: "llama",
    layers: 62,
    width: 7168,
    heads: 56,
    headsKv: 8,
    feedForward: 19_200,
    vocabulary: 32_256,
    context: 16_384,
  },
} satisfies Record<string, DenseModel>;

export function denseShape(name: keyof typeof denseModels): ModelShape {
  return shapeOf(denseHeader(denseModels[name]));
}

export interface MixtureModel {
  readonly architecture: string;
  readonly layers: number;
  readonly width: number;
  readonly heads: number;
  readonly headsKv: number;
  readonly headLength: number;
  readonly experts: number;
  readonly used: number;
  readonly expertFeedForward: number;
  readonly vocabulary: number;
  readonly context: number;
  readonly expertTypeId: number;
  /** Of attention and tables; absent: as Q4_K_M has them. */
  readonly otherTypeId?: number;
  readonly keys?: Readonly<Record<string, KeyValue>>;
}

export function mixtureHeader(model: MixtureModel): GgufHeader {
  const { layers, width, heads, headsKv, headLength, experts, expertFeedForward, vocabulary, expertTypeId } = model;
  const plain = model.otherTypeId ?? typeIds.Q4_K;
  const fine = model.otherTypeId ?? typeIds.Q6_K;
  const blocks = Array.from({ length: layers }, (_, layer) => {
    const of = (name: string): string => `blk.${layer}.${name}.weight`;
    const finer = expertTypeId === typeIds.Q4_K && getsMoreBits(layer, layers) ? typeIds.Q6_K : expertTypeId;
    return [
      tensor(of("attn_norm"), [width], typeIds.F32),
      tensor(of("attn_q"), [width, heads * headLength], plain),
      tensor(of("attn_k"), [width, headsKv * headLength], plain),
      tensor(of("attn_v"), [width, headsKv * headLength], fine),
      tensor(of("attn_output"), [heads * headLength, width], plain),
      tensor(of("ffn_norm"), [width], typeIds.F32),
      tensor(of("ffn_gate_inp"), [width, experts], typeIds.F32),
      tensor(of("ffn_gate_exps"), [width, expertFeedForward, experts], expertTypeId),
      tensor(of("ffn_up_exps"), [width, expertFeedForward, experts], expertTypeId),
      tensor(of("ffn_down_exps"), [expertFeedForward, width, experts], finer),
    ];
  });
  return header(
    model.architecture,
    {
      block_count: layers,
      context_length: model.context,
      embedding_length: width,
      feed_forward_length: expertFeedForward,
      expert_count: experts,
      expert_used_count: model.used,
      expert_feed_forward_length: expertFeedForward,
      "attention.head_count": heads,
      "attention.head_count_kv": headsKv,
      "attention.key_length": headLength,
      "attention.value_length": headLength,
      ...model.keys,
    },
    [
      tensor("token_embd.weight", [width, vocabulary], plain),
      ...blocks.flat(),
      tensor("output_norm.weight", [width], typeIds.F32),
      tensor("output.weight", [width, vocabulary], fine),
    ],
  );
}

export const mixtureModels = {
  "Qwen3-Coder-30B-A3B": {
    architecture: "qwen3moe",
    layers: 48,
    width: 2048,
    heads: 32,
    headsKv: 4,
    headLength: 128,
    experts: 128,
    used: 8,
    expertFeedForward: 768,
    vocabulary: 151_936,
    context: 262_144,
    expertTypeId: typeIds.Q4_K,
  },
  "gpt-oss-20b": {
    architecture: "gpt-oss",
    layers: 24,
    width: 2880,
    heads: 64,
    headsKv: 8,
    headLength: 64,
    experts: 32,
    used: 4,
    expertFeedForward: 2880,
    vocabulary: 201_088,
    context: 131_072,
    expertTypeId: typeIds.MXFP4,
    otherTypeId: typeIds.Q8_0,
    keys: { "attention.sliding_window": 128 },
  },
} satisfies Record<string, MixtureModel>;

export function mixtureShape(name: keyof typeof mixtureModels): ModelShape {
  return shapeOf(mixtureHeader(mixtureModels[name]));
}

export const gib = 2 ** 30;

/** A card as it is sold, with what a desktop leaves of it. */
export function card(name: string, totalGib: number, freeGib = totalGib - 0.3): MachineGpu {
  return { name, totalBytes: totalGib * gib, freeBytes: freeGib * gib };
}

export function machineWith(gpus: readonly MachineGpu[], memoryGib = 64, limitBytes: number | null = null): Machine {
  return {
    gpus,
    unifiedMemory: false,
    memoryTotalBytes: memoryGib * gib,
    memoryFreeBytes: (memoryGib - 4) * gib,
    limitBytes,
  };
}

export const box3090 = machineWith([card("NVIDIA GeForce RTX 3090", 24)]);
