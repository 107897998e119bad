/** Model files of the benches: written once by `models/random/write.ts` into `.cache/models/`, which git ignores. */
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import type { ModelName } from "./scenario.ts";

export const repositoryRoot = join(import.meta.dirname, "..", "..");
const folder = join(repositoryRoot, ".cache", "models");
const limitMs = 600_000;

/** `llama-quantize`: named by LLAMA_QUANTIZE, else the one beside LLAMA_SERVER; null where there is none. */
export function quantizeProgram(): string | null {
  const named = process.env.LLAMA_QUANTIZE;
  if (named) return named;
  const server = process.env.LLAMA_SERVER;
  if (!server) return null;
  const beside = join(dirname(server), "llama-quantize");
  return existsSync(beside) ? beside : null;
}

/** Path of the model, written first when it is missing. Without llama-quantize the large one is F16, and its name says so. */
export async function modelFile(name: ModelName, say: (sentence: string) => void): Promise<string> {
  mkdirSync(folder, { recursive: true });
  if (name === "tiny" || name === "small") return await written(name, `${name}-random-f16.gguf`, [], say);
  const quantize = quantizeProgram();
  const quantized = join(folder, "qwen2-0.5b-random-q4_k_m.gguf");
  if (existsSync(quantized)) return quantized;
  if (quantize === null) {
    say("LLAMA_QUANTIZE is not set: the 0.5B shape is measured in F16 instead of Q4_K_M.");
    return await written("0.5b", "qwen2-0.5b-random-f16.gguf", [], say);
  }
  return await written("0.5b", "qwen2-0.5b-random-q4_k_m.gguf", ["--quantize", "q4_k_m"], say, quantize);
}

async function written(
  shape: string,
  fileName: string,
  options: readonly string[],
  say: (sentence: string) => void,
  quantize: string | null = null,
): Promise<string> {
  const path = join(folder, fileName);
  if (existsSync(path)) return path;
  say(`Writing the model ${fileName} once.`);
  // Written under another name first, so that a stopped bench leaves no half file behind.
  const partial = join(folder, `writing-${process.pid}-${fileName}`);
  try {
    await promisify(execFile)(process.execPath, ["models/random/write.ts", shape, partial, ...options], {
      cwd: repositoryRoot,
      timeout: limitMs,
      env: quantize === null ? process.env : { ...process.env, LLAMA_QUANTIZE: quantize },
    });
    renameSync(partial, path);
  } finally {
    // The half-precision file lies beside it while it is being quantized.
    for (const left of [partial, `${partial}.f16.partial`]) rmSync(left, { force: true });
  }
  return path;
}
