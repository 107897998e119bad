/**
 * A model that makes vectors or scores, over the binding of node-llama-cpp. Runs in a worker process.
 *
 * The binding gives the vector of sequence 0 and of no other, so one input is computed at a time, and a context with more
 * sequences is of no use (with mean pooling it even ends the process). Whoever has several inputs takes turns:
 * `embed-loop.ts`. An input that may be computed in pieces is, so that memory does not grow with its length.
 */
import type { LlamaModel } from "node-llama-cpp";
import { z } from "zod";
import { cpuBatchSize } from "../../../domain/fit/place.ts";
import type { PooledAbility } from "../../../domain/model.ts";
import type { EngineMemory, PooledInput } from "../protocol.ts";
import { checkBinding, type LoadOptions, loadWeights } from "./native.ts";

export interface NativeEmbedder {
  /** Most tokens of one input. */
  readonly contextLength: number;
  readonly vocabularySize: number;
  readonly gpu: string;
  /** What the engine says it took; null: it did not say. */
  readonly memory: EngineMemory | null;
  /** The tokens of an input as the model wants them, with those that begin and end it. */
  tokens(input: PooledInput): Uint32Array;
  /**
   * The model's own vector (or score) of one input, not brought to length 1. Null when `stopped` said so between two
   * pieces.
   */
  compute(tokens: Uint32Array, stopped: () => boolean): Promise<Float32Array | null>;
}

export async function loadEmbedder(
  options: Omit<LoadOptions, "slots" | "kvType">,
  ability: PooledAbility,
): Promise<NativeEmbedder> {
  const { llama, model, memory } = await loadWeights(options);
  const { inOnePiece, pooling } = ability;
  const inPieces = llama.gpu === false ? Math.min(options.batchSize, cpuBatchSize) : options.batchSize;
  const batchSize = inOnePiece ? options.contextLength : inPieces;
  const contextOptions = {
    sequences: 1,
    contextSize: options.contextLength,
    batchSize,
    swaFullCache: true,
    ...(options.threads > 0 ? { threads: options.threads } : {}),
    // Internal to the library, as its own embedding and ranking contexts pass them.
    _embeddings: true,
    _ranking: ability.capability === "rerank",
  };
  const context = await model.createContext(contextOptions);
  const { addonContext, addonModel } = checkBinding(llama, model, context);
  const taken = await memory();
  // Pooling over all tokens needs them all; the last token's vector needs only its own, and no other's logits.
  const needsAll = inOnePiece || pooling === "mean";

  const decode = async (tokens: Uint32Array, position: number): Promise<Float64Array> => {
    addonContext.initBatch(tokens.length);
    const outputs = needsAll ? Uint32Array.from(tokens.keys()) : Uint32Array.of(tokens.length - 1);
    addonContext.addToBatch(0, position, tokens, outputs);
    await addonContext.decodeBatch();
    return addonContext.getEmbedding(tokens.length);
  };

  return {
    contextLength: inOnePiece ? batchSize : context.contextSize,
    vocabularySize: ability.vocabularySize,
    gpu: llama.gpu === false ? "cpu" : llama.gpu,
    memory: taken,
    tokens: inputTokens(model, (text, special) => addonModel.tokenize(text, special)),
    compute: async (tokens, stopped) => {
      addonContext.disposeSequence(0);
      let sum: Float64Array | null = null;
      for (let at = 0; at < tokens.length; at += batchSize) {
        if (at > 0 && stopped()) return null;
        const piece = tokens.subarray(at, at + batchSize);
        const vector = await decode(piece, at);
        if (pooling !== "mean") sum = vector;
        // The mean of a piece counts as often as the piece has tokens.
        else sum = vector.map((value, index) => (sum?.[index] ?? 0) + (value * piece.length) / tokens.length);
      }
      return Float32Array.from(sum ?? []);
    },
  };
}

const metadataShape = z.object({ tokenizer: z.object({ "chat_template.rerank": z.string().optional() }).optional() });

/** How an input becomes tokens. Text is text: what looks like a special token in it is not one. */
function inputTokens(
  model: LlamaModel,
  tokenize: (text: string, special: boolean) => Uint32Array,
): NativeEmbedder["tokens"] {
  const { tokens, vocabularyType } = model;
  const wordPiece = String(vocabularyType) === "wpm";
  const begin = wordPiece || tokens.shouldPrependBosToken ? tokens.bos : null;
  const end = wordPiece ? tokens.sep : tokens.shouldAppendEosToken ? tokens.eos : null;
  const metadata = metadataShape.safeParse(model.fileInfo.metadata);
  const template = metadata.success ? (metadata.data.tokenizer?.["chat_template.rerank"] ?? null) : null;

  const closed = (inner: readonly number[]): Uint32Array => {
    const before = begin !== null && inner[0] !== begin ? [begin] : [];
    const after = end !== null && inner.at(-1) !== end ? [end] : [];
    return Uint32Array.from([...before, ...inner, ...after]);
  };
  const pair = (query: string, document: string): Uint32Array => {
    if (template !== null) {
      const pieces = template.split(/(\{\{?(?:query|document)\}?\})/);
      return closed(
        pieces.flatMap((piece) => {
          if (/^\{\{?query/.test(piece)) return [...tokenize(query, false)];
          if (/^\{\{?document/.test(piece)) return [...tokenize(document, false)];
          return piece === "" ? [] : [...tokenize(piece, true)];
        }),
      );
    }
    const some = (token: number | null) => (token === null ? [] : [token]);
    return Uint32Array.from([
      ...some(tokens.bos),
      ...tokenize(query, false),
      ...some(tokens.eos),
      ...some(tokens.sep),
      ...tokenize(document, false),
      ...some(tokens.eos),
    ]);
  };

  return (input) => {
    if (input.type === "pair") return pair(input.query, input.document);
    return closed(input.type === "tokens" ? input.tokens : [...tokenize(input.text, false)]);
  };
}
