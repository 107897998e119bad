/**
 * What the server and the preparation process say to each other. Plain data over Node's IPC channel, tagged by request id.
 * Types only, and the form in which token ids travel.
 */
import type { JsonSchema } from "../../../domain/chat.ts";
import type { FailureCode } from "../../../domain/failure.ts";

/** Messages as chat templates know them. */
export interface TemplateMessage {
  readonly role: string;
  readonly content: string;
  readonly reasoning_content?: string;
  /** The same under the name that gpt-oss gives it. */
  readonly thinking?: string;
  readonly tool_calls?: readonly {
    readonly id: string;
    readonly type: "function";
    readonly function: { readonly name: string; readonly arguments: unknown };
  }[];
  readonly tool_call_id?: string;
  readonly name?: string;
}

export interface TemplateTool {
  readonly type: "function";
  readonly function: { readonly name: string; readonly description: string; readonly parameters: JsonSchema };
}

export interface ChatPrompt {
  readonly type: "chat";
  readonly messages: readonly TemplateMessage[];
  readonly tools: readonly TemplateTool[];
  /** The client wants no thinking: said to templates that ask whether they may. Absent: it said nothing of the kind. */
  readonly withoutThinking?: true;
}

/** Prompts that are tokens already, or become them without a template. */
export interface RawPrompts {
  readonly type: "raw";
  readonly prompts: readonly (string | readonly number[])[];
  readonly suffix: string | null;
  /** Give the prompts' text back. */
  readonly echo: boolean;
}

export type PromptInput = ChatPrompt | RawPrompts;

/** A GGUF as this process needs to know it; the file's header was validated before. */
export interface VocabularyFile {
  readonly path: string;
  /** Jinja text; null when the file has none. */
  readonly chatTemplate: string | null;
  /** `tokenizer.ggml.model`: `gpt2` is byte-level BPE, `llama` is SentencePiece. */
  readonly tokenizer: string;
  readonly vocabularySize: number;
}

export interface PrepareMessage {
  readonly type: "prepare";
  readonly id: number;
  readonly file: VocabularyFile;
  readonly prompt: PromptInput;
  /** Tokens one request may hold. */
  readonly contextLength: number;
  readonly templateTimeLimitMs: number;
}

export type ToPreparer = PrepareMessage | { readonly type: "ping" };

export interface WirePrompt {
  /** `packTokens`. */
  readonly tokens: string;
  /** The prompt's text, when `echo` asked for it. */
  readonly echo: string | null;
}

export type FromPreparer =
  | { readonly type: "pong" }
  | { readonly type: "prepared"; readonly id: number; readonly prompts: readonly WirePrompt[] }
  /** Does not fit. `exact`: this is the count; else it is more than that, and counting stopped there. */
  | { readonly type: "too-long"; readonly id: number; readonly promptTokens: number; readonly exact: boolean }
  | {
      readonly type: "refused";
      readonly id: number;
      readonly code: FailureCode;
      readonly message: string;
      readonly param: string | null;
    }
  /** The engine cannot read this file's vocabulary; the reason is for the log. */
  | { readonly type: "unreadable"; readonly id: number; readonly reason: string };

/** Token ids as text: JSON prints and parses a string of base64 many times faster than 30,000 numbers. */
export function packTokens(tokens: readonly number[]): string {
  return Buffer.from(Uint32Array.from(tokens).buffer).toString("base64");
}

export function unpackTokens(packed: string): number[] {
  const bytes = Buffer.from(packed, "base64");
  const tokens = new Array<number>(bytes.length / 4);
  for (let index = 0; index < tokens.length; index += 1) tokens[index] = bytes.readUInt32LE(index * 4);
  return tokens;
}
