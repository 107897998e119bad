/**
 * A model's vocabulary without its weights: what turns text into tokens and back. Runs in the preparation process, the only
 * place besides `worker/native.ts` that touches node-llama-cpp.
 *
 * It drives the library's own binding: the public `loadModel` estimates memory for layers first and takes 2.4 s where the
 * binding takes 0.3 s (0.5B shape, vocabulary of 151,936).
 */
import { z } from "zod";
import type { VocabularyFile } from "./protocol.ts";

/** The model's own tokens around a gap that is to be filled in. */
export interface InfillTokens {
  readonly prefix: number;
  readonly suffix: number;
  readonly middle: number;
}

export interface Vocabulary {
  readonly size: number;
  readonly bosText: string;
  readonly eosText: string;
  readonly bosToken: number | null;
  /** Put the BOS token in front of a prompt that does not begin with it. */
  readonly prependBos: boolean;
  /** Byte-level BPE splits at special tokens first and then looks at each stretch alone; SentencePiece does not. */
  readonly splitsAtSpecialTokens: boolean;
  /** Null: this model was not trained to fill gaps. */
  readonly infill: InfillTokens | null;
  /** `special`: texts of special tokens become those tokens. */
  tokenize(text: string, special: boolean): Uint32Array;
  /** Special tokens included. */
  detokenize(tokens: readonly number[]): string;
}

interface AddonVocabulary {
  init(): Promise<boolean>;
  tokenize(text: string, specialTokens: boolean): Uint32Array;
  detokenize(tokens: Uint32Array, specialTokens: boolean): string;
  shouldPrependBosToken(): boolean;
  tokenBos(): number;
  tokenEos(): number;
  prefixToken(): number;
  suffixToken(): number;
  middleToken(): number;
  getTokenString(token: number): string;
}

type AddonModel = new (path: string, options: object) => AddonVocabulary;

const isConstructor = z.custom<AddonModel>((value) => typeof value === "function");

/** Throws the library's error, or a sentence when its binding has moved. */
export async function loadVocabulary(file: VocabularyFile): Promise<Vocabulary> {
  const library = await import("node-llama-cpp");
  const llama = await library.getLlama({
    gpu: false,
    build: "never",
    skipDownload: true,
    progressLogs: false,
    logLevel: library.LlamaLogLevel.error,
  });
  const bindings: unknown = Reflect.get(llama, "_bindings");
  const parsed = isConstructor.safeParse(Reflect.get(Object(bindings), "AddonModel"));
  if (!parsed.success) {
    throw new Error("This version of node-llama-cpp has moved its binding; Lanthorn needs exactly 3.22.1.");
  }
  const model = new parsed.data(file.path, { addonExports: bindings, gpuLayers: 0, vocabOnly: true, useMmap: true });
  if (!(await model.init())) throw new Error("the engine cannot read its vocabulary");
  const bos = known(model.tokenBos(), file);
  const eos = known(model.tokenEos(), file);
  return {
    size: file.vocabularySize,
    bosText: bos === null ? "" : model.getTokenString(bos),
    eosText: eos === null ? "" : model.getTokenString(eos),
    bosToken: bos,
    prependBos: model.shouldPrependBosToken(),
    splitsAtSpecialTokens: file.tokenizer === "gpt2",
    infill: infillTokens(model, file),
    tokenize: (text, special) => model.tokenize(text, special),
    detokenize: (tokens) => model.detokenize(Uint32Array.from(tokens), true),
  };
}

function infillTokens(model: AddonVocabulary, file: VocabularyFile): InfillTokens | null {
  const prefix = known(model.prefixToken(), file);
  const suffix = known(model.suffixToken(), file);
  const middle = known(model.middleToken(), file);
  return prefix === null || suffix === null || middle === null ? null : { prefix, suffix, middle };
}

/** The library says -1 for a token there is none of. */
function known(token: number, file: VocabularyFile): number | null {
  return Number.isInteger(token) && token >= 0 && token < file.vocabularySize ? token : null;
}
