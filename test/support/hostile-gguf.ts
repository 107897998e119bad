/** Model files that would hurt whoever followed them: one thing wrong in each, and what is no file at all. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeGguf, type GgufParts, smallModel, value, withKey, writeGgufParts } from "./gguf-bytes.ts";

const embedding = { name: "token_embd.weight", dimensions: [4n, 3n], type: 0, offset: 0n };

function withTensors(...tensors: GgufParts["tensors"]): GgufParts {
  return { ...smallModel, tensors, dataBytes: 96 };
}

const huge = 2n ** 63n;
/** What is wrong, the file, and what the validator must say of it. */
export const hostileHeaders: readonly (readonly [what: string, parts: GgufParts, reason: RegExp])[] = [
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
  ["an alignment of 24", withKey(smallModel, "general.alignment", value.uint32(24)), /alignment is not a power of two/],
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
  [
    "an alignment of 2^30 in a file of hundreds of bytes",
    withKey(smallModel, "general.alignment", value.uint32(2 ** 30)),
    /past the end of the file: it is truncated or forged/,
  ],
  [
    "an alignment of 2^31",
    withKey(smallModel, "general.alignment", value.uint32(2 ** 31)),
    /alignment is not a power of two/,
  ],
  ["layers in fractions", withKey(smallModel, "llama.block_count", value.text("1.5")), /should be a whole number/],
  ["a context of 0", withKey(smallModel, "llama.context_length", value.uint32(0)), /context_length" is 0; 1 to/],
  [
    "a context of 2^31",
    withKey(smallModel, "llama.context_length", value.uint64(2n ** 31n)),
    /is 2147483648; 1 to 2147483647/,
  ],
  [
    "a context that no number holds",
    withKey(smallModel, "llama.context_length", value.uint64(2n ** 64n - 1n)),
    /should be a whole number/,
  ],
  ["a width of 2^40", withKey(smallModel, "llama.embedding_length", value.uint64(2n ** 40n)), /is 1099511627776; 1 to/],
  [
    "more heads than numbers",
    withKey(smallModel, "llama.attention.head_count", value.uint32(5)),
    /head_count" is 5; 1 to 4/,
  ],
  [
    "heads for no layer",
    withKey(smallModel, "llama.attention.head_count", value.uint32s([])),
    /should be a whole number/,
  ],
  [
    "heads for two thousand layers",
    withKey(smallModel, "llama.attention.head_count", value.uint32s(Array.from({ length: 2000 }, () => 2))),
    /should be a whole number/,
  ],
  ["an empty architecture", withKey(smallModel, "general.architecture", value.text("")), /architecture" is empty/],
  [
    "an architecture that steers terminals",
    withKey(smallModel, "general.architecture", value.text("\u001b[2J\r\n")),
    /the key "\?\[2J\?\?\.block_count" is missing/,
  ],
  ["an unknown pooling", withKey(smallModel, "llama.pooling_type", value.uint32(99)), /is 99, a pooling the engine/],
  ["no parts", withKey(smallModel, "split.count", value.uint32(0)), /"split.count" is 0; 1 to 99999/],
  [
    "a token of 64 KiB and one",
    withKey(smallModel, "tokenizer.ggml.tokens", value.texts(["a", "b", "c".repeat(65_537)])),
    /is 65537 bytes long; at most 65536/,
  ],
  [
    "a template of more than 512 KiB",
    withKey(smallModel, "tokenizer.chat_template", value.text("x".repeat(512 * 1024 + 1))),
    /holds 524289 bytes of text, too many/,
  ],
  [
    "a tensor that begins inside another",
    withTensors({ ...embedding, dimensions: [4n, 6n] }, { ...embedding, name: "other", offset: 32n }),
    /"token_embd.weight" and "other" overlap/,
  ],
  [
    "2^62 elements in one row",
    withTensors({ ...embedding, dimensions: [2n ** 62n] }),
    /reaches \d+ bytes past the end of the file/,
  ],
  ["quantization statistics", withKey(smallModel, "general.type", value.text("imatrix")), /statistics, not a model/],
  ["an adapter", withKey(smallModel, "general.type", value.text("adapter")), /an adapter \(LoRA\), not a model/],
  ["a projector", withKey(smallModel, "general.architecture", value.text("clip")), /projector, not a model/],
];

/** Sparse: files of this many bytes that take no room on the disk. */
const sparseBytes = 2 ** 36;

/**
 * Every one of them as a file in `folder`, which must not be there yet; gives their number. Beside the wrong headers: files cut
 * short and grown, a pipe, a device, a folder, links to themselves, to each other and to nowhere.
 */
export function writeHostileFolder(folder: string): number {
  mkdirSync(folder);
  let written = 0;
  const name = (): string => {
    written += 1;
    return `${String(written).padStart(3, "0")}.gguf`;
  };
  for (const [, parts] of hostileHeaders) writeGgufParts(folder, name(), parts);

  const whole = encodeGguf(smallModel);
  const headerBytes = whole.length - smallModel.dataBytes;
  for (const length of [0, 3, 4, 8, 24, 40, Math.floor(headerBytes / 2), headerBytes, whole.length - 1])
    writeFileSync(join(folder, name()), whole.subarray(0, length));
  for (const start of ["GIF89a", "<html>", "\u001f\u008b\u0008", "\0".repeat(64), "GGUF".repeat(64)])
    writeFileSync(join(folder, name()), start, "latin1");
  // A header that claims gigabytes, in a file that has them.
  for (const parts of [
    withKey(smallModel, "x", value.claimedText(2n ** 32n)),
    { ...withKey(smallModel, "x", value.claimedList(8, 2n ** 24n)), tensors: [] },
    withKey(smallModel, "x", value.claimedList(8, 2n ** 24n)),
  ])
    truncateSync(writeGgufParts(folder, name(), parts), sparseBytes);

  mkdirSync(join(folder, name()));
  const [itself, first, second] = [name(), name(), name()];
  symlinkSync(itself, join(folder, itself));
  symlinkSync(first, join(folder, second));
  symlinkSync(second, join(folder, first));
  symlinkSync("nowhere", join(folder, name()));
  if (process.platform !== "win32") {
    execFileSync("mkfifo", [join(folder, name())]);
    for (const device of ["/dev/zero", "/dev/random", "/dev/tty"]) symlinkSync(device, join(folder, name()));
  }
  return written;
}
