/**
 * Writes GGUF version 3, little endian. The header is made in memory, tensor data is handed on in pieces, so that a file
 * of many gigabytes needs no more memory than one piece. Used by the scripts that write our own models.
 */
import { open } from "node:fs/promises";
import { defaultAlignment, ggufMagic, type ScalarTypeName, tensorTypes, valueTypes } from "./format.ts";

export type WritableValue =
  | { readonly type: Exclude<ScalarTypeName, "bool">; readonly value: number | bigint }
  | { readonly type: "bool"; readonly value: boolean }
  | { readonly type: "string"; readonly value: string }
  | { readonly type: "strings"; readonly value: readonly string[] }
  | { readonly type: "int32s"; readonly value: readonly number[] };

export interface WritableTensor {
  readonly name: string;
  /** Fastest-moving first: row length, then rows. */
  readonly dimensions: readonly number[];
  readonly typeId: number;
}

export interface GgufPlan {
  readonly metadata: readonly (readonly [key: string, value: WritableValue])[];
  readonly tensors: readonly WritableTensor[];
}

const utf8 = new TextEncoder();

/** Bytes appended one after the other. */
class ByteList {
  readonly #pieces: Uint8Array[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#length += piece.length;
  }

  number(type: Exclude<ScalarTypeName, "bool">, value: number | bigint): void {
    const piece = new Uint8Array(valueTypes[type].bytes);
    const view = new DataView(piece.buffer);
    // The setters of whole numbers wrap, so signed values come out as their two's complement.
    if (type === "float32") view.setFloat32(0, Number(value), true);
    else if (type === "float64") view.setFloat64(0, Number(value), true);
    else if (piece.length === 8) view.setBigUint64(0, BigInt.asUintN(64, BigInt(value)), true);
    else if (piece.length === 4) view.setUint32(0, Number(value), true);
    else if (piece.length === 2) view.setUint16(0, Number(value), true);
    else view.setUint8(0, Number(value));
    this.add(piece);
  }

  string(text: string): void {
    const content = utf8.encode(text);
    this.number("uint64", content.length);
    this.add(content);
  }

  joined(): Uint8Array {
    const all = new Uint8Array(this.#length);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }
}

function int32Bytes(values: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(4 * values.length);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setInt32(4 * index, value, true);
  return bytes;
}

function addValue(list: ByteList, value: WritableValue): void {
  switch (value.type) {
    case "string":
      list.number("uint32", valueTypes.string.id);
      list.string(value.value);
      return;
    case "bool":
      list.number("uint32", valueTypes.bool.id);
      list.number("uint8", value.value ? 1 : 0);
      return;
    case "strings":
      list.number("uint32", valueTypes.array.id);
      list.number("uint32", valueTypes.string.id);
      list.number("uint64", value.value.length);
      for (const text of value.value) list.string(text);
      return;
    case "int32s":
      list.number("uint32", valueTypes.array.id);
      list.number("uint32", valueTypes.int32.id);
      list.number("uint64", value.value.length);
      list.add(int32Bytes(value.value));
      return;
    default:
      list.number("uint32", valueTypes[value.type].id);
      list.number(value.type, value.value);
  }
}

function padded(bytes: number): number {
  return Math.ceil(bytes / defaultAlignment) * defaultAlignment;
}

/** Bytes of the tensor's data, without the padding after it. */
export function tensorDataBytes(tensor: WritableTensor): number {
  const type = tensorTypes.get(tensor.typeId);
  if (type === undefined) throw new Error(`unknown tensor type ${tensor.typeId}`);
  const elements = tensor.dimensions.reduce((product, dimension) => product * dimension, 1);
  return (elements / type.elements) * type.bytes;
}

/** Everything before the tensor data, padded so that the data may follow at once. */
export function headerBytes(plan: GgufPlan): Uint8Array {
  const list = new ByteList();
  list.add(utf8.encode(ggufMagic));
  list.number("uint32", 3);
  list.number("uint64", plan.tensors.length);
  list.number("uint64", plan.metadata.length);
  for (const [key, value] of plan.metadata) {
    list.string(key);
    addValue(list, value);
  }
  let offset = 0;
  for (const tensor of plan.tensors) {
    list.string(tensor.name);
    list.number("uint32", tensor.dimensions.length);
    for (const dimension of tensor.dimensions) list.number("uint64", dimension);
    list.number("uint32", tensor.typeId);
    list.number("uint64", offset);
    offset += padded(tensorDataBytes(tensor));
  }
  list.add(new Uint8Array(padded(list.length) - list.length));
  return list.joined();
}

/** A whole small file in memory. `data` gives each tensor's bytes, in the order of the plan. */
export function ggufBytes(plan: GgufPlan, data: readonly Uint8Array[]): Uint8Array {
  const list = new ByteList();
  list.add(headerBytes(plan));
  for (const [index, tensor] of plan.tensors.entries()) {
    const bytes = data[index];
    if (bytes?.length !== tensorDataBytes(tensor)) throw new Error(`wrong amount of data for tensor ${tensor.name}`);
    list.add(bytes);
    list.add(new Uint8Array(padded(bytes.length) - bytes.length));
  }
  return list.joined();
}

/** Writes a file of any size. `dataOf` gives a tensor's bytes in pieces; a piece may be reused after it was taken. */
export async function writeGguf(
  path: string,
  plan: GgufPlan,
  dataOf: (tensor: WritableTensor) => Iterable<Uint8Array>,
): Promise<void> {
  const file = await open(path, "w");
  try {
    await file.writeFile(headerBytes(plan));
    for (const tensor of plan.tensors) {
      let written = 0;
      for (const piece of dataOf(tensor)) {
        await file.writeFile(piece);
        written += piece.length;
      }
      if (written !== tensorDataBytes(tensor)) throw new Error(`wrong amount of data for tensor ${tensor.name}`);
      await file.writeFile(new Uint8Array(padded(written) - written));
    }
  } finally {
    await file.close();
  }
}
