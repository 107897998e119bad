/**
 * What a model can be asked for, decided from its header: chat, embeddings or reranking; and whether somebody's wish for one
 * of them can be kept. Pure. Runs in the server process and in commands.
 */
import type { PooledAbility } from "../server/domain/model.ts";
import type { GgufSummary } from "./gguf/validate.ts";

/** What `kind` in the configuration and on the command line may say. */
export type ModelKind = "chat" | "embedding" | "rerank";

/** Models that read a whole text at once and write none. */
const encoders: ReadonlySet<string> = new Set([
  "bert",
  "eurobert",
  "gemma-embedding",
  "jina-bert-v2",
  "jina-bert-v3",
  "llama-embed",
  "modern-bert",
  "neo-bert",
  "nomic-bert",
  "nomic-bert-moe",
  "t5encoder",
]);

/** Where the engine makes probabilities of the scores itself. */
const probabilityArchitectures: ReadonlySet<string> = new Set(["qwen3", "qwen3vl"]);

/** Null: a chat model. A text: why it cannot be what was asked, the end of a sentence. */
export function abilityOf(summary: Omit<GgufSummary, "shape">, asked: ModelKind | null): PooledAbility | null | string {
  const encoder = encoders.has(summary.architecture);
  const ranks = summary.classifier || summary.pooling === "rank";
  const vectors = encoder || (summary.pooling !== null && summary.pooling !== "none");
  const kind = asked ?? (ranks ? "rerank" : vectors ? "embedding" : "chat");
  if (kind === "chat") return encoder ? "it is an encoder: it can make embeddings, but it cannot chat" : null;
  if (kind === "rerank" && !summary.classifier) return "it has no classification head, so it cannot rerank";
  if (kind === "embedding" && ranks) return "it is a reranker, so it makes scores and no embeddings";
  const pooling = kind === "rerank" ? "rank" : (summary.pooling ?? "none");
  return {
    capability: kind === "rerank" ? "rerank" : "embeddings",
    pooling,
    inOnePiece: encoder || !summary.causal || pooling === "cls" || pooling === "rank",
    embeddingLength: summary.outputLength,
    vocabularySize: summary.vocabularySize,
    scoresAreProbabilities: probabilityArchitectures.has(summary.architecture),
  };
}
