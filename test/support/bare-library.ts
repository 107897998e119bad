/**
 * A model in node-llama-cpp itself, without any of our engine in between, for tests that hold a file to what it was made to
 * say. One sequence, one thread, greedy unless asked otherwise.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Template } from "@huggingface/jinja";
import {
  getLlama,
  type Llama,
  LlamaGrammarEvaluationState,
  LlamaLogLevel,
  type LlamaGrammar,
  readGgufFileInfo,
  type SequenceEvaluateOptions,
  type Token,
} from "node-llama-cpp";
import { demoCopy } from "./demo-copy.ts";
import type { VoiceName } from "../../models/demo/voices.ts";

export interface ChatTurn {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  readonly tool_calls?: readonly unknown[];
}

export interface NextLogits {
  readonly logits: ReadonlyMap<number, number>;
  /** Sum of exp(logit - greatest) over the whole vocabulary. */
  readonly totalWeight: number;
}

export interface BareModel {
  render(turns: readonly ChatTurn[], tools?: readonly unknown[]): string;
  tokenize(text: string): number[];
  text(ids: readonly number[]): string;
  /** At most `limit` tokens after the prompt, without the end token. */
  answer(prompt: string, options?: SequenceEvaluateOptions, limit?: number): Promise<number[]>;
  /** The raw logits of the token after these. */
  logitsAfter(ids: readonly number[]): Promise<NextLogits>;
  /** An answer under GBNF, a JSON schema, or the library's own JSON grammar. */
  constrained(prompt: string, grammar: { gbnf: string } | { schema: object } | "json"): Promise<string>;
  close(): Promise<void>;
}

let library: Promise<Llama> | null = null;

/** One for all models of a test file: starting it costs a child process each time. */
function theLibrary(): Promise<Llama> {
  library ??= getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error });
  return library;
}

export async function loadBare(path: string, contextSize = 512): Promise<BareModel> {
  const llama = await theLibrary();
  const model = await llama.loadModel({ modelPath: path, gpuLayers: 0 });
  const { metadata } = await readGgufFileInfo(path);
  const template = new Template(String(metadata.tokenizer.chat_template));
  const context = await model.createContext({ sequences: 1, contextSize, threads: 1 });
  const sequence = context.getSequence();

  async function answer(prompt: string, options: SequenceEvaluateOptions = {}, limit = 200): Promise<number[]> {
    await sequence.clearHistory();
    const ids: number[] = [];
    for await (const id of sequence.evaluate(model.tokenize(prompt, true), { temperature: 0, ...options })) {
      ids.push(id);
      if (ids.length === limit) break;
    }
    return ids;
  }

  async function grammarOf(grammar: { gbnf: string } | { schema: object } | "json"): Promise<LlamaGrammar> {
    if (grammar === "json") return llama.getGrammarFor("json");
    if ("gbnf" in grammar) return llama.createGrammar({ grammar: grammar.gbnf });
    // The library types its own subset of JSON schema too narrowly for a variable; what it cannot take, it refuses.
    return llama.createGrammarForJsonSchema(grammar.schema as { type: "boolean" });
  }

  return {
    render: (turns, tools) => template.render({ messages: turns, tools, add_generation_prompt: true }),
    tokenize: (text) => model.tokenize(text, true),
    text: (ids) => model.detokenize(ids as readonly Token[], true),
    answer,
    async logitsAfter(ids) {
      await sequence.clearHistory();
      const tokens = ids as readonly Token[];
      const last = tokens.at(-1);
      if (last === undefined) throw new Error("no tokens to go on from");
      if (tokens.length > 1) await sequence.evaluateWithoutGeneratingNewTokens(tokens.slice(0, -1));
      const options = { temperature: 0, topK: 0, topP: 1 };
      const [result] = await sequence.controlledEvaluate([
        [last, { generateNext: { token: true, logits: true, totalLogitWeight: true, options } }],
      ]);
      return { logits: result?.next.logits ?? new Map(), totalWeight: result?.next.totalLogitWeight ?? 0 };
    },
    async constrained(prompt, grammar) {
      const state = new LlamaGrammarEvaluationState({ model, grammar: await grammarOf(grammar) });
      return model.detokenize((await answer(prompt, { grammarEvaluationState: state })) as Token[], true);
    },
    close: () => model.dispose(),
  };
}

/** One of the constructed models, in a folder of its own that goes when it is closed. */
export async function loadDemo(voice: VoiceName, contextSize?: number): Promise<BareModel> {
  const folder = await mkdtemp(join(tmpdir(), "lanthorn-test-"));
  const bare = await loadBare(await demoCopy(folder, voice), contextSize);
  const close = async (): Promise<void> => {
    await bare.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { ...bare, close };
}
