/**
 * What an embedding or a reranking is asked for, and what a backend reports while it computes one. Pure types. Both are
 * answered in one piece; a row, an attempt and an end they have as a chat has.
 */
import type { EndEvent } from "./chat.ts";

/** Text, or the tokens somebody has already made of it. */
export type EmbedInput =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "tokens"; readonly tokens: readonly number[] };

export interface EmbedRequest {
  /** The alias as the client wrote it. */
  readonly model: string;
  /** At least one, none of them empty. */
  readonly inputs: readonly EmbedInput[];
  /** Keep only so many numbers of each vector, and bring them to length 1 again; null: all. */
  readonly dimensions: number | null;
}

export interface RerankRequest {
  readonly model: string;
  readonly query: string;
  /** At least one. */
  readonly documents: readonly string[];
}

/** One vector of length 1 per input, in their order. */
export type Vectors = readonly Float32Array[];

/** How relevant each document is, 0 to 1, in their order. */
export type Scores = readonly number[];

/**
 * The events of an answer in one piece: the result comes once, right before `finished`. Before the first event a backend may
 * throw a Failure instead; afterwards it never throws.
 */
export type WholeEvent<Result> = { readonly type: "result"; readonly result: Result } | EndEvent;
