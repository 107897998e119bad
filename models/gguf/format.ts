/**
 * The GGUF container as data: value types, tensor types with their block sizes, and what a parsed header looks like.
 * Pure; read by the reader, the validator and the writer.
 */

export const ggufMagic = "GGUF";

/** Where tensor data starts and how offsets are rounded when the file does not say. Bytes. */
export const defaultAlignment = 32;

/** Metadata value types by their number in the file. `bytes` is the fixed size; null for strings and arrays. */
export const valueTypes = Object.freeze({
  uint8: { id: 0, bytes: 1 },
  int8: { id: 1, bytes: 1 },
  uint16: { id: 2, bytes: 2 },
  int16: { id: 3, bytes: 2 },
  uint32: { id: 4, bytes: 4 },
  int32: { id: 5, bytes: 4 },
  float32: { id: 6, bytes: 4 },
  bool: { id: 7, bytes: 1 },
  string: { id: 8, bytes: null },
  array: { id: 9, bytes: null },
  uint64: { id: 10, bytes: 8 },
  int64: { id: 11, bytes: 8 },
  float64: { id: 12, bytes: 8 },
} satisfies Record<string, { id: number; bytes: number | null }>);

export type ValueTypeName = keyof typeof valueTypes;
export type ScalarTypeName = Exclude<ValueTypeName, "string" | "array">;

const valueTypeNames = new Map<number, ValueTypeName>(
  (Object.keys(valueTypes) as ValueTypeName[]).map((name) => [valueTypes[name].id, name]),
);

export function valueTypeName(id: number): ValueTypeName | null {
  return valueTypeNames.get(id) ?? null;
}

/** One tensor type: `elements` weights are stored together in `bytes` bytes. */
export interface TensorType {
  readonly name: string;
  readonly elements: number;
  readonly bytes: number;
}

/** By number in the file. Numbers that are missing were withdrawn or are not known to the engine. */
export const tensorTypes: ReadonlyMap<number, TensorType> = new Map(
  (
    [
      [0, "F32", 1, 4],
      [1, "F16", 1, 2],
      [2, "Q4_0", 32, 18],
      [3, "Q4_1", 32, 20],
      [6, "Q5_0", 32, 22],
      [7, "Q5_1", 32, 24],
      [8, "Q8_0", 32, 34],
      [9, "Q8_1", 32, 36],
      [10, "Q2_K", 256, 84],
      [11, "Q3_K", 256, 110],
      [12, "Q4_K", 256, 144],
      [13, "Q5_K", 256, 176],
      [14, "Q6_K", 256, 210],
      [15, "Q8_K", 256, 292],
      [16, "IQ2_XXS", 256, 66],
      [17, "IQ2_XS", 256, 74],
      [18, "IQ3_XXS", 256, 98],
      [19, "IQ1_S", 256, 50],
      [20, "IQ4_NL", 32, 18],
      [21, "IQ3_S", 256, 110],
      [22, "IQ2_S", 256, 82],
      [23, "IQ4_XS", 256, 136],
      [24, "I8", 1, 1],
      [25, "I16", 1, 2],
      [26, "I32", 1, 4],
      [27, "I64", 1, 8],
      [28, "F64", 1, 8],
      [29, "IQ1_M", 256, 56],
      [30, "BF16", 1, 2],
      [34, "TQ1_0", 256, 54],
      [35, "TQ2_0", 256, 66],
      [39, "MXFP4", 32, 17],
      [40, "NVFP4", 64, 36],
      [41, "Q1_0", 128, 18],
      [42, "Q2_0", 64, 18],
    ] as const
  ).map(([id, name, elements, bytes]) => [id, { name, elements, bytes }]),
);

export const tensorTypeIds = Object.freeze({ F32: 0, F16: 1 });

/** Scalars as they are; 64-bit integers as bigint, so that nothing is rounded before it is judged. */
export type ScalarValue = number | bigint | boolean;

/** Long lists and lists of strings keep only their kind and length, long strings only their length. */
export type HeaderValue =
  | { readonly type: ScalarTypeName; readonly value: ScalarValue }
  | { readonly type: "string"; readonly value: string | null; readonly bytes: number }
  | {
      readonly type: "array";
      readonly elementType: Exclude<ValueTypeName, "array">;
      readonly length: number;
      readonly values: readonly ScalarValue[] | null;
      /** Of the vocabulary only: the first entry that is the same as one before it, or null. */
      readonly firstRepeat?: number | null;
    };

export interface TensorEntry {
  readonly name: string;
  /** Fastest-moving first, as in the file. */
  readonly dimensions: readonly bigint[];
  readonly typeId: number;
  /** Bytes from the start of the tensor data. */
  readonly offset: bigint;
}

export interface GgufHeader {
  readonly version: number;
  readonly metadata: ReadonlyMap<string, HeaderValue>;
  readonly tensors: readonly TensorEntry[];
  /** Where the last header byte ends; tensor data starts at the next multiple of the alignment. */
  readonly headerBytes: number;
  readonly fileBytes: number;
}
