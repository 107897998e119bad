/** Seconds of fuzzing with a fixed seed; minutes of it are in `test/long/fuzz.long.ts`. */
import { expect, test } from "vitest";
import { decodeChat as decodeMessages } from "../../server/dialects/anthropic-messages/decode.ts";
import { ollamaEmbed } from "../../server/dialects/ollama/embed.ts";
import { ollama, ollamaGenerate } from "../../server/dialects/ollama/ollama.ts";
import { decodeChat } from "../../server/dialects/openai-chat/decode.ts";
import { decodeCompletion } from "../../server/dialects/openai-completions/decode.ts";
import { openaiEmbeddings } from "../../server/dialects/openai-embeddings/openai-embeddings.ts";
import { rerank } from "../../server/dialects/rerank/rerank.ts";
import {
  chatSeeds,
  completionSeeds,
  embeddingSeeds,
  fuzzDecoder,
  messagesSeeds,
  ollamaChatSeeds,
  ollamaEmbedSeeds,
  ollamaGenerateSeeds,
  rerankSeeds,
} from "../support/fuzz-decoder.ts";
import { fuzzGguf } from "../support/fuzz-gguf.ts";
import { encodeGguf, smallModel } from "../support/gguf-bytes.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const bounds = { executions: 4_000, limitMs: 40_000, seed: 20_261_126 };

test.each([
  ["chat", chatSeeds, decodeChat],
  ["completions", completionSeeds, decodeCompletion],
  ["Messages", messagesSeeds, decodeMessages],
  ["embeddings", embeddingSeeds, openaiEmbeddings.decode],
  ["rerank", rerankSeeds, rerank.decode],
  ["Ollama chat", ollamaChatSeeds, ollama.decodeChat],
  ["Ollama generate", ollamaGenerateSeeds, ollamaGenerate.decodeChat],
  ["Ollama embed", ollamaEmbedSeeds, ollamaEmbed.decode],
] as const)("a mutated %s body is a request, or a 400 that names the field", (_name, seeds, decode) => {
  const result = fuzzDecoder(seeds, decode, bounds);
  expect(result.broken).toEqual([]);
  expect(result.executions).toBe(bounds.executions);
  // The mutations are neither all harmless nor all fatal.
  expect(result.accepted).toBeGreaterThan(100);
  expect(result.refused).toBeGreaterThan(100);
  expect(result.longestMs).toBeLessThan(2_500);
});

test("a mutated model file is accepted, or refused with a reason, soon and cheaply", async () => {
  const bytes = encodeGguf(smallModel);
  const seeds = [{ bytes, headerBytes: bytes.length - smallModel.dataBytes }];
  const before = process.memoryUsage().rss;
  const result = await fuzzGguf(seeds, temporaryFolder(), { ...bounds, executions: 2_000 });
  expect(result.broken).toEqual([]);
  expect(result.executions).toBe(2_000);
  expect(result.accepted).toBeGreaterThan(20);
  expect(result.refused).toBeGreaterThan(100);
  expect(result.longestMs).toBeLessThan(2_500);
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
});
