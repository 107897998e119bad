/**
 * Vectors and scores of node-llama-cpp itself, through its public contexts and with none of our engine in between, for tests
 * that hold the engine to them. One thread.
 */
import { getLlama, type Llama, LlamaLogLevel } from "node-llama-cpp";

let library: Promise<Llama> | null = null;

function theLibrary(): Promise<Llama> {
  library ??= getLlama({ gpu: false, build: "never", skipDownload: true, logLevel: LlamaLogLevel.error });
  return library;
}

/** The library's vectors, brought to length 1. */
export async function bareVectors(path: string, texts: readonly string[], batchSize = 512): Promise<number[][]> {
  const model = await (await theLibrary()).loadModel({ modelPath: path, gpuLayers: 0 });
  const context = await model.createEmbeddingContext({ contextSize: 512, batchSize, threads: 1 });
  const vectors: number[][] = [];
  for (const text of texts) {
    const { vector } = await context.getEmbeddingFor(text);
    const length = Math.hypot(...vector);
    vectors.push(vector.map((value) => value / length));
  }
  await model.dispose();
  return vectors;
}

export async function bareScores(path: string, query: string, documents: readonly string[]): Promise<number[]> {
  const model = await (await theLibrary()).loadModel({ modelPath: path, gpuLayers: 0 });
  const context = await model.createRankingContext({ contextSize: 512, batchSize: 512, threads: 1 });
  const scores = await context.rankAll(query, [...documents]);
  await model.dispose();
  return scores;
}

/** The greatest difference between two numbers at the same place; Infinity when the shapes differ. */
export function farthest(left: readonly ArrayLike<number>[], right: readonly ArrayLike<number>[]): number {
  if (left.length !== right.length) return Number.POSITIVE_INFINITY;
  let most = 0;
  for (const [index, one] of left.entries()) {
    const other = right[index];
    if (other?.length !== one.length) return Number.POSITIVE_INFINITY;
    for (let at = 0; at < one.length; at += 1) most = Math.max(most, Math.abs((one[at] ?? 0) - (other[at] ?? 0)));
  }
  return most;
}
