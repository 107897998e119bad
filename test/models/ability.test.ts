/** What a header makes of a model, and which wishes can be kept. */
import { expect, test } from "vitest";
import { abilityOf } from "../../models/ability.ts";
import { validateGguf } from "../../models/gguf/validate.ts";
import { listModels } from "../../models/store.ts";
import { decoderModel, encoderModel } from "../support/pooled-models.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const decoder = {
  architecture: "qwen2",
  name: null,
  trainedContextLength: 32_768,
  blockCount: 2,
  headCount: 4,
  headCountKv: 2,
  embeddingLength: 128,
  outputLength: 128,
  pooling: null,
  classifier: false,
  causal: true,
  vocabularySize: 8_192,
  tokenizer: "gpt2",
  chatTemplate: null,
  demo: false,
  fileType: 1,
  splitCount: 1,
} as const;
const encoder = { ...decoder, architecture: "bert", causal: false, pooling: "mean" } as const;

test("a decoder without pooling chats; with pooling, or asked to, it makes embeddings", () => {
  expect(abilityOf(decoder, null)).toBeNull();
  expect(abilityOf({ ...decoder, pooling: "none" }, null)).toBeNull();
  expect(abilityOf({ ...decoder, pooling: "last" }, null)).toMatchObject({
    capability: "embeddings",
    pooling: "last",
    inOnePiece: false,
  });
  expect(abilityOf({ ...decoder, pooling: "cls" }, null)).toMatchObject({ inOnePiece: true });
  expect(abilityOf(decoder, "embedding")).toMatchObject({ capability: "embeddings", pooling: "none" });
  expect(abilityOf({ ...decoder, pooling: "last" }, "chat")).toBeNull();
});

test("an encoder makes embeddings in one piece, a classification head makes it a reranker", () => {
  expect(abilityOf(encoder, null)).toMatchObject({ capability: "embeddings", pooling: "mean", inOnePiece: true });
  expect(abilityOf({ ...encoder, pooling: null }, null)).toMatchObject({ capability: "embeddings", pooling: "none" });
  expect(abilityOf({ ...encoder, classifier: true }, null)).toMatchObject({ capability: "rerank", pooling: "rank" });
  expect(abilityOf({ ...decoder, architecture: "qwen3", classifier: true }, null)).toMatchObject({
    capability: "rerank",
    scoresAreProbabilities: true,
  });
});

test.each([
  [encoder, "chat", "it is an encoder: it can make embeddings, but it cannot chat"],
  [decoder, "rerank", "it has no classification head, so it cannot rerank"],
  [{ ...encoder, pooling: "rank" }, null, "it has no classification head, so it cannot rerank"],
  [{ ...encoder, classifier: true }, "embedding", "it is a reranker, so it makes scores and no embeddings"],
] as const)("a wish that cannot be kept is refused with its reason (%#)", (summary, kind, reason) => {
  expect(abilityOf(summary, kind)).toBe(reason);
});

test("real files say what they are, and `kind` is heard", async () => {
  const folder = temporaryFolder();
  const path = await encoderModel(folder, "cls");
  const ranker = await encoderModel(folder, "rank");
  const decoderPath = await decoderModel(folder, "last");
  expect(await validateGguf(path)).toMatchObject({ architecture: "bert", pooling: "cls", causal: false });
  expect(await validateGguf(ranker)).toMatchObject({ pooling: "rank", classifier: true });
  const { files, refusals } = await listModels({
    folder: "/nowhere",
    entries: [
      { path },
      { path: ranker },
      { path: decoderPath },
      { path: decoderPath, alias: "as-chat", kind: "chat" },
      { path, alias: "as-ranker", kind: "rerank" },
    ],
  });
  expect(files.map((file) => [file.alias, file.pooled?.capability ?? "chat"])).toEqual([
    ["encoder-cls", "embeddings"],
    ["encoder-rank", "rerank"],
    ["decoder-last", "embeddings"],
    ["as-chat", "chat"],
  ]);
  expect(refusals).toEqual([
    { fileName: "encoder-cls.gguf", reason: "it has no classification head, so it cannot rerank" },
  ]);
});
