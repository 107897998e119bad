/**
 * What the engine takes for a model and a load, in bytes: the arithmetic of its allocations, read from the source of the
 * build that is pinned (docs/fit.md). Pure. Nothing here knows a machine.
 *
 * KV is allocated whole when a model is loaded: every slot has a context of its own, padded; a sliding window saves nothing,
 * because the engine is asked to keep all of it (`swaFullCache`), or prefixes could not be reused. The step's buffers are
 * reserved for a full step whose every token gives logits.
 */
import type { Corrections } from "./corrections.ts";
import type { LayerShape, ModelShape } from "./shape.ts";
import type { FitWishes, KvType } from "./verdict.ts";

/** Wishes whose context is decided. */
export type LoadWishes = FitWishes & { readonly contextLength: number };

/** The engine rounds a context up to these. Tokens. */
const contextPad = 256;

export function paddedContext(tokens: number): number {
  return Math.max(contextPad, Math.ceil(tokens / contextPad) * contextPad);
}

/** Quantized numbers come in blocks of 32 with a scale. */
const blockNumbers = 32;
const blockBytes: Readonly<Record<Exclude<KvType, "f16">, number>> = Object.freeze({ q8_0: 34, q4_0: 18 });

function rowBytes(width: number, kv: KvType): number {
  return kv === "f16" ? 2 * width : Math.ceil(width / blockNumbers) * blockBytes[kv];
}

/** Why the KV of this model cannot be kept so; null: it can. */
export function kvProblem(shape: ModelShape, kv: KvType): string | null {
  if (kv === "f16") return null;
  if (shape.flashAttention === false)
    return `the engine cannot keep the KV of this kind of model (${shape.architecture}) quantized`;
  const odd = shape.layers.some(
    ({ keyWidth, valueWidth }) => keyWidth % blockNumbers !== 0 || valueWidth % blockNumbers !== 0,
  );
  return odd ? `its KV rows cannot be cut into the blocks of ${kv}` : null;
}

/** Without flash attention every layer's V gets the width of the widest. */
function storedValueWidth(shape: ModelShape, layer: LayerShape): number {
  if (shape.flashAttention !== false || layer.valueWidth === 0) return layer.valueWidth;
  return Math.max(...shape.layers.map(({ valueWidth }) => valueWidth));
}

/** Of one layer, all slots together. */
function layerKvBytes(shape: ModelShape, layer: LayerShape, wishes: LoadWishes): number {
  const perToken = rowBytes(layer.keyWidth, wishes.kv) + rowBytes(storedValueWidth(shape, layer), wishes.kv);
  return wishes.slots * (paddedContext(wishes.contextLength) * perToken + layer.stateBytes);
}

/**
 * Most tokens of one step. The engine rounds them up to a multiple of the slots; the greatest of all smaller numbers of slots
 * is taken, so that more slots never seem to need less.
 */
function stepTokens(wishes: LoadWishes): number {
  const tokens = Math.min(wishes.batchSize, paddedContext(wishes.contextLength) * wishes.slots);
  let most = tokens;
  for (let slots = 2; slots <= wishes.slots; slots += 1) most = Math.max(most, Math.ceil(tokens / slots) * slots);
  return most;
}

/** Bytes of the buffers that a step works in. */
export interface StepBytes {
  /** Where the layers and the output are computed on one device. */
  readonly whole: number;
  /** Where the output is computed elsewhere. */
  readonly layersOnly: number;
  /** On the CPU beside a GPU: what goes in. */
  readonly feeding: number;
  /** Logits as they are handed out: in the machine's memory wherever they were computed. */
  readonly logits: number;
}

const numberBytes = 4;

/** Attention with a table of all pairs. */
function pairwiseBytes(
  shape: ModelShape,
  wishes: LoadWishes,
  tokens: number,
  keyWidth: number,
  valueWidth: number,
): number {
  const context = paddedContext(wishes.contextLength);
  const table = numberBytes * context * tokens * shape.headCount;
  const isCompressed = keyWidth > 0 && valueWidth === 0;
  if (!isCompressed) return table + 4 * numberBytes * tokens * Math.max(keyWidth, shape.embeddingLength);
  // Every head looks at the one vector of each token, and all of them are turned round once.
  return table + 2 * numberBytes * tokens * keyWidth * shape.headCount + 2 * context * wishes.slots * keyWidth;
}

function stepBytes(shape: ModelShape, wishes: LoadWishes): StepBytes {
  const tokens = stepTokens(wishes);
  const context = paddedContext(wishes.contextLength);
  const usesFlash = shape.flashAttention !== false;
  const hidden = numberBytes * shape.embeddingLength * tokens;
  const isWindowed = shape.layers.some((layer) => layer.windowTokens !== null);
  const caches = isWindowed ? 2 : 1;
  const keyWidth = Math.max(0, ...shape.layers.map((layer) => layer.keyWidth));
  const valueWidth = Math.max(0, ...shape.layers.map((layer) => layer.valueWidth));
  // Who may see whom: half precision for flash attention.
  const mask = keyWidth > 0 ? (usesFlash ? 2 : numberBytes) * context * tokens * caches : numberBytes * tokens * tokens;
  // Token, position, place in K and V, and which are wanted; without flash attention the place of each number of V.
  const indexes = 28 * tokens + (usesFlash ? 0 : 8 * tokens * valueWidth * caches);
  const used = shape.expertsUsed ?? 1;
  const wide = numberBytes * shape.feedForwardLength * used * tokens;
  // What comes down, once per expert, does not always find room where up and gate were.
  const down = used > 1 ? hidden + (used * hidden > 2 * wide ? used * hidden : 0) : 0;
  const feedForward = 3 * wide + down;
  const layersOnly =
    mask +
    indexes +
    4 * hidden +
    Math.max(feedForward, usesFlash ? 0 : pairwiseBytes(shape, wishes, tokens, keyWidth, valueWidth));
  // By then the layers have given back everything but what goes in and what came out.
  const output = numberBytes * shape.vocabularySize * tokens + 2 * hidden;
  return {
    whole: Math.max(layersOnly, output),
    layersOnly,
    feeding: 2 * hidden + mask + indexes,
    logits: numberBytes * shape.vocabularySize * wishes.slots,
  };
}

/** One layer as it is placed. */
export interface LayerNeed {
  readonly weights: number;
  readonly kv: number;
}

export interface Need {
  readonly layers: readonly LayerNeed[];
  readonly inputWeights: number;
  /** On a GPU, where a tied table is there a second time. */
  readonly outputWeights: number;
  /** Of all of it on the CPU, where a tied table is there once. */
  readonly cpuWeights: number;
  readonly step: StepBytes;
}

export function needOf(shape: ModelShape, wishes: LoadWishes, corrections: Corrections): Need {
  const step = stepBytes(shape, wishes);
  return {
    layers: shape.layers.map((layer) => ({
      weights: layer.weightBytes * corrections.weights,
      kv: layerKvBytes(shape, layer, wishes) * corrections.kv,
    })),
    inputWeights: shape.inputBytes * corrections.weights,
    outputWeights: shape.outputBytes * corrections.weights,
    cpuWeights: shape.weightBytes * corrections.weights,
    step: {
      whole: step.whole * corrections.compute,
      layersOnly: step.layersOnly * corrections.compute,
      feeding: step.feeding * corrections.compute,
      logits: step.logits,
    },
  };
}
