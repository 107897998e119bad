/** The true shapes of the Qwen2.5-Coder models, a tiny one for tests and a small one for long benches. Pure data. */

export interface Shape {
  readonly name: string;
  readonly blockCount: number;
  readonly width: number;
  readonly headCount: number;
  readonly headCountKv: number;
  readonly feedForwardWidth: number;
  /** Rows of the embedding: the tokens there are, and unused ones up to here. */
  readonly vocabularySize: number;
  /** Ordinary tokens; the special ones follow. */
  readonly ordinaryTokens: number;
}

/** Of the Qwen2.5 family: 256 bytes and 151,387 merges. */
const qwenOrdinaryTokens = 151_643;

export const shapes = Object.freeze({
  tiny: {
    name: "tiny",
    blockCount: 2,
    width: 128,
    headCount: 4,
    headCountKv: 2,
    feedForwardWidth: 256,
    vocabularySize: 8192,
    ordinaryTokens: 8160,
  },
  small: {
    name: "small",
    blockCount: 6,
    width: 512,
    headCount: 8,
    headCountKv: 2,
    feedForwardWidth: 1408,
    vocabularySize: 8192,
    ordinaryTokens: 8160,
  },
  "0.5b": {
    name: "0.5B",
    blockCount: 24,
    width: 896,
    headCount: 14,
    headCountKv: 2,
    feedForwardWidth: 4864,
    vocabularySize: 151_936,
    ordinaryTokens: qwenOrdinaryTokens,
  },
  "1.5b": {
    name: "1.5B",
    blockCount: 28,
    width: 1536,
    headCount: 12,
    headCountKv: 2,
    feedForwardWidth: 8960,
    vocabularySize: 151_936,
    ordinaryTokens: qwenOrdinaryTokens,
  },
  "7b": {
    name: "7B",
    blockCount: 28,
    width: 3584,
    headCount: 28,
    headCountKv: 4,
    feedForwardWidth: 18_944,
    vocabularySize: 152_064,
    ordinaryTokens: qwenOrdinaryTokens,
  },
} satisfies Record<string, Shape>);

export type ShapeName = keyof typeof shapes;
