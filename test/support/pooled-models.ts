/** Tiny models that make vectors or scores, written with our own weights into a test's folder. */
import { join } from "node:path";
import { writeRandomEncoder } from "../../models/random/encoder.ts";
import { writeRandomModel } from "../../models/random/model.ts";
import { type Pooling, poolingIds } from "../../models/random/pooling.ts";
import { shapes } from "../../models/random/shapes.ts";

/** An encoder (BERT) with WordPiece tokens; with `rank` it reranks. */
export async function encoderModel(folder: string, pooling: Pooling): Promise<string> {
  const path = join(folder, `encoder-${pooling}.gguf`);
  await writeRandomEncoder(path, pooling);
  return path;
}

/** A decoder (Qwen2) whose header says how it pools. */
export async function decoderModel(folder: string, pooling: Pooling): Promise<string> {
  const path = join(folder, `decoder-${pooling}.gguf`);
  await writeRandomModel(path, shapes.tiny, 42, [["qwen2.pooling_type", { type: "uint32", value: poolingIds[pooling] }]]);
  return path;
}
