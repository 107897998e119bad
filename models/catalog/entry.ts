/** What the catalog says about a model. Pure types: every figure has a source, and what is not known is absent. */

export interface CatalogFile {
  /** In its repository, with `/` between folders. */
  readonly path: string;
  readonly bytes: number;
  /** Of the whole file, in hex; null: not known, then the Hub's own figure is taken and kept. */
  readonly sha256: string | null;
}

export type CatalogPurpose = "coding" | "chat" | "autocomplete" | "embeddings" | "rerank";

export interface CatalogLicence {
  /** `apache-2.0`, `llama3.1`, `qwen-research`. */
  readonly id: string;
  /** It forbids uses that people expect, so it must be accepted before a download. */
  readonly restricted: boolean;
  /** What it forbids, in one sentence; null where nothing is. */
  readonly note: string | null;
}

export interface PublishedFigure {
  /** `HumanEval`, `MMLU`. */
  readonly benchmark: string;
  readonly value: number;
  readonly unit: "percent" | "elo" | "score";
  readonly source: string;
  /** The day it was read, YYYY-MM-DD. */
  readonly day: string;
}

export interface CatalogEntry {
  /** `qwen2.5-coder-7b-instruct`: also the alias it is served under. */
  readonly id: string;
  /** Other names that lead here. */
  readonly aliases: readonly string[];
  /** `Qwen2.5-Coder 7B`. */
  readonly title: string;
  /** What somebody must know who asked by another name; null: nothing. */
  readonly note: string | null;
  /** `owner/name` on the Hub. */
  readonly repository: string;
  /** A commit, so that the same bytes come every time; null: not pinned yet, the newest is resolved and kept. */
  readonly revision: string | null;
  readonly quantization: string;
  /** One file, or its parts in order. */
  readonly files: readonly CatalogFile[];
  readonly parameters: number | null;
  /** Parameters one token uses, where that is fewer (mixture of experts). */
  readonly activeParameters: number | null;
  readonly layers: number | null;
  readonly headCount: number | null;
  readonly headCountKv: number | null;
  readonly headLength: number | null;
  /** Tokens it was trained for, as its GGUF says. */
  readonly contextLength: number;
  readonly licence: CatalogLicence;
  readonly purposes: readonly CatalogPurpose[];
  readonly abilities: readonly ("tools" | "reasoning" | "fill-in-the-middle")[];
  readonly figures: readonly PublishedFigure[];
  /** Where repository, file, bytes, hash and architecture were read, with the day. */
  readonly sources?: readonly string[];
}
