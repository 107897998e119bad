/**
 * GGUF files byte by byte, right or wrong in one place, for tests of the reader. Written apart from the product's own
 * writer, so that a shared mistake does not hide.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface TensorParts {
  readonly name: string;
  readonly dimensions: readonly bigint[];
  readonly type: number;
  readonly offset: bigint;
}

export interface GgufParts {
  readonly magic: string;
  readonly version: number;
  /** Null: as many as there are. */
  readonly tensorCount: bigint | null;
  readonly metadataCount: bigint | null;
  /** Key and value, the value's type included. */
  readonly metadata: readonly (readonly [key: string, value: Buffer])[];
  readonly tensors: readonly TensorParts[];
  readonly alignment: number;
  readonly dataBytes: number;
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function uint64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(value);
  return bytes;
}

function lengthAndText(text: string): Buffer {
  const content = Buffer.from(text, "utf8");
  return Buffer.concat([uint64(BigInt(content.length)), content]);
}

/** Values as they stand in the metadata. */
export const value = {
  uint32: (number: number) => Buffer.concat([uint32(4), uint32(number)]),
  int32: (number: number) => Buffer.concat([uint32(5), uint32(number >>> 0)]),
  bool: (byte: number) => Buffer.concat([uint32(7), Buffer.from([byte])]),
  uint64: (number: bigint) => Buffer.concat([uint32(10), uint64(number)]),
  text: (text: string) => Buffer.concat([uint32(8), lengthAndText(text)]),
  texts: (texts: readonly string[]) =>
    Buffer.concat([uint32(9), uint32(8), uint64(BigInt(texts.length)), ...texts.map(lengthAndText)]),
  uint8s: (numbers: readonly number[]) =>
    Buffer.concat([uint32(9), uint32(0), uint64(BigInt(numbers.length)), Buffer.from(numbers)]),
  uint32s: (numbers: readonly number[]) =>
    Buffer.concat([uint32(9), uint32(4), uint64(BigInt(numbers.length)), ...numbers.map(uint32)]),
  /** A list that only claims to have `count` elements. */
  claimedList: (elementType: number, count: bigint) => Buffer.concat([uint32(9), uint32(elementType), uint64(count)]),
  /** A text that only claims to be `length` bytes long. */
  claimedText: (length: bigint) => Buffer.concat([uint32(8), uint64(length), Buffer.from("short")]),
};

/** The smallest model that is accepted: three tokens, four wide, one tensor of 48 bytes. */
export const smallModel: GgufParts = {
  magic: "GGUF",
  version: 3,
  tensorCount: null,
  metadataCount: null,
  metadata: [
    ["general.architecture", value.text("llama")],
    ["general.name", value.text("Small")],
    ["llama.block_count", value.uint32(1)],
    ["llama.context_length", value.uint32(4096)],
    ["llama.embedding_length", value.uint32(4)],
    ["llama.attention.head_count", value.uint32(2)],
    ["tokenizer.ggml.model", value.text("gpt2")],
    ["tokenizer.ggml.tokens", value.texts(["a", "b", "c"])],
    ["tokenizer.ggml.eos_token_id", value.uint32(2)],
    ["tokenizer.chat_template", value.text("{{ messages[0].content }}")],
  ],
  tensors: [{ name: "token_embd.weight", dimensions: [4n, 3n], type: 0, offset: 0n }],
  alignment: 32,
  dataBytes: 48,
};

/** The same with a key's value exchanged, added, or (null) left out. */
export function withKey(parts: GgufParts, key: string, changed: Buffer | null): GgufParts {
  const others = parts.metadata.filter(([name]) => name !== key);
  return { ...parts, metadata: changed === null ? others : [...others, [key, changed]] };
}

export function encodeGguf(parts: GgufParts): Buffer {
  const header = Buffer.concat([
    Buffer.from(parts.magic, "latin1"),
    uint32(parts.version),
    uint64(parts.tensorCount ?? BigInt(parts.tensors.length)),
    uint64(parts.metadataCount ?? BigInt(parts.metadata.length)),
    ...parts.metadata.flatMap(([key, bytes]) => [lengthAndText(key), bytes]),
    ...parts.tensors.flatMap((tensor) => [
      lengthAndText(tensor.name),
      uint32(tensor.dimensions.length),
      ...tensor.dimensions.map(uint64),
      uint32(tensor.type),
      uint64(tensor.offset),
    ]),
  ]);
  const start = Math.ceil(header.length / parts.alignment) * parts.alignment;
  return Buffer.concat([header, Buffer.alloc(start - header.length + parts.dataBytes)]);
}

/** Writes the file into `folder` and returns its path. */
export function writeGgufParts(folder: string, fileName: string, parts: GgufParts): string {
  const path = join(folder, fileName);
  writeFileSync(path, encodeGguf(parts));
  return path;
}
