/**
 * What touches node-llama-cpp, with `native-embedder.ts` beside it. Runs in a worker process, one model and one context per
 * process.
 *
 * It drives the library's own binding (`_ctx`, `_model`, `_bindings`) instead of its public sequences: those build batches
 * of N-1 streams, starve decoding while another stream prefills, shift the context silently and leak one vocabulary-sized
 * buffer per call (docs/decisions.md, "The engine drives the binding"). The names used here are internal to 3.22.1, which is
 * pinned exactly; `checkBinding` says so in words when a later version moves them.
 */
import type { Llama, LlamaContext, LlamaModel } from "node-llama-cpp";
import { z } from "zod";
import { cpuBatchSize } from "../../../domain/fit/place.ts";
import type { KvType } from "../../../domain/fit/verdict.ts";
import type { EngineMemory } from "../protocol.ts";
import { EngineMemoryLog } from "./engine-memory.ts";
import { tokenBytes } from "./token-bytes.ts";

/** A KV sequence of the context, 0 to slots - 1. */
export type SequenceId = number;

/** One stretch of tokens of one sequence in a batch. */
export interface BatchPart {
  readonly sequence: SequenceId;
  /** Position of the first token in its sequence. */
  readonly position: number;
  readonly tokens: Uint32Array;
  /** True: keep the logits of the last token, so that it can be sampled. */
  readonly wantsLogits: boolean;
}

/** The sampler's own words (AddonSampler.applyConfig). Absent keys switch a stage off. */
export interface SamplerConfig {
  readonly temperature: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly minP?: number;
  readonly seed: number;
  readonly repeatPenalty?: number;
  readonly repeatPenaltyMaxTokens?: number;
  readonly repeatPenaltyTokens?: Uint32Array;
  readonly repeatPenaltyPresencePenalty?: number;
  readonly repeatPenaltyFrequencyPenalty?: number;
  readonly tokenBiasKeys?: Uint32Array;
  readonly tokenBiasValues?: Float32Array;
  readonly grammarEvaluationState?: NativeGrammarState;
}

declare const grammarState: unique symbol;
/** How far one answer has got in its grammar. Opaque. */
export interface NativeGrammarState {
  readonly [grammarState]: true;
}
declare const sampler: unique symbol;
/** A reusable sampler with its own candidate buffer of 12 bytes per vocabulary entry. Opaque. */
export interface NativeSampler {
  readonly [sampler]: true;
  applyConfig(config: SamplerConfig): void;
}

export interface AddonContext {
  initBatch(size: number): void;
  addToBatch(sequence: number, position: number, tokens: Uint32Array, logitIndexes: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  /** The pooled vector of sequence 0, or the last output's where nothing is pooled: the only one there is a way to. */
  getEmbedding(tokens: number): Float64Array;
  sampleToken(logitIndex: number, sampler: NativeSampler): Promise<number>;
  sampleToken(
    logitIndex: number,
    sampler: NativeSampler,
    probabilities: false,
    confidence: false,
    logits: readonly [tokens: number[], highest: boolean, lowest: boolean, selected: boolean, top: number],
    totalWeight: true,
  ): Promise<unknown>;
  disposeSequence(sequence: number): void;
  removeTokenCellsFromSequence(sequence: number, start: number, end: number): boolean;
  copySequenceStateFromOtherSequence(target: number, source: number): Promise<number>;
  saveSequenceStateToFile(path: string, sequence: number, tokens: Uint32Array): Promise<number>;
  loadSequenceStateFromFile(path: string, sequence: number, contextLength: number): Promise<Uint32Array>;
}
export interface AddonModel {
  tokenize(text: string, specialTokens: boolean): Uint32Array;
  detokenize(tokens: Uint32Array, specialTokens: boolean): string;
  isEogToken(token: number): boolean;
  getTokenString(token: number): string;
  getTokenAttributes(token: number): number;
}
interface Bindings {
  AddonSampler: new (model: AddonModel) => NativeSampler;
  AddonGrammar: new (text: string, options: { addonExports: Bindings; rootRuleName: string }) => object;
  AddonGrammarEvaluationState: new (model: AddonModel, grammar: object) => NativeGrammarState;
}

export interface LoadOptions {
  readonly modelPath: string;
  /** Tokens per slot. */
  readonly contextLength: number;
  readonly slots: number;
  /** Most tokens one decode call may hold. */
  readonly batchSize: number;
  /** Compute threads; 0 lets the library choose. */
  readonly threads: number;
  /** Layers on the GPU, the output being one; null: the library decides. */
  readonly gpuLayers: number | null;
  readonly kvType: KvType;
}

export interface NativeModel {
  readonly contextLength: number;
  readonly slots: number;
  readonly batchSize: number;
  readonly vocabularySize: number;
  readonly gpu: string;
  /** What the engine says it took; null: it did not say. */
  readonly memory: EngineMemory | null;
  /** Text of tokens, control tokens left out; a character cut in two shows as U+FFFD. `before` gives spacing its context. */
  detokenize(tokens: readonly number[], before: readonly number[]): string;
  /** Text of tokens with control tokens spelled out. */
  spell(tokens: readonly number[]): string;
  /** The control token that is spelled so; null: there is none, or it leaves text by itself. */
  controlToken(text: string): number | null;
  isEndOfGeneration(token: number): boolean;
  newSampler(): NativeSampler;
  /** Throws when the grammar does not parse. */
  newGrammarState(gbnf: string): NativeGrammarState;
  /** One decode call. Gives, per part, the index its logits lie at, or null. Never more than `batchSize` tokens. */
  decode(parts: readonly BatchPart[]): Promise<readonly (number | null)[]>;
  /** The next token, or -1 when nothing can follow. Marks it as accepted in the sampler's penalties and grammar. */
  sample(logitIndex: number, sampler: NativeSampler): Promise<number>;
  /** Natural logarithms of probabilities at a logit index, from the model's own distribution: no filter, bias or grammar. */
  logprobs(logitIndex: number, token: number, top: number): Promise<Logprobs>;
  /** The text a vocabulary has for a token, control tokens included, and the bytes it stands for; none for a control token. */
  tokenText(token: number): { readonly text: string; readonly bytes: readonly number[] };
  /** Forgets everything from `position` on. False: this architecture cannot cut there, and the sequence is now empty. */
  truncate(sequence: SequenceId, position: number): boolean;
  /** Makes `target` an exact copy of `source`. Gives the number of tokens it now holds. */
  copy(target: SequenceId, source: SequenceId): Promise<number>;
  /** Writes the sequence's KV to a file; gives its size in bytes. */
  save(sequence: SequenceId, tokens: readonly number[], path: string): Promise<number>;
  /** Replaces the sequence by what the file holds; gives the number of tokens. Throws when the file does not fit. */
  restore(sequence: SequenceId, path: string): Promise<number>;
}

export interface Logprobs {
  readonly chosen: number;
  /** Best first. */
  readonly top: readonly { readonly token: number; readonly logprob: number }[];
}

/** What the binding gives back: the token, two places unused here, pairs of token and logit, and the sum of all weights. */
const judgement = z.tuple([z.number(), z.unknown(), z.unknown(), z.array(z.number()), z.number()]);
/** `LLAMA_TOKEN_ATTR_CONTROL`. */
const controlAttribute = 1 << 3;

const metadataShape = z.object({
  tokenizer: z
    .object({
      ggml: z.object({ model: z.string().optional(), tokens: z.array(z.unknown()).optional() }).optional(),
    })
    .optional(),
});

export interface Weights {
  readonly llama: Llama;
  readonly model: LlamaModel;
  /** What everything loaded so far took, and now the engine writes errors only. Null: it did not say. */
  memory(): Promise<EngineMemory | null>;
}

/** Loads the weights. Throws the library's error; the caller turns it into words. */
export async function loadWeights(options: Pick<LoadOptions, "modelPath" | "threads" | "gpuLayers">): Promise<Weights> {
  const library = await import("node-llama-cpp");
  const { LlamaLogLevel } = library;
  const log = new EngineMemoryLog();
  const llama = await library.getLlama({
    gpu: "auto",
    build: "never",
    skipDownload: true,
    progressLogs: false,
    // Sizes are told at this level, and nowhere else.
    logLevel: LlamaLogLevel.info,
    logger: (level, message) => {
      log.note(message);
      if (level === LlamaLogLevel.error || level === LlamaLogLevel.fatal)
        process.stderr.write(`${message.trimEnd()}\n`);
    },
    ...(options.threads > 0 ? { maxThreads: options.threads } : {}),
  });
  const { modelPath, gpuLayers } = options;
  const placed = gpuLayers === null ? {} : { gpuLayers, ...withoutOwnChecks };
  const model = await llama.loadModel({ modelPath, ...placed });
  return {
    llama,
    model,
    memory: async () => {
      // Lines come from the engine's own thread, and the last may still be on their way.
      for (let turns = 0; turns < 3; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      llama.logLevel = LlamaLogLevel.error;
      return log.figures(model.size);
    },
  };
}

/** Whoever names a number of layers has counted the memory already; the library would refuse by margins of its own. */
const withoutOwnChecks = Object.freeze({ ignoreMemorySafetyChecks: true });

const kvTypeNames: Readonly<Record<Exclude<KvType, "f16">, "Q8_0" | "Q4_0">> = Object.freeze({
  q8_0: "Q8_0",
  q4_0: "Q4_0",
});

/** Loads weights and makes the context. Throws the library's error; the caller turns it into words. */
export async function loadNative(options: LoadOptions): Promise<NativeModel> {
  const { llama, model, memory } = await loadWeights(options);
  const kvType = options.kvType === "f16" ? null : kvTypeNames[options.kvType];
  const context = await model.createContext({
    sequences: options.slots,
    contextSize: options.contextLength,
    batchSize: llama.gpu === false ? Math.min(options.batchSize, cpuBatchSize) : options.batchSize,
    // A sliding-window model keeps its whole window, or its prefix could not be reused (engine trap: SWA).
    swaFullCache: true,
    ...(options.gpuLayers === null ? {} : withoutOwnChecks),
    ...(kvType === null ? {} : { experimentalKvCacheKeyType: kvType, experimentalKvCacheValueType: kvType }),
    ...(options.threads > 0 ? { threads: options.threads } : {}),
  });
  return wrap(llama, model, context, options, await memory());
}

function wrap(
  llama: Llama,
  model: LlamaModel,
  context: LlamaContext,
  options: LoadOptions,
  memory: EngineMemory | null,
): NativeModel {
  const { addonContext, addonModel, bindings } = checkBinding(llama, model, context);
  const metadata = metadataShape.safeParse(model.fileInfo.metadata);
  const tokenizer = metadata.success ? metadata.data.tokenizer : undefined;
  // Byte-level BPE splits at special tokens first and then looks at each stretch alone; SentencePiece does not.
  const splitsAtSpecialTokens = tokenizer?.ggml?.model === "gpt2";
  const bytesOf = tokenBytes(tokenizer?.ggml?.model ?? "none");
  // A sampler that filters nothing: it only looks. Made when somebody first asks.
  let judge: NativeSampler | null = null;
  const lastIndex = new Uint32Array(1);
  const noIndex = new Uint32Array(0);

  return {
    contextLength: context.contextSize,
    slots: options.slots,
    batchSize: context.batchSize,
    vocabularySize: tokenizer?.ggml?.tokens?.length ?? 0,
    gpu: llama.gpu === false ? "cpu" : llama.gpu,
    memory,
    detokenize: (tokens, before) => {
      if (splitsAtSpecialTokens || before.length === 0) return addonModel.detokenize(Uint32Array.from(tokens), false);
      const lead = addonModel.detokenize(Uint32Array.from(before), false);
      const whole = addonModel.detokenize(Uint32Array.from([...before, ...tokens]), false);
      return whole.startsWith(lead) ? whole.slice(lead.length) : addonModel.detokenize(Uint32Array.from(tokens), false);
    },
    spell: (tokens) => addonModel.detokenize(Uint32Array.from(tokens), true),
    controlToken: (text) => {
      const tokens = addonModel.tokenize(text, true);
      const [token] = tokens;
      if (token === undefined || tokens.length !== 1) return null;
      return addonModel.detokenize(tokens, false) === "" ? token : null;
    },
    isEndOfGeneration: (token) => addonModel.isEogToken(token),
    newSampler: () => new bindings.AddonSampler(addonModel),
    newGrammarState: (gbnf) => {
      const grammar = new bindings.AddonGrammar(gbnf, { addonExports: bindings, rootRuleName: "root" });
      return new bindings.AddonGrammarEvaluationState(addonModel, grammar);
    },
    decode: async (parts) => {
      let size = 0;
      for (const part of parts) size += part.tokens.length;
      addonContext.initBatch(size);
      const logitIndexes = parts.map((part) => {
        lastIndex[0] = part.tokens.length - 1;
        const kept = part.wantsLogits ? lastIndex : noIndex;
        return addonContext.addToBatch(part.sequence, part.position, part.tokens, kept)[0] ?? null;
      });
      await addonContext.decodeBatch();
      return logitIndexes;
    },
    sample: (logitIndex, chosen) => addonContext.sampleToken(logitIndex, chosen),
    logprobs: async (logitIndex, token, top) => {
      if (judge === null) {
        judge = new bindings.AddonSampler(addonModel);
        judge.applyConfig({ temperature: 0, seed: 0 });
      }
      const looked = await addonContext.sampleToken(
        logitIndex,
        judge,
        false,
        false,
        [[token], false, false, true, top],
        true,
      );
      return logprobsOf(judgement.parse(looked), token, top);
    },
    tokenText: (token) => {
      const text = addonModel.getTokenString(token);
      const isControl = (addonModel.getTokenAttributes(token) & controlAttribute) !== 0;
      return { text, bytes: isControl ? [] : bytesOf(text) };
    },
    truncate: (sequence, position) => {
      if (position > 0 && addonContext.removeTokenCellsFromSequence(sequence, position, -1)) return true;
      addonContext.disposeSequence(sequence);
      return position === 0;
    },
    copy: async (target, source) => {
      addonContext.disposeSequence(target);
      return (await addonContext.copySequenceStateFromOtherSequence(target, source)) + 1;
    },
    save: (sequence, tokens, path) => addonContext.saveSequenceStateToFile(path, sequence, Uint32Array.from(tokens)),
    restore: async (sequence, path) => {
      addonContext.disposeSequence(sequence);
      return (await addonContext.loadSequenceStateFromFile(path, sequence, context.contextSize)).length;
    },
  };
}

/** The greatest logit is among the pairs: the judge picks it. */
function logprobsOf([, , , pairs, weight]: z.infer<typeof judgement>, token: number, top: number): Logprobs {
  const logits = new Map<number, number>();
  for (let index = 0; index + 1 < pairs.length; index += 2) logits.set(pairs[index] ?? -1, pairs[index + 1] ?? 0);
  const scale = Math.max(...logits.values()) + Math.log(weight);
  const ranked = [...logits].map(([id, logit]) => ({ token: id, logprob: Math.min(0, logit - scale) }));
  ranked.sort((left, right) => right.logprob - left.logprob);
  const chosen = ranked.find((one) => one.token === token)?.logprob ?? Number.NEGATIVE_INFINITY;
  return { chosen, top: ranked.slice(0, top) };
}

const isFunction = z.custom<(...args: never[]) => unknown>((value) => typeof value === "function");
const contextShape = z.object({
  initBatch: isFunction,
  addToBatch: isFunction,
  decodeBatch: isFunction,
  getEmbedding: isFunction,
  sampleToken: isFunction,
  disposeSequence: isFunction,
  removeTokenCellsFromSequence: isFunction,
  copySequenceStateFromOtherSequence: isFunction,
  saveSequenceStateToFile: isFunction,
  loadSequenceStateFromFile: isFunction,
});
const modelShape = z.object({
  detokenize: isFunction,
  isEogToken: isFunction,
  getTokenString: isFunction,
  getTokenAttributes: isFunction,
});
const bindingShape = z.object({
  AddonSampler: isFunction,
  AddonGrammar: isFunction,
  AddonGrammarEvaluationState: isFunction,
});

/** The internal objects, checked by shape: a library that has moved them is refused with a sentence, not a TypeError. */
export function checkBinding(
  llama: Llama,
  model: LlamaModel,
  context: LlamaContext,
): { addonContext: AddonContext; addonModel: AddonModel; bindings: Bindings } {
  const addonContext: unknown = Reflect.get(context, "_ctx");
  const addonModel: unknown = Reflect.get(model, "_model");
  const bindings: unknown = Reflect.get(llama, "_bindings");
  // Methods of native objects live on the prototype, where zod's object parser does not look: read them by name.
  const named = (object: unknown, keys: readonly string[]) =>
    Object.fromEntries(keys.map((key) => [key, Reflect.get(Object(object), key)]));
  const found =
    contextShape.safeParse(named(addonContext, Object.keys(contextShape.shape))).success &&
    modelShape.safeParse(named(addonModel, Object.keys(modelShape.shape))).success &&
    bindingShape.safeParse(named(bindings, Object.keys(bindingShape.shape))).success;
  if (!found) throw new Error("This version of node-llama-cpp has moved its binding; Lanthorn needs exactly 3.22.1.");
  return {
    addonContext: addonContext as AddonContext,
    addonModel: addonModel as AddonModel,
    bindings: bindings as Bindings,
  };
}
