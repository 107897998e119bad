/** What the validator lets through, and each thing it refuses before native code would follow it. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { examineGguf, validateGguf } from "../../../models/gguf/validate.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { encodeGguf, type GgufParts, smallModel, value, withKey, writeGgufParts } from "../../support/gguf-bytes.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** Why the file is refused, or "accepted". */
async function verdictOn(parts: GgufParts): Promise<string> {
  const verdict = await examineGguf(writeGgufParts(temporaryFolder(), "model.gguf", parts));
  return verdict.accepted ? "accepted" : verdict.reason;
}

const embedding = { name: "token_embd.weight", dimensions: [4n, 3n], type: 0, offset: 0n };

function withTensors(...tensors: GgufParts["tensors"]): GgufParts {
  return { ...smallModel, tensors, dataBytes: 96 };
}

describe("a right file", () => {
  test("gives the facts that the rest of the product asks for", async () => {
    const path = writeGgufParts(temporaryFolder(), "model.gguf", smallModel);
    expect(await validateGguf(path)).toEqual({
      architecture: "llama",
      name: "Small",
      trainedContextLength: 4096,
      blockCount: 1,
      headCount: 2,
      headCountKv: 2,
      embeddingLength: 4,
      outputLength: 4,
      pooling: null,
      classifier: false,
      causal: true,
      vocabularySize: 3,
      tokenizer: "gpt2",
      chatTemplate: "{{ messages[0].content }}",
      demo: false,
      fileType: null,
      splitCount: 1,
      shape: expect.objectContaining({ architecture: "llama", weightBytes: 48 }),
    });
  });

  test("may be version 2, have one head count per layer, 64-bit numbers and no chat template", async () => {
    const perLayer = withKey(smallModel, "llama.attention.head_count", value.uint32s([1, 4, 2]));
    const wide = withKey(perLayer, "llama.context_length", value.uint64(131_072n));
    const bare = withKey({ ...wide, version: 2 }, "tokenizer.chat_template", null);
    const summary = await validateGguf(writeGgufParts(temporaryFolder(), "model.gguf", bare));
    expect(summary).toMatchObject({ headCount: 4, trainedContextLength: 131_072, chatTemplate: null });
  });

  test("may lie behind a link and have an alignment of its own", async () => {
    const folder = temporaryFolder();
    const parts = { ...withKey(smallModel, "general.alignment", value.uint32(256)), alignment: 256 };
    symlinkSync(writeGgufParts(folder, "model.gguf", parts), join(folder, "link.gguf"));
    expect((await examineGguf(join(folder, "link.gguf"))).accepted).toBe(true);
  });

  test("may have tokens without a text: the engine gives them names of their own", async () => {
    const gaps = withKey(smallModel, "tokenizer.ggml.tokens", value.texts(["", "a", ""]));
    expect((await validateGguf(writeGgufParts(temporaryFolder(), "model.gguf", gaps))).vocabularySize).toBe(3);
  });

  test("is marked as a demo only by a true yes", async () => {
    const marked = withKey(smallModel, "lanthorn.demo", value.bool(1));
    const text = withKey(smallModel, "lanthorn.demo", value.text("true"));
    const folder = temporaryFolder();
    expect((await validateGguf(writeGgufParts(folder, "a.gguf", marked))).demo).toBe(true);
    expect((await validateGguf(writeGgufParts(folder, "b.gguf", text))).demo).toBe(false);
  });
});

describe("refused, with the reason", () => {
  const huge = 2n ** 63n;
  const table: readonly (readonly [what: string, parts: GgufParts, reason: RegExp])[] = [
    ["another format", { ...smallModel, magic: "PK\x03\x04" }, /^it is not a GGUF file: it begins with "PK\?\?"$/],
    ["version 1", { ...smallModel, version: 1 }, /GGUF version 1; versions 2 and 3/],
    ["version 0", { ...smallModel, version: 0 }, /GGUF version 0; versions 2 and 3/],
    ["a later version", { ...smallModel, version: 4 }, /GGUF version 4/],
    ["big endian", { ...smallModel, version: 0x03000000 }, /big-endian/],
    ["2^63 tensors", { ...smallModel, tensorCount: huge }, /claims 9223372036854775808 tensors; at most 32768/],
    ["2^63 keys", { ...smallModel, metadataCount: huge }, /claims 9223372036854775808 metadata keys/],
    [
      "one key too many",
      { ...smallModel, metadataCount: 11n },
      /the name of tensor 1 claims to be \d+ bytes long, more than is left/,
    ],
    [
      "a text longer than the file",
      withKey(smallModel, "x", value.claimedText(huge)),
      /"x" claims to be 9223372036854775808 bytes/,
    ],
    [
      "a list longer than the file",
      withKey(smallModel, "x", value.claimedList(4, 1_000_000n)),
      /inside the key "x": it is truncated/,
    ],
    [
      "a list of 2^63",
      withKey(smallModel, "x", value.claimedList(0, huge)),
      /claims 9223372036854775808 entries in the key "x"/,
    ],
    ["2^24 texts in no bytes", withKey(smallModel, "x", value.claimedList(8, 2n ** 24n)), /it is truncated/],
    ["lists in lists", withKey(smallModel, "x", value.claimedList(9, 1n)), /"x" is a list of lists/],
    ["an unknown value type", withKey(smallModel, "x", Buffer.from([13, 0, 0, 0])), /unknown value type 13/],
    ["an unknown list type", withKey(smallModel, "x", value.claimedList(99, 1n)), /unknown value type 99/],
    ["a yes-or-no of 2", withKey(smallModel, "x", value.bool(2)), /yes-or-no value but holds 2/],
    ["an empty key", { ...smallModel, metadata: [["", value.uint32(1)]] }, /the name of key 1 is empty/],
    [
      "a key of 2,000 bytes",
      { ...smallModel, metadata: [["k".repeat(2000), value.uint32(1)]] },
      /2000 bytes long; at most 1024/,
    ],
    [
      "a key twice",
      { ...smallModel, metadata: [...smallModel.metadata, ["general.name", value.text("x")]] },
      /the key "general.name" is there twice/,
    ],
    ["no tensors", { ...smallModel, tensors: [] }, /it holds no tensors/],
    ["a tensor twice", withTensors(embedding, embedding), /the tensor "token_embd.weight" is there twice/],
    ["a long tensor name", withTensors({ ...embedding, name: "t".repeat(64) }), /64 bytes long; at most 63/],
    ["no dimensions", withTensors({ ...embedding, dimensions: [] }), /0 dimensions; 1 to 4/],
    ["five dimensions", withTensors({ ...embedding, dimensions: [1n, 1n, 1n, 1n, 1n] }), /5 dimensions; 1 to 4/],
    ["a dimension of 0", withTensors({ ...embedding, dimensions: [4n, 0n] }), /a dimension of 0/],
    [
      "dimensions that overflow",
      withTensors({ ...embedding, dimensions: [2n ** 40n, 2n ** 40n] }),
      /more elements than can be counted/,
    ],
    ["an unknown tensor type", withTensors({ ...embedding, type: 77 }), /the type 77, which the engine does not know/],
    ["a withdrawn tensor type", withTensors({ ...embedding, type: 4 }), /the type 4, which/],
    [
      "rows that are no whole blocks",
      withTensors({ ...embedding, type: 2 }),
      /rows of 4 elements, not a multiple of the 32 of Q4_0/,
    ],
    [
      "an offset between the steps",
      withTensors({ ...embedding, offset: 8n }),
      /begins at 8, not a multiple of the alignment 32/,
    ],
    [
      "an offset beyond the file",
      withTensors({ ...embedding, offset: 2n ** 40n }),
      /past the end of the file: it is truncated or forged/,
    ],
    ["an offset that would wrap", withTensors({ ...embedding, offset: 2n ** 64n - 32n }), /past the end of the file/],
    [
      "a tensor that reaches past the end",
      withTensors({ ...embedding, dimensions: [4n, 1000n] }),
      /"token_embd.weight" reaches 15904 bytes past the end of the file/,
    ],
    [
      "tensors over each other",
      withTensors(embedding, { ...embedding, name: "other" }),
      /"token_embd.weight" and "other" overlap/,
    ],
    [
      "an alignment of 24",
      withKey(smallModel, "general.alignment", value.uint32(24)),
      /alignment is not a power of two/,
    ],
    ["an alignment of 0", withKey(smallModel, "general.alignment", value.uint32(0)), /alignment is not a power of two/],
    [
      "an alignment in words",
      withKey(smallModel, "general.alignment", value.text("32")),
      /alignment is not a power of two/,
    ],
    ["no architecture", withKey(smallModel, "general.architecture", null), /"general.architecture" is missing/],
    [
      "an architecture of 7",
      withKey(smallModel, "general.architecture", value.uint32(7)),
      /should be text but is uint32/,
    ],
    ["no layers", withKey(smallModel, "llama.block_count", value.uint32(0)), /"llama.block_count" is 0; 1 to 512/],
    ["minus one layers", withKey(smallModel, "llama.block_count", value.int32(-1)), /is -1; 1 to 512/],
    ["2^32 layers", withKey(smallModel, "llama.block_count", value.uint64(2n ** 32n)), /is 4294967296; 1 to 512/],
    ["no heads", withKey(smallModel, "llama.attention.head_count", value.uint32(0)), /head_count" is 0/],
    ["a head count that is missing", withKey(smallModel, "llama.attention.head_count", null), /head_count" is missing/],
    [
      "more key heads than heads",
      withKey(smallModel, "llama.attention.head_count_kv", value.uint32(3)),
      /head_count_kv" is 3; 1 to 2/,
    ],
    ["no context", withKey(smallModel, "llama.context_length", null), /"llama.context_length" is missing/],
    [
      "a width that is no number",
      withKey(smallModel, "llama.embedding_length", value.text("4")),
      /should be a whole number/,
    ],
    ["no tokenizer", withKey(smallModel, "tokenizer.ggml.model", null), /"tokenizer.ggml.model" is missing/],
    ["no tokens", withKey(smallModel, "tokenizer.ggml.tokens", null), /"tokenizer.ggml.tokens" is missing/],
    ["an empty vocabulary", withKey(smallModel, "tokenizer.ggml.tokens", value.texts([])), /vocabulary is empty/],
    [
      "numbers as tokens",
      withKey(smallModel, "tokenizer.ggml.tokens", value.uint32s([1, 2, 3])),
      /should be a list of text/,
    ],
    [
      "too few token types",
      withKey(smallModel, "tokenizer.ggml.token_type", value.uint32s([1, 1])),
      /2 entries for 3 tokens/,
    ],
    [
      "a token twice, which the engine ends its process for",
      withKey(smallModel, "tokenizer.ggml.tokens", value.texts(["a", "b", "a"])),
      /token number 2 is the same as one before it/,
    ],
    [
      "a token twice up to a zero byte, where the engine stops reading",
      withKey(smallModel, "tokenizer.ggml.tokens", value.texts(["a\0b", "b", "a\0c"])),
      /token number 2 is the same/,
    ],
    [
      "scores of another width, past whose end the engine would read",
      withKey(smallModel, "tokenizer.ggml.scores", value.uint8s([1, 2, 3])),
      /"tokenizer.ggml.scores" should be a list of float32/,
    ],
    [
      "token types of another width",
      withKey(smallModel, "tokenizer.ggml.token_type", value.uint8s([1, 1, 1])),
      /"tokenizer.ggml.token_type" should be a list of int32/,
    ],
    [
      "merges that are no text",
      withKey(smallModel, "tokenizer.ggml.merges", value.uint32s([1])),
      /"tokenizer.ggml.merges" should be a list of text/,
    ],
    [
      "two million tokens",
      withKey(smallModel, "tokenizer.ggml.tokens", value.claimedList(8, 2n ** 21n)),
      /claims 2097152 entries in the key "tokenizer.ggml.tokens"; at most 1048576/,
    ],
    [
      "an end token outside",
      withKey(smallModel, "tokenizer.ggml.eos_token_id", value.uint32(3)),
      /eos token is number 3 of 3/,
    ],
    [
      "an embedding of another size",
      withKey(smallModel, "llama.embedding_length", value.uint32(8)),
      /is 4 by 3, but the keys say 8 by 3/,
    ],
    ["no embedding", withTensors({ ...embedding, name: "other" }), /"token_embd.weight" is missing/],
    ["an adapter", withKey(smallModel, "general.type", value.text("adapter")), /an adapter \(LoRA\), not a model/],
    ["a projector", withKey(smallModel, "general.architecture", value.text("clip")), /projector, not a model/],
  ];

  test.each(table)("%s", async (_, parts, reason) => {
    expect(await verdictOn(parts)).toMatch(reason);
  });

  test("a header that ends anywhere before its end", async () => {
    const whole = encodeGguf(smallModel);
    const headerBytes = whole.length - smallModel.dataBytes;
    const path = join(temporaryFolder(), "cut.gguf");
    const accepted: number[] = [];
    for (let length = 0; length < whole.length; length += length < headerBytes ? 3 : 1) {
      writeFileSync(path, whole.subarray(0, length));
      if ((await examineGguf(path)).accepted) accepted.push(length);
    }
    expect(accepted).toEqual([]);
  });

  test("a header that claims gigabytes, without reading or holding them", async () => {
    const path = writeGgufParts(temporaryFolder(), "bomb.gguf", withKey(smallModel, "x", value.claimedText(2n ** 32n)));
    // Sparse: 8 GiB that take no room on the disk.
    truncateSync(path, 2 ** 33);
    const before = process.memoryUsage().rss;
    const started = performance.now();
    const verdict = await examineGguf(path);
    expect(verdict).toMatchObject({ accepted: false, reason: expect.stringMatching(/header is larger than 128 MiB/) });
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 2 ** 20);
  });

  test("sixteen million empty names, within the header's bound", async () => {
    const path = writeGgufParts(
      temporaryFolder(),
      "names.gguf",
      // Nothing but zeros follows: each of them a name of length 0.
      { ...withKey(smallModel, "x", value.claimedList(8, 2n ** 24n)), tensors: [] },
    );
    truncateSync(path, 2 ** 33);
    const started = performance.now();
    expect(await examineGguf(path)).toMatchObject({ reason: expect.stringMatching(/header is larger than 128 MiB/) });
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

describe("what is no file", () => {
  test.skipIf(process.platform === "win32")("a named pipe is refused at once", async () => {
    const path = join(temporaryFolder(), "pipe.gguf");
    execFileSync("mkfifo", [path]);
    expect(await examineGguf(path)).toEqual({ accepted: false, reason: "it is not a regular file" });
  });

  test.skipIf(process.platform === "win32")("a device is refused without being read", async () => {
    expect(await examineGguf("/dev/zero")).toEqual({ accepted: false, reason: "it is not a regular file" });
  });

  test("a folder, a missing file, an impossible name, an empty file", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "folder.gguf"));
    writeFileSync(join(folder, "empty.gguf"), "");
    const reasons = [];
    for (const name of ["folder.gguf", "missing.gguf", "\0.gguf", `${"n".repeat(4096)}.gguf`, "empty.gguf"]) {
      const verdict = await examineGguf(join(folder, name));
      reasons.push(verdict.accepted ? "accepted" : verdict.reason);
    }
    expect(reasons).toEqual([
      "it is not a regular file",
      "there is no such file",
      "there is no such file",
      "there is no such file",
      "it is empty",
    ]);
  });

  test("the failure names the file and the reason, never the folder", async () => {
    const folder = temporaryFolder();
    const path = writeGgufParts(folder, "old.gguf", { ...smallModel, version: 1 });
    const thrown = await validateGguf(path).catch((failure: unknown) => failure);
    expect(thrown).toBeInstanceOf(Failure);
    expect(thrown).toMatchObject({
      code: "invalid_request",
      message: "old.gguf cannot be served: it is GGUF version 1; versions 2 and 3 can be read.",
    });
    expect(String(thrown)).not.toContain(folder);
  });
});
