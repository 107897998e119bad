/**
 * Hollow models of the kinds there are: right headers over holes, a few layers of true width each, which the engine loads and
 * allocates for as it would for the whole model. For its figures only.
 */
import { truncate, writeFile } from "node:fs/promises";
import { headerBytes, tensorDataBytes, type WritableTensor, type WritableValue } from "../../models/gguf/writer.ts";
import { typeIds } from "./model-shapes.ts";

const vocabulary = 8_192;

interface Dimensions {
  readonly layers: number;
  readonly width: number;
  readonly feedForward: number;
  readonly heads: number;
  /** One for each layer where they differ. */
  readonly headsKv: number | readonly number[];
  readonly headLength: number;
}

interface Kind extends Dimensions {
  readonly architecture: string;
  readonly keys?: Readonly<Record<string, number>>;
  readonly numbers?: Readonly<Record<string, number>>;
  /** The tensors of a layer beside or instead of the usual ones; null leaves a usual one out. */
  readonly layer?: (of: (name: string) => string, layer: number) => readonly (WritableTensor | string)[];
  readonly tied?: true;
}

const matrix = (name: string, ...dimensions: number[]): WritableTensor => ({ name, dimensions, typeId: typeIds.Q8_0 });
const vector = (name: string, ...dimensions: number[]): WritableTensor => ({ name, dimensions, typeId: typeIds.F32 });

function usualLayer(kind: Kind, of: (name: string) => string, layer: number): WritableTensor[] {
  const headsKv = typeof kind.headsKv === "number" ? kind.headsKv : (kind.headsKv[layer] ?? 0);
  return [
    vector(of("attn_norm.weight"), kind.width),
    matrix(of("attn_q.weight"), kind.width, kind.heads * kind.headLength),
    matrix(of("attn_k.weight"), kind.width, headsKv * kind.headLength),
    matrix(of("attn_v.weight"), kind.width, headsKv * kind.headLength),
    matrix(of("attn_output.weight"), kind.heads * kind.headLength, kind.width),
    vector(of("ffn_norm.weight"), kind.width),
    matrix(of("ffn_gate.weight"), kind.width, kind.feedForward),
    matrix(of("ffn_up.weight"), kind.width, kind.feedForward),
    matrix(of("ffn_down.weight"), kind.feedForward, kind.width),
  ];
}

const feedForwardNames = ["ffn_gate.weight", "ffn_up.weight", "ffn_down.weight"];
const attentionNames = ["attn_q.weight", "attn_k.weight", "attn_v.weight", "attn_output.weight"];

function experts(of: (name: string) => string, width: number, feedForward: number, count: number): WritableTensor[] {
  return [
    vector(of("ffn_gate_inp.weight"), width, count),
    matrix(of("ffn_gate_exps.weight"), width, feedForward, count),
    matrix(of("ffn_up_exps.weight"), width, feedForward, count),
    matrix(of("ffn_down_exps.weight"), feedForward, width, count),
  ];
}

/** DeepSeek V2 Lite; `compressed`: with the keys by which the engine keeps one vector per token. */
function deepseek(compressed: boolean): Kind {
  const [width, heads] = [2048, 16];
  return {
    architecture: "deepseek2",
    layers: 27,
    width,
    feedForward: 10_944,
    heads,
    headsKv: compressed ? 1 : heads,
    headLength: 192,
    keys: {
      "attention.kv_lora_rank": 512,
      "attention.key_length": compressed ? 576 : 192,
      "attention.value_length": compressed ? 512 : 128,
      ...(compressed ? { "attention.key_length_mla": 192, "attention.value_length_mla": 128 } : {}),
      "rope.dimension_count": 64,
      leading_dense_block_count: 1,
      expert_count: 64,
      expert_used_count: 6,
      expert_shared_count: 2,
      expert_feed_forward_length: 1_408,
    },
    numbers: { expert_weights_scale: 1, "rope.scaling.yarn_log_multiplier": 0.0707 },
    layer: (of, layer) => [
      "attn_k.weight",
      "attn_v.weight",
      vector(of("attn_kv_a_norm.weight"), 512),
      matrix(of("attn_kv_a_mqa.weight"), width, 576),
      ...(compressed
        ? // Quantized ones make the prebuilt engine end its process on a CPU with AMX.
          [vector(of("attn_k_b.weight"), 128, 512, heads), vector(of("attn_v_b.weight"), 512, 128, heads)]
        : [matrix(of("attn_kv_b.weight"), 512, heads * 256)]),
      matrix(of("attn_output.weight"), heads * 128, width),
      ...(layer === 0
        ? []
        : [
            ...feedForwardNames,
            ...experts(of, width, 1_408, 64),
            matrix(of("ffn_gate_shexp.weight"), width, 2_816),
            matrix(of("ffn_up_shexp.weight"), width, 2_816),
            matrix(of("ffn_down_shexp.weight"), 2_816, width),
          ]),
    ],
  };
}

export const hollowKinds: Readonly<Record<string, Kind>> = {
  "Llama 70B": {
    architecture: "llama",
    layers: 4,
    width: 8192,
    feedForward: 28_672,
    heads: 64,
    headsKv: 8,
    headLength: 128,
    keys: { "rope.dimension_count": 128 },
  },
  "Qwen3 30B-A3B": {
    architecture: "qwen3moe",
    layers: 4,
    width: 2048,
    feedForward: 6144,
    heads: 32,
    headsKv: 4,
    headLength: 128,
    keys: {
      "attention.key_length": 128,
      "attention.value_length": 128,
      expert_count: 128,
      expert_used_count: 8,
      expert_feed_forward_length: 768,
    },
    layer: (of) => [
      ...feedForwardNames,
      vector(of("attn_q_norm.weight"), 128),
      vector(of("attn_k_norm.weight"), 128),
      ...experts(of, 2048, 768, 128),
    ],
  },
  "gpt-oss 20B": {
    architecture: "gpt-oss",
    layers: 4,
    width: 2880,
    feedForward: 2880,
    heads: 64,
    headsKv: 8,
    headLength: 64,
    keys: {
      "attention.key_length": 64,
      "attention.value_length": 64,
      "attention.sliding_window": 128,
      expert_count: 32,
      expert_used_count: 4,
      expert_feed_forward_length: 2880,
    },
    layer: (of) => [
      ...feedForwardNames,
      "ffn_norm.weight",
      vector(of("post_attention_norm.weight"), 2880),
      vector(of("attn_sinks.weight"), 64),
      ...experts(of, 2880, 2880, 32),
      vector(of("attn_q.bias"), 4096),
      vector(of("attn_k.bias"), 512),
      vector(of("attn_v.bias"), 512),
      vector(of("attn_output.bias"), 2880),
      vector(of("ffn_gate_inp.bias"), 32),
      vector(of("ffn_gate_exps.bias"), 2880, 32),
      vector(of("ffn_up_exps.bias"), 2880, 32),
      vector(of("ffn_down_exps.bias"), 2880, 32),
    ],
  },
  "Gemma 3 4B": {
    architecture: "gemma3",
    layers: 6,
    width: 2560,
    feedForward: 10_240,
    heads: 8,
    headsKv: 4,
    headLength: 256,
    keys: { "attention.key_length": 256, "attention.value_length": 256, "attention.sliding_window": 1024 },
    layer: (of) => [
      vector(of("attn_q_norm.weight"), 256),
      vector(of("attn_k_norm.weight"), 256),
      vector(of("post_attention_norm.weight"), 2560),
      vector(of("post_ffw_norm.weight"), 2560),
    ],
  },
  "Gemma 2 2B": {
    architecture: "gemma2",
    layers: 4,
    width: 2304,
    feedForward: 9216,
    heads: 8,
    headsKv: 4,
    headLength: 256,
    keys: { "attention.key_length": 256, "attention.value_length": 256, "attention.sliding_window": 4096 },
    numbers: { attn_logit_softcapping: 50, final_logit_softcapping: 30 },
    layer: (of) => [vector(of("post_attention_norm.weight"), 2304), vector(of("post_ffw_norm.weight"), 2304)],
    tied: true,
  },
  "LFM2 1.2B": {
    architecture: "lfm2",
    layers: 4,
    width: 2048,
    feedForward: 8192,
    heads: 32,
    headsKv: [0, 8, 0, 8],
    headLength: 64,
    keys: { "shortconv.l_cache": 3 },
    layer: (of, layer) =>
      layer % 2 === 1
        ? [vector(of("attn_q_norm.weight"), 64), vector(of("attn_k_norm.weight"), 64)]
        : [
            ...attentionNames,
            vector(of("shortconv.conv.weight"), 3, 2048),
            matrix(of("shortconv.in_proj.weight"), 2048, 3 * 2048),
            matrix(of("shortconv.out_proj.weight"), 2048, 2048),
          ],
    tied: true,
  },
  "DeepSeek V2 Lite": deepseek(true),
  "DeepSeek V2 Lite, older file": deepseek(false),
};

/** Writes the model; gives nothing: its header says it all. */
export async function writeHollowKind(path: string, kind: Kind): Promise<void> {
  const { architecture, layers } = kind;
  const tokens = Array.from({ length: vocabulary }, (_, index) => `token ${index}`);
  const whole = (value: number): WritableValue => ({ type: "uint32", value });
  const metadata: [string, WritableValue][] = [
    ["general.architecture", { type: "string", value: architecture }],
    ["tokenizer.ggml.model", { type: "string", value: "gpt2" }],
    ["tokenizer.ggml.pre", { type: "string", value: "qwen2" }],
    ["tokenizer.ggml.tokens", { type: "strings", value: tokens }],
    ["tokenizer.ggml.token_type", { type: "int32s", value: tokens.map(() => 1) }],
    ["tokenizer.ggml.merges", { type: "strings", value: ["t o"] }],
    ["tokenizer.ggml.eos_token_id", whole(1)],
    ["tokenizer.ggml.bos_token_id", whole(2)],
    [`${architecture}.block_count`, whole(layers)],
    [`${architecture}.context_length`, whole(131_072)],
    [`${architecture}.embedding_length`, whole(kind.width)],
    [`${architecture}.feed_forward_length`, whole(kind.feedForward)],
    [`${architecture}.attention.head_count`, whole(kind.heads)],
    [
      `${architecture}.attention.head_count_kv`,
      typeof kind.headsKv === "number" ? whole(kind.headsKv) : { type: "int32s", value: kind.headsKv },
    ],
    [`${architecture}.attention.layer_norm_rms_epsilon`, { type: "float32", value: 1e-6 }],
    [`${architecture}.rope.freq_base`, { type: "float32", value: 1e6 }],
    ...Object.entries(kind.keys ?? {}).map(([key, value]): [string, WritableValue] => [
      `${architecture}.${key}`,
      whole(value),
    ]),
    ...Object.entries(kind.numbers ?? {}).map(([key, value]): [string, WritableValue] => [
      `${architecture}.${key}`,
      { type: "float32", value },
    ]),
  ];
  const blocks = Array.from({ length: layers }, (_, layer) => {
    const of = (name: string): string => `blk.${layer}.${name}`;
    const special = kind.layer?.(of, layer) ?? [];
    const own = special.filter((one) => typeof one !== "string");
    const without = new Set([
      ...special.filter((one) => typeof one === "string").map(of),
      ...own.map(({ name }) => name),
    ]);
    return [...usualLayer(kind, of, layer).filter(({ name }) => !without.has(name)), ...own];
  });
  const tensors = [
    matrix("token_embd.weight", kind.width, vocabulary),
    ...blocks.flat(),
    vector(architecture === "lfm2" ? "token_embd_norm.weight" : "output_norm.weight", kind.width),
    ...(kind.tied === true ? [] : [matrix("output.weight", kind.width, vocabulary)]),
  ];
  const header = headerBytes({ metadata, tensors });
  await writeFile(path, header);
  await truncate(
    path,
    header.length + tensors.reduce((sum, tensor) => sum + Math.ceil(tensorDataBytes(tensor) / 32) * 32, 0),
  );
}
