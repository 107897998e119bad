/** What the writer writes, the reader reads. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { float16Bits, float32Bytes } from "../../../models/gguf/float16.ts";
import { tensorTypeIds } from "../../../models/gguf/format.ts";
import { readGgufHeader } from "../../../models/gguf/reader.ts";
import { type GgufPlan, ggufBytes, writeGguf } from "../../../models/gguf/writer.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

const plan: GgufPlan = {
  metadata: [
    ["a.text", { type: "string", value: "Zeile\n🏮" }],
    ["a.yes", { type: "bool", value: true }],
    ["a.small", { type: "int8", value: -5 }],
    ["a.number", { type: "uint32", value: 4_000_000_000 }],
    ["a.wide", { type: "uint64", value: 2n ** 63n }],
    ["a.negative", { type: "int64", value: -1 }],
    ["a.fraction", { type: "float32", value: 0.5 }],
    ["a.fine", { type: "float64", value: 0.1 }],
    ["a.words", { type: "strings", value: ["one", "", "three"] }],
    ["a.list", { type: "int32s", value: [1, -2, 3] }],
  ],
  tensors: [
    { name: "first", dimensions: [3], typeId: tensorTypeIds.F32 },
    { name: "second", dimensions: [2, 5], typeId: tensorTypeIds.F16 },
  ],
};
const data = [float32Bytes(Float32Array.from([1, 2, 3])), new Uint8Array(20).fill(7)];

describe("writing and reading back", () => {
  test("every kind of value and every tensor comes back as it was", async () => {
    const path = join(temporaryFolder(), "file.gguf");
    await writeGguf(path, plan, (tensor) => [data[plan.tensors.indexOf(tensor)] ?? new Uint8Array()]);
    const header = await readGgufHeader(path);
    expect(header.version).toBe(3);
    expect(Object.fromEntries(header.metadata)).toEqual({
      "a.text": { type: "string", value: "Zeile\n🏮", bytes: 10 },
      "a.yes": { type: "bool", value: true },
      "a.small": { type: "int8", value: -5 },
      "a.number": { type: "uint32", value: 4_000_000_000 },
      "a.wide": { type: "uint64", value: 2n ** 63n },
      "a.negative": { type: "int64", value: -1n },
      "a.fraction": { type: "float32", value: 0.5 },
      "a.fine": { type: "float64", value: 0.1 },
      "a.words": { type: "array", elementType: "string", length: 3, values: null },
      "a.list": { type: "array", elementType: "int32", length: 3, values: [1, -2, 3] },
    });
    expect(header.tensors).toEqual([
      { name: "first", dimensions: [3n], typeId: 0, offset: 0n },
      { name: "second", dimensions: [2n, 5n], typeId: 1, offset: 32n },
    ]);
  });

  test("in memory and through a stream the bytes are the same, and data begins at a multiple of 32", async () => {
    const path = join(temporaryFolder(), "file.gguf");
    await writeGguf(path, plan, function* pieces(tensor) {
      const bytes = data[plan.tensors.indexOf(tensor)] ?? new Uint8Array();
      for (const byte of bytes) yield Uint8Array.of(byte);
    });
    const written = readFileSync(path);
    expect(Buffer.compare(written, ggufBytes(plan, data))).toBe(0);
    expect(written.length % 32).toBe(0);
    expect(written.subarray(-32).toString("hex")).toBe(`${"07".repeat(20)}${"00".repeat(12)}`);
  });

  test("data of the wrong length is an error, not a broken file", async () => {
    expect(() => ggufBytes(plan, [new Uint8Array(1), new Uint8Array(1)])).toThrow(
      /wrong amount of data for tensor first/,
    );
    const path = join(temporaryFolder(), "file.gguf");
    await expect(writeGguf(path, plan, () => [new Uint8Array(1)])).rejects.toThrow(/wrong amount of data/);
  });
});

test("half precision: exact where it can be, nearest even where it cannot, and its two ends", () => {
  const bits = (value: number): string => float16Bits(value).toString(16).padStart(4, "0");
  expect([0, -0, 1, -2, 0.5, 65_504].map(bits)).toEqual(["0000", "8000", "3c00", "c000", "3800", "7bff"]);
  expect([65_520, Infinity, -Infinity, Number.NaN].map(bits)).toEqual(["7c00", "7c00", "fc00", "7e00"]);
  expect([2 ** -24, 2 ** -14, 2 ** -26].map(bits)).toEqual(["0001", "0400", "0000"]);
  // Halfway between two neighbours goes to the even one.
  expect([1 + 2 ** -11, 1 + 3 * 2 ** -11].map(bits)).toEqual(["3c00", "3c02"]);
});
