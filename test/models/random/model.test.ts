/** Random weights: real files in the asked shape, the same for the same seed, that the engine runs. */
import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readGgufHeader } from "../../../models/gguf/reader.ts";
import { validateGguf } from "../../../models/gguf/validate.ts";
import { sha256 } from "../../../models/demo/file.ts";
import { parameterCount, writeRandomModel } from "../../../models/random/model.ts";
import { findQuantizer, quantize } from "../../../models/random/quantize.ts";
import { shapes } from "../../../models/random/shapes.ts";
import { growVocabulary, learnVocabulary } from "../../../models/vocabulary/byte-level.ts";
import { loadBare } from "../../support/bare-library.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

describe("the tiny shape", () => {
  test("is the same file for the same seed, another for another", async () => {
    const folder = temporaryFolder();
    const hashOf = async (seed: number): Promise<string> => {
      await writeRandomModel(join(folder, "model.gguf"), shapes.tiny, seed);
      return sha256(readFileSync(join(folder, "model.gguf")));
    };
    const first = await hashOf(42);
    expect(await hashOf(42)).toBe(first);
    expect(await hashOf(43)).not.toBe(first);
  });

  test("passes the validator, loads, answers differently to different prompts, and splits text usefully", async () => {
    const path = join(temporaryFolder(), "model.gguf");
    await writeRandomModel(path, shapes.tiny);
    expect(await validateGguf(path)).toMatchObject({
      architecture: "qwen2",
      blockCount: 2,
      headCount: 4,
      headCountKv: 2,
      embeddingLength: 128,
      vocabularySize: 8192,
      demo: false,
    });
    const bare = await loadBare(path);
    const answer = (content: string) => bare.answer(bare.render([{ role: "user", content }]), {}, 16);
    expect(await answer("hello")).not.toEqual(await answer("goodbye"));
    const prose = "Please read the file and explain how the configuration is loaded before the server starts.";
    expect(prose.length / bare.tokenize(prose).length).toBeGreaterThan(3);
    const odd = 'Grüße, 世界 🏮\n\tx = {"a": [1, 2]}';
    expect(bare.text(bare.tokenize(odd))).toBe(odd);
    await bare.close();
  });

  test("no two rows of its matrices are the same", async () => {
    const path = join(temporaryFolder(), "model.gguf");
    await writeRandomModel(path, shapes.tiny);
    const header = await readGgufHeader(path);
    const bytes = readFileSync(path);
    const dataStart = Math.ceil(header.headerBytes / 32) * 32;
    const output = header.tensors.find((tensor) => tensor.name === "output.weight");
    const start = dataStart + Number(output?.offset);
    const rows = Array.from({ length: 8192 }, (_, row) =>
      bytes.toString("latin1", start + row * 256, start + row * 256 + 256),
    );
    expect(new Set(rows).size).toBe(8192);
  });
});

test("the large shapes are those of Qwen2.5-Coder, output matrix included", () => {
  const millions = Object.values(shapes).map((shape) => Math.round(parameterCount(shape) / 1e6));
  expect(Object.fromEntries(Object.keys(shapes).map((name, index) => [name, millions[index]]))).toEqual({
    tiny: 2,
    small: 25,
    "0.5b": 630,
    "1.5b": 1777,
    "7b": 7616,
  });
});

test("a vocabulary of the full size: every token once, every merge made of tokens", () => {
  const vocabulary = learnVocabulary([" the", "ing", "é"]);
  growVocabulary(vocabulary, shapes["0.5b"].ordinaryTokens);
  expect(vocabulary.tokens).toHaveLength(151_643);
  expect(new Set(vocabulary.tokens).size).toBe(151_643);
  expect(vocabulary.merges).toHaveLength(151_643 - 256);
  const strangers = vocabulary.merges.filter((merge) => merge.split(" ").some((piece) => !vocabulary.idOf.has(piece)));
  expect(strangers).toEqual([]);
});

describe.skipIf(process.platform === "win32")("quantizing", () => {
  /** A stand-in for llama-quantize that writes its arguments into the target, or fails. */
  function standIn(script: string): string {
    const folder = temporaryFolder();
    const program = join(folder, "llama-quantize");
    writeFileSync(program, `#!/bin/sh\n${script}\n`);
    chmodSync(program, 0o755);
    return program;
  }

  test("the program is the one that is named, else the one on the PATH, else there is none", async () => {
    const program = standIn("true");
    const folder = join(program, "..");
    mkdirSync(join(folder, "empty"));
    expect(await findQuantizer({ LLAMA_QUANTIZE: program, PATH: "" })).toBe(program);
    expect(await findQuantizer({ PATH: `${join(folder, "empty")}:${folder}` })).toBe(program);
    expect(await findQuantizer({ LLAMA_QUANTIZE: join(folder, "missing"), PATH: folder })).toBeNull();
    expect(await findQuantizer({ PATH: join(folder, "empty") })).toBeNull();
  });

  test("it is asked for source, target and kind, and its last words are the error", async () => {
    const target = join(temporaryFolder(), "out.gguf");
    await quantize(standIn('echo "$1 $3" > "$2"'), "in.gguf", target, "Q4_K_M");
    expect(readFileSync(target, "utf8")).toBe("in.gguf Q4_K_M\n");
    const failing = standIn("echo no room >&2; exit 3");
    await expect(quantize(failing, "in.gguf", target, "Q4_K_M")).rejects.toThrow(
      "llama-quantize ended with 3: no room",
    );
  });

  test("the command quantizes where it can, and says so and keeps the F16 file where it cannot", () => {
    const target = join(temporaryFolder(), "out.gguf");
    const args = ["models/random/write.ts", "tiny", target, "--quantize", "q4_k_m"];
    const program = standIn('echo "$3" > "$2"');
    execFileSync(process.execPath, args, { env: { LLAMA_QUANTIZE: program } });
    expect(readFileSync(target, "utf8")).toBe("Q4_K_M\n");
    const without = spawnSync(process.execPath, args, { env: { PATH: "" }, encoding: "utf8" });
    expect(without.status).toBe(1);
    expect(without.stderr).toContain("llama-quantize was not found");
    expect(statSync(target).size).toBeGreaterThan(5_000_000);
  });
});
