/**
 * Scores of models, and what a point of them costs. Data and arithmetic, pure. The scores are one paper's averages of November 2025:
 * they rank, they do not measure your work. `lanthorn route eval` does.
 */
import { over, type Ratio, ratio } from "./ratio.ts";

export interface QualityScore {
  readonly model: string;
  /** Of 100. */
  readonly score: number;
}

export const qualityScores: readonly QualityScore[] = Object.freeze([
  { model: "gpt-4", score: 95 },
  { model: "claude-3-opus", score: 94 },
  { model: "gpt-4-turbo", score: 93 },
  { model: "claude-3-sonnet", score: 88 },
  { model: "mixtral-8x7b", score: 87 },
  { model: "llama-3-70b", score: 86 },
  { model: "mistral-7b", score: 84 },
  { model: "llama-3-8b", score: 82 },
  { model: "gpt-3.5-turbo", score: 78 },
  { model: "phi-3-mini", score: 72 },
]);

/** Null: nobody scored it, and no similar name stands in for it. */
export function scoreOf(model: string): number | null {
  return qualityScores.find((one) => one.model === model)?.score ?? null;
}

/** Of any amount, in its unit. */
export function costPerPoint(amount: Ratio, score: number): Ratio {
  return over(amount, ratio(score));
}
