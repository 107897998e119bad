/** Random encoders: real files that the library itself loads, the same for the same seed. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { writeRandomEncoder } from "../../../models/random/encoder.ts";
import { wordPieces } from "../../../models/vocabulary/word-pieces.ts";
import { bareScores, bareVectors, farthest } from "../../support/bare-embedder.ts";
import { encoderModel } from "../../support/pooled-models.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

test("is the same file for the same seed, another for another", async () => {
  const path = join(temporaryFolder(), "encoder.gguf");
  const bytesOf = async (seed: number) => {
    await writeRandomEncoder(path, "mean", seed);
    return readFileSync(path);
  };
  const first = await bytesOf(1);
  expect((await bytesOf(1)).equals(first)).toBe(true);
  expect((await bytesOf(2)).equals(first)).toBe(false);
});

test("the library makes vectors of it that differ by text and by pooling, and scores with a head", async () => {
  const folder = temporaryFolder();
  const texts = ["read the file", "a lantern for the box"];
  const mean = await bareVectors(await encoderModel(folder, "mean"), texts);
  const cls = await bareVectors(await encoderModel(folder, "cls"), texts);
  expect(mean[0]).toHaveLength(64);
  expect(farthest(mean, [...mean].reverse())).toBeGreaterThan(0.05);
  expect(farthest(mean, cls)).toBeGreaterThan(0.05);
  const scores = await bareScores(await encoderModel(folder, "rank"), "read the file", texts);
  expect(new Set(scores).size).toBe(2);
  for (const score of scores) expect(score > 0 && score < 1).toBe(true);
});

test("its vocabulary has every piece once", () => {
  const pieces = wordPieces();
  expect(new Set(pieces).size).toBe(pieces.length);
  expect(pieces.slice(0, 5)).toEqual(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]);
});
