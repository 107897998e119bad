/** OpenAI's embeddings on the wire: what is understood, what is refused and how numbers are written. */
import { describe, expect, test } from "vitest";
import { openaiEmbeddings } from "../../../server/dialects/openai-embeddings/openai-embeddings.ts";
import { noUsage } from "../../../server/domain/usage.ts";

const decode = (wishes: object) => openaiEmbeddings.decode({ model: "bge", input: "hi", ...wishes });
const usage = { ...noUsage, promptTokens: 7 };

describe("what is asked", () => {
  test.each([
    ["hi", [{ type: "text", text: "hi" }]],
    [
      ["a", " "],
      [
        { type: "text", text: "a" },
        { type: "text", text: " " },
      ],
    ],
    [[5, 0, 7], [{ type: "tokens", tokens: [5, 0, 7] }]],
    [
      [[5], [6, 7]],
      [
        { type: "tokens", tokens: [5] },
        { type: "tokens", tokens: [6, 7] },
      ],
    ],
  ])("%j", (input, inputs) => {
    expect(decode({ input, user: "u", unknown: 1 }).request).toEqual({ model: "bge", inputs, dimensions: null });
  });

  test("up to 2,048 inputs and not one more; one long list of tokens is one input", () => {
    expect(decode({ input: Array.from({ length: 2_048 }, () => "a") }).request.inputs).toHaveLength(2_048);
    const most = { code: "invalid_request", param: "input", message: expect.stringContaining("2049 inputs") };
    expect(() => decode({ input: Array.from({ length: 2_049 }, () => "a") })).toThrow(expect.objectContaining(most));
    expect(() => decode({ input: Array.from({ length: 2_049 }, () => [1]) })).toThrow(expect.objectContaining(most));
    expect(decode({ input: Array.from({ length: 4_000 }, () => 1) }).request.inputs).toHaveLength(1);
  });

  test.each([
    [{ input: [] }, "input"],
    [{ input: "" }, "input"],
    [{ input: ["a", ""] }, "input[1]"],
    [{ input: [[1], []] }, "input[1]"],
    [{ input: [1, -2] }, "input[1]"],
    [{ input: [1.5] }, "input[0]"],
    [{ input: [1, "a"] }, "input[1]"],
    [{ input: ["a", 1] }, "input[1]"],
    [{ input: [[1], "a"] }, "input[1]"],
    [{ input: [["a"]] }, "input[0][0]"],
    [{ input: [null] }, "input[0]"],
    [{ input: undefined }, "input"],
    [{ input: null }, "input"],
    [{ input: { text: "a" } }, "input"],
    [{ model: "" }, "model"],
    [{ encoding_format: "hex" }, "encoding_format"],
    [{ dimensions: 0 }, "dimensions"],
    [{ dimensions: 1.5 }, "dimensions"],
  ])("%j is refused by name", (wishes, param) => {
    expect(() => decode(wishes)).toThrow(expect.objectContaining({ code: "invalid_request", param }));
  });

  test("the first wrong one of a million ends the matter", () => {
    const input = Array.from({ length: 1_000_000 }, (_, index) => (index === 0 ? 1 : "a"));
    const startedMs = performance.now();
    expect(() => decode({ input })).toThrow(expect.objectContaining({ param: "input[1]" }));
    expect(() => decode({ input: [input] })).toThrow(expect.objectContaining({ param: "input[0][1]" }));
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  test.each([null, [], "text", 7, undefined])("a body that is no object: %j", (body) => {
    expect(() => openaiEmbeddings.decode(body)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });
});

describe("what is answered", () => {
  const vectors = [Float32Array.of(0.1, -1 / 3, 1e-30), Float32Array.of(1, 0, -0.25)];

  test("numbers, in order, with usage that adds up", () => {
    expect(JSON.parse(decode({ encoding_format: "float" }).encode(vectors, usage))).toEqual({
      object: "list",
      data: [
        { object: "embedding", index: 0, embedding: [0.100000001, -0.333333343, 1e-30] },
        { object: "embedding", index: 1, embedding: [1, 0, -0.25] },
      ],
      model: "bge",
      usage: { prompt_tokens: 7, total_tokens: 7 },
    });
  });

  test("every written number reads back as the very number it was", () => {
    const bits = new Uint32Array(4_000).map((_, index) => Math.imul(index + 1, 0x9e3779b1) & 0x7f7fffff);
    const odd = new Float32Array(bits.buffer);
    const body = JSON.parse(decode({}).encode([odd], usage));
    expect(Float32Array.from(body.data[0].embedding)).toEqual(odd);
  });

  test("S-10 base64 holds the same numbers, little-endian, whatever their count", () => {
    for (const length of [1, 2, 3, 4, 64]) {
      const vector = Float32Array.from({ length }, (_, index) => Math.sin(index + 1));
      const body = JSON.parse(decode({ encoding_format: "base64" }).encode([vector], usage));
      const bytes = Buffer.from(body.data[0].embedding, "base64");
      expect(bytes.toString("base64")).toBe(body.data[0].embedding);
      expect(Array.from({ length }, (_, index) => bytes.readFloatLE(4 * index))).toEqual([...vector]);
    }
  });
});
