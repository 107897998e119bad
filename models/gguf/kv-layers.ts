/**
 * What the layers of a model keep per token and per sequence, as this engine's version stores it: which layers have a KV
 * cache, how wide it is, which look back a window only, which keep a state of fixed size. Pure; numbers of the header in,
 * numbers out. A key that is missing or odd counts as the engine's default: the validator judged the file already.
 */
import type { GgufHeader } from "./format.ts";

export interface KeptByLayer {
  /** Numbers per token. */
  readonly keyWidth: number;
  readonly valueWidth: number;
  readonly windowTokens: number | null;
  /** Bytes per sequence. */
  readonly stateBytes: number;
}

/** The header's keys of one architecture, read leniently. */
export class ArchitectureKeys {
  readonly architecture: string;
  readonly #metadata: GgufHeader["metadata"];

  constructor(metadata: GgufHeader["metadata"]) {
    this.#metadata = metadata;
    const name = metadata.get("general.architecture");
    this.architecture = name?.type === "string" ? (name.value ?? "") : "";
  }

  /** A number or a list of them; yes and no are 1 and 0. Null: not there, or text. */
  numbers(key: string): readonly number[] | null {
    const value = this.#metadata.get(`${this.architecture}.${key}`);
    if (value === undefined || value.type === "string") return null;
    const held = value.type === "array" ? value.values : [value.value];
    const numbers = held?.map(Number) ?? [];
    return numbers.length === 0 || !numbers.every(Number.isFinite) ? null : numbers;
  }

  /** The number, or the first of the list. */
  number(key: string, otherwise: number): number {
    return this.numbers(key)?.[0] ?? otherwise;
  }

  /** The layer's own number where the key is a list. */
  ofLayer(key: string, layer: number, otherwise: number): number {
    const numbers = this.numbers(key);
    if (numbers === null) return otherwise;
    return (numbers.length === 1 ? numbers[0] : numbers[layer]) ?? otherwise;
  }
}

/** They read a text at once and keep nothing. */
const withoutCache: ReadonlySet<string> = new Set([
  "bert",
  "jina-bert-v2",
  "jina-bert-v3",
  "nomic-bert",
  "nomic-bert-moe",
  "neo-bert",
  "eurobert",
  "wavtokenizer-dec",
  "modern-bert",
  "gemma-embedding",
  "dream",
  "llada",
  "llada-moe",
  "rnd1",
]);

const recurrent: ReadonlySet<string> = new Set(["mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"]);

/** A layer without KV heads keeps a state instead. */
const recurrentWithoutHeads: ReadonlySet<string> = new Set([
  "jamba",
  "plamo2",
  "granitehybrid",
  "lfm2",
  "lfm2moe",
  "bailingmoe3",
  "kimi-linear",
  "kimi-k3",
  "nemotron_h",
  "nemotron_h_moe",
]);

/** All layers keep a state, but every so many. */
const recurrentByInterval: ReadonlySet<string> = new Set([
  "qwen3next",
  "qwen35",
  "qwen35moe",
  "qwen4exp",
  "minimax-01",
]);

/** Of so many layers the last one looks at everything (`first`: the first one), the others look back a window. */
const windowPatterns: Readonly<Record<string, { readonly every: number; readonly first?: true }>> = Object.freeze({
  "gpt-oss": { every: 2 },
  gemma2: { every: 2 },
  gemma3: { every: 6 },
  gemma3n: { every: 5 },
  gemma4: { every: 6 },
  cohere2: { every: 4 },
  cohere2moe: { every: 4, first: true },
  llama4: { every: 4 },
  exaone4: { every: 4 },
  "exaone-moe": { every: 4 },
  olmo2: { every: 4 },
  afmoe: { every: 4 },
  mellum: { every: 4 },
  plamo3: { every: 8 },
  smallthinker: { every: 4, first: true },
  laguna: { every: 4, first: true },
});

/** Windows that the engine knows without a key. Tokens. */
const ownWindows: Readonly<Record<string, number>> = Object.freeze({ gemma2: 4096, llama4: 8192, exaone4: 4096 });

function windowOf(keys: ArchitectureKeys, layer: number): number | null {
  const pattern = keys.numbers("attention.sliding_window_pattern");
  const known = windowPatterns[keys.architecture];
  if (pattern === null && known === undefined) return null;
  const window = keys.number("attention.sliding_window", ownWindows[keys.architecture] ?? 0);
  if (window <= 0) return null;
  if (pattern !== null && pattern.length > 1) return pattern[layer] ? window : null;
  const every = pattern?.[0] ?? known?.every ?? 1;
  if (every <= 1) return every === 0 ? window : null;
  const full = known?.first === true ? layer % every === 0 : layer % every === every - 1;
  return full ? null : window;
}

function isRecurrent(keys: ArchitectureKeys, layer: number, headsKv: number, trunk: number): boolean {
  const { architecture } = keys;
  if (recurrent.has(architecture) || architecture === "falcon-h1") return true;
  if (recurrentWithoutHeads.has(architecture)) {
    const plain = architecture.startsWith("nemotron_h") && keys.ofLayer("feed_forward_length", layer, 0) > 0;
    return headsKv === 0 && !plain;
  }
  if (!recurrentByInterval.has(architecture) || layer >= trunk) return false;
  if (keys.numbers("attention.recurrent_layers") !== null) {
    return keys.ofLayer("attention.recurrent_layers", layer, 0) > 0;
  }
  return (layer + 1) % keys.number("full_attention_interval", 4) !== 0;
}

/** Single precision, whatever the KV cache is kept in. */
const stateNumberBytes = 4;

function stateBytesOf(keys: ArchitectureKeys, width: number, heads: number): number {
  const wkv = keys.number("wkv.head_size", 0);
  if (wkv > 0) return stateNumberBytes * (keys.number("token_shift_count", 2) * width + width * wkv);
  const shortCache = keys.number("shortconv.l_cache", 0);
  if (shortCache > 0) return stateNumberBytes * width * (shortCache - 1);
  const kernel = keys.number("ssm.conv_kernel", 0);
  const delta = keys.number("kda.head_dim", 0);
  if (delta > 0) {
    return stateNumberBytes * (3 * Math.max(0, kernel > 0 ? kernel - 1 : 3) * heads * delta + delta * delta * heads);
  }
  const inner = keys.number("ssm.inner_size", 0);
  const state = keys.number("ssm.state_size", 0);
  const groups = keys.number("ssm.group_count", 0);
  return stateNumberBytes * (Math.max(0, kernel - 1) * (inner + 2 * groups * state) + state * inner);
}

/** Layers from here on use another layer's KV. */
function firstSharedLayer(keys: ArchitectureKeys, blockCount: number): number {
  if (keys.architecture === "gemma3n") return Math.min(20, blockCount);
  if (keys.architecture === "gemma4") return blockCount - keys.number("attention.shared_kv_layers", 0);
  return blockCount;
}

/** What each layer keeps, in order. */
export function keptByLayers(keys: ArchitectureKeys): readonly KeptByLayer[] {
  const blockCount = keys.number("block_count", 0);
  const width = keys.number("embedding_length", 0);
  const heads = keys.number("attention.head_count", 0);
  // Layers that guess further tokens are not computed, and keep nothing.
  const guessing = keys.number("nextn_predict_layers", 0);
  const trunk = guessing < blockCount ? blockCount - guessing : blockCount;
  const withKv = Math.min(trunk, firstSharedLayer(keys, blockCount));
  const ownLength = heads > 0 ? width / heads : 0;
  // With both keys the engine keeps one compressed vector per token, which serves as K and as V.
  const compressed = keys.number("attention.key_length_mla", 0) > 0 && keys.number("attention.value_length_mla", 0) > 0;
  const indexer = compressed ? keys.number("attention.indexer.key_length", 0) : 0;
  return Array.from({ length: blockCount }, (_, layer): KeptByLayer => {
    const layerHeads = keys.ofLayer("attention.head_count", layer, heads);
    const headsKv = keys.ofLayer("attention.head_count_kv", layer, layerHeads);
    const windowTokens = windowOf(keys, layer);
    const suffix = windowTokens === null ? "" : "_swa";
    const fullKey = keys.number("attention.key_length", ownLength);
    const fullValue = keys.number("attention.value_length", ownLength);
    const keyLength = keys.number(`attention.key_length${suffix}`, fullKey);
    const valueLength = keys.number(`attention.value_length${suffix}`, fullValue);
    const hasState = isRecurrent(keys, layer, headsKv, trunk);
    const hasKv =
      layer < withKv &&
      !withoutCache.has(keys.architecture) &&
      (!hasState || keys.architecture === "falcon-h1") &&
      !(keys.architecture.startsWith("nemotron_h") && keys.ofLayer("feed_forward_length", layer, 0) > 0);
    return {
      keyWidth: hasKv ? keyLength * headsKv + indexer : 0,
      valueWidth: hasKv && !compressed ? valueLength * headsKv : 0,
      windowTokens: hasKv ? windowTokens : null,
      stateBytes: hasState ? stateBytesOf(keys, width, heads) : 0,
    };
  });
}

/** Whether the library lets this model compute attention without a table of all pairs. Its own rule. */
export function allowsFlashAttention(keys: ArchitectureKeys): boolean {
  if (keys.architecture === "grok" || keys.architecture === "gemma2") return false;
  const heads = keys.number("attention.head_count", 0);
  const ownLength = heads > 0 ? keys.number("embedding_length", 0) / heads : 0;
  return keys.number("attention.key_length", ownLength) === keys.number("attention.value_length", ownLength);
}
