/** Tiny models that make vectors or scores, written with our own weights into a test's folder. */
import { join } from "node:path";
import { writeRandomEncoder } from "../../models/random/encoder.ts";
import { writeRandomModel } from "../../models/random/model.ts";
import type { Pooling } from "../../models/random/pooling.ts";
import { shapes } from "../../models/random/shapes.ts";

/** An encoder (BERT) with WordPiece tokens; with `rank` it reranks. */
export async function encoderModel(folder: string, pooling: Pooling): Promise<string> {
  const path = join(folder, `encoder-${pooling}.gguf`);
  await writeRandomEncoder(path, pooling);
  return path;
}

/** A decoder whose header says how it pools: Qwen2, and for `rank` the shape of Qwen3's reranker. */
export async function decoderModel(folder: string, pooling: Exclude<Pooling, "cls">): Promise<string> {
  const path = join(folder, `decoder-${pooling}.gguf`);
  await writeRandomModel(path, shapes.tiny, 42, pooling);
  return path;
}
