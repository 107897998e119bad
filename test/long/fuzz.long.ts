/**
 * Minutes of fuzzing, bounded in count and in time: the decoders, the GGUF validator, and native code on what the
 * validator lets through. `LANTHORN_FUZZ_SEED` tries another seed; the default is fixed.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeDemoModel } from "../../models/demo/file.ts";
import { validateGguf } from "../../models/gguf/validate.ts";
import { readGgufHeader } from "../../models/gguf/reader.ts";
import { decodeChat } from "../../server/dialects/openai-chat/decode.ts";
import { decodeCompletion } from "../../server/dialects/openai-completions/decode.ts";
import { openaiEmbeddings } from "../../server/dialects/openai-embeddings/openai-embeddings.ts";
import { rerank } from "../../server/dialects/rerank/rerank.ts";
import { chatSeeds, completionSeeds, embeddingSeeds, fuzzDecoder, rerankSeeds } from "../support/fuzz-decoder.ts";
import { fuzzGguf, type GgufSeed } from "../support/fuzz-gguf.ts";
import { encodeGguf, smallModel } from "../support/gguf-bytes.ts";
import { nativeTrial } from "../support/native-vocabulary.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const seed = Number(process.env.LANTHORN_FUZZ_SEED ?? 20_261_126);

test.each([
  ["chat", chatSeeds, decodeChat],
  ["completions", completionSeeds, decodeCompletion],
  ["embeddings", embeddingSeeds, openaiEmbeddings.decode],
  ["rerank", rerankSeeds, rerank.decode],
] as const)("the %s decoder, for half a minute", (name, seeds, decode) => {
  const result = fuzzDecoder(seeds, decode, { executions: 1_000_000, limitMs: 30_000, seed });
  console.log(
    `${name}: ${result.executions} bodies, ${result.accepted} accepted, longest ${result.longestMs.toFixed(1)} ms`,
  );
  expect(result.broken).toEqual([]);
  expect(result.executions).toBeGreaterThan(1_000);
});

async function modelSeeds(folder: string): Promise<GgufSeed[]> {
  const demo = join(folder, "demo.gguf");
  await writeDemoModel(demo, "demo");
  const small = encodeGguf(smallModel);
  const { headerBytes } = await readGgufHeader(demo);
  return [
    { bytes: small, headerBytes: small.length - smallModel.dataBytes },
    { bytes: await readFile(demo), headerBytes },
    // The beginning again: the keys are few against the vocabulary's texts.
    { bytes: await readFile(demo), headerBytes: 2_000 },
  ];
}

test("the GGUF validator for two minutes, and the vocabulary of what it accepts in native code", async () => {
  const folder = temporaryFolder();
  const seeds = await modelSeeds(folder);
  const trial = nativeTrial();
  const outcomes = new Map<string, number>();
  const died: string[] = [];
  try {
    const bounds = { executions: 200_000, limitMs: 120_000, seed };
    const result = await fuzzGguf(seeds, folder, bounds, async (bytes) => {
      const path = join(folder, "mutated.gguf");
      const { vocabularySize, tokenizer, chatTemplate } = await validateGguf(path);
      const outcome = await trial.outcomeOf({ path, chatTemplate, tokenizer, vocabularySize });
      const kind = outcome.replace(/:.*/s, "");
      outcomes.set(kind, (outcomes.get(kind) ?? 0) + 1);
      if (kind !== "died") return;
      mkdirSync("out/fuzz", { recursive: true });
      const kept = join("out/fuzz", `died-${seed}-${died.length}.gguf`);
      writeFileSync(kept, bytes);
      died.push(`${outcome}, see ${kept}`);
    });
    const native = [...outcomes].map(([kind, count]) => `${count} ${kind}`).join(", ");
    console.log(
      `gguf: ${result.executions} files, ${result.accepted} accepted (natively ${native}), longest ${result.longestMs.toFixed(0)} ms`,
    );
    expect(result.broken).toEqual([]);
    expect(died).toEqual([]);
    expect(result.accepted).toBeGreaterThan(20);
  } finally {
    trial.close();
  }
});
