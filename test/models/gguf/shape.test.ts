/** What a header says about memory: exact bytes per layer, and what each layer keeps, for the kinds of models there are. */
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readGgufHeader } from "../../../models/gguf/reader.ts";
import { shapeOf } from "../../../models/gguf/shape.ts";
import { writeHollowModel, writeRandomModel } from "../../../models/random/model.ts";
import { shapes } from "../../../models/random/shapes.ts";
import { denseShape, header, type KeyValue, mixtureShape, tensor, typeIds } from "../../support/model-shapes.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** A model of `layers` layers with one small tensor each. */
function small(architecture: string, layers: number, keys: Readonly<Record<string, KeyValue>>) {
  const blocks = Array.from({ length: layers }, (_, layer) =>
    tensor(`blk.${layer}.attn_q.weight`, [64, 64], typeIds.F16),
  );
  return shapeOf(
    header(
      architecture,
      { block_count: layers, embedding_length: 64, context_length: 4_096, "attention.head_count": 4, ...keys },
      [tensor("token_embd.weight", [64, 100], typeIds.F16), ...blocks, tensor("output.weight", [64, 100], typeIds.F16)],
    ),
  );
}

const widths = (shape: ReturnType<typeof small>): readonly (readonly number[])[] =>
  shape.layers.map(({ keyWidth, valueWidth }) => [keyWidth, valueWidth]);

describe("a dense model", () => {
  test("has the bytes of its file, layer by layer", async () => {
    const path = join(temporaryFolder(), "model.gguf");
    await writeRandomModel(path, shapes.tiny);
    const read = await readGgufHeader(path);
    const shape = shapeOf(read);
    const dataBytes = read.fileBytes - Math.ceil(read.headerBytes / 32) * 32;
    // Between tensors there may be room for alignment; here every tensor ends on it.
    expect(shape.weightBytes).toBe(dataBytes);
    const layers = shape.layers.reduce((sum, layer) => sum + layer.weightBytes, 0);
    expect(shape.inputBytes + layers + shape.outputBytes).toBe(shape.weightBytes);
    expect(shape).toMatchObject({
      architecture: "qwen2",
      trainedContextLength: 32_768,
      embeddingLength: 128,
      feedForwardLength: 256,
      headCount: 4,
      vocabularySize: 8_192,
      inputBytes: 128 * 8_192 * 2,
      tiedOutput: false,
    });
    expect(shape.layers[0]).toMatchObject({ keyWidth: 64, valueWidth: 64, windowTokens: null, stateBytes: 0 });
  });

  test("without an output matrix counts the input table again", async () => {
    const path = join(temporaryFolder(), "model.gguf");
    await writeHollowModel(path, shapes.tiny, { tied: true });
    const shape = shapeOf(await readGgufHeader(path));
    expect(shape.tiedOutput).toBe(true);
    expect(shape.outputBytes).toBe(shape.inputBytes + 128 * 4);
    expect(shape.activeShare).toBe(1);
  });

  test("of another number of KV heads in each layer keeps another width in each", () => {
    const shape = small("deci", 3, { "attention.head_count_kv": [4, 1, 0], "attention.key_length": 32 });
    expect(widths(shape)).toEqual([
      [128, 64],
      [32, 16],
      [0, 0],
    ]);
  });

  test("keeps nothing in layers that guess further tokens", () => {
    const shape = small("glm4moe", 3, { nextn_predict_layers: 1 });
    expect(widths(shape)).toEqual([
      [64, 64],
      [64, 64],
      [0, 0],
    ]);
  });
});

describe("a mixture of experts", () => {
  test("reads a small part of its weights for a token", () => {
    const shape = mixtureShape("Qwen3-Coder-30B-A3B");
    // 3.3 of 30.5 thousand million parameters.
    expect(shape.activeShare).toBeGreaterThan(0.08);
    expect(shape.activeShare).toBeLessThan(0.14);
    expect(shape).toMatchObject({ expertsUsed: 8, feedForwardLength: 768 });
    expect(denseShape("Qwen2.5-Coder 7B").activeShare).toBeGreaterThan(0.9);
  });
});

describe("compressed attention (DeepSeek V2)", () => {
  const keys = { "attention.head_count_kv": 1, "attention.key_length": 576, "attention.value_length": 512 };

  test("with both lengths in its header keeps one vector per token, and no V", () => {
    const shape = small("deepseek2", 2, {
      ...keys,
      "attention.key_length_mla": 192,
      "attention.value_length_mla": 128,
    });
    expect(widths(shape)).toEqual([
      [576, 0],
      [576, 0],
    ]);
    expect(shape.flashAttention).toBe(false);
  });

  test("in an older file keeps K and V of every head", () => {
    const shape = small("deepseek2", 1, { "attention.key_length": 192, "attention.value_length": 128 });
    expect(widths(shape)).toEqual([[4 * 192, 4 * 128]]);
  });
});

describe("sliding windows", () => {
  const windows = (architecture: string, layers: number, keys: Readonly<Record<string, KeyValue>>) =>
    small(architecture, layers, keys).layers.map((layer) => layer.windowTokens);

  test("are in every second layer of gpt-oss, in five of six of Gemma 3", () => {
    expect(windows("gpt-oss", 4, { "attention.sliding_window": 128 })).toEqual([128, null, 128, null]);
    expect(windows("gemma3", 7, { "attention.sliding_window": 1_024 })).toEqual([
      1024,
      1024,
      1024,
      1024,
      1024,
      null,
      1024,
    ]);
  });

  test("follow the header's own pattern", () => {
    expect(
      windows("gemma4", 3, { "attention.sliding_window": 512, "attention.sliding_window_pattern": [1, 0, 1] }),
    ).toEqual([512, null, 512]);
    expect(windows("olmo2", 2, { "attention.sliding_window": 512, "attention.sliding_window_pattern": 2 })).toEqual([
      512,
      null,
    ]);
  });

  test("are none where the engine has none, whatever the header says", () => {
    expect(windows("qwen2", 2, { "attention.sliding_window": 4_096 })).toEqual([null, null]);
  });
});

describe("recurrent layers", () => {
  const ssm = { "ssm.conv_kernel": 4, "ssm.inner_size": 128, "ssm.state_size": 16, "ssm.group_count": 1 };
  const state = 4 * (3 * (128 + 2 * 16) + 16 * 128);

  test("keep a state of fixed size and no KV", () => {
    expect(small("mamba", 2, ssm).layers).toEqual([
      expect.objectContaining({ keyWidth: 0, valueWidth: 0, stateBytes: state }),
      expect.objectContaining({ keyWidth: 0, valueWidth: 0, stateBytes: state }),
    ]);
  });

  test("are all but every fourth of Qwen3-Next, and those without KV heads of Jamba", () => {
    const hybrid = (shape: ReturnType<typeof small>) =>
      shape.layers.map((layer) => [layer.keyWidth > 0, layer.stateBytes > 0]);
    expect(hybrid(small("qwen3next", 5, { ...ssm, "attention.head_count_kv": 2 }))).toEqual([
      [false, true],
      [false, true],
      [false, true],
      [true, false],
      [false, true],
    ]);
    expect(hybrid(small("jamba", 2, { ...ssm, "attention.head_count_kv": [0, 2] }))).toEqual([
      [false, true],
      [true, false],
    ]);
    expect(hybrid(small("falcon-h1", 1, { ...ssm, "attention.head_count_kv": 2 }))).toEqual([[true, true]]);
  });
});

test("an encoder keeps nothing", () => {
  expect(widths(small("bert", 1, {}))).toEqual([[0, 0]]);
});

test("layers that use another layer's KV keep none", () => {
  expect(widths(small("gemma4", 3, { "attention.shared_kv_layers": 1 }))).toEqual([
    [64, 64],
    [64, 64],
    [0, 0],
  ]);
});

test("the parts of a split model are added up", () => {
  const first = header(
    "llama",
    { block_count: 2, embedding_length: 64, context_length: 512, "attention.head_count": 4 },
    [tensor("token_embd.weight", [64, 100], typeIds.F16), tensor("blk.0.attn_q.weight", [64, 64], typeIds.F16)],
  );
  const second = header("llama", {}, [
    tensor("blk.1.attn_q.weight", [64, 64], typeIds.F32),
    tensor("output.weight", [64, 100], typeIds.F16),
  ]);
  const shape = shapeOf(first, [second]);
  expect(shape.layers.map((layer) => layer.weightBytes)).toEqual([8_192, 16_384]);
  expect(shape).toMatchObject({ weightBytes: 2 * 12_800 + 8_192 + 16_384, tiedOutput: false });
});

test("odd keys make no odd numbers: a header that says nonsense gives finite figures", () => {
  for (const keys of [
    {},
    { "attention.head_count": "many" },
    { "attention.head_count": [] },
    { full_attention_interval: 0 },
  ]) {
    const shape = small("qwen3next", 2, keys as Readonly<Record<string, KeyValue>>);
    for (const layer of shape.layers)
      expect(Object.values(layer).every((one) => one === null || Number.isFinite(one))).toBe(true);
    expect(Number.isFinite(shape.activeShare)).toBe(true);
  }
});
