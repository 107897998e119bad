/**
 * OpenAI's embeddings wire, called. Base64 is asked for: a third of the bytes, and the very numbers; who sends a list of numbers
 * all the same is understood. Pure; imports the domain only.
 */
import type { EmbedRequest, Vectors } from "../../domain/embedding.ts";
import type { CalledWholeDialect } from "../called-whole.ts";
import { decodeFailure } from "../openai-chat/called-failure.ts";
import { at } from "../usage/figures.ts";
import { inOrder, notWhole, wholeReading } from "../whole-body.ts";
import { float32OfBase64 } from "./numbers.ts";

/** Far more numbers than any vector has. */
const longestVector = 2 ** 20;

export const calledOpenaiEmbeddings: CalledWholeDialect<EmbedRequest, Vectors> = Object.freeze<
  CalledWholeDialect<EmbedRequest, Vectors>
>({
  id: "openai-embeddings",
  encodeRequest: ({ inputs, dimensions }, { model, traits, extraBody }) => {
    const values = inputs.map((input) => (input.type === "text" ? input.text : input.tokens));
    const body = {
      model,
      // One as OpenAI's own clients send it; some servers know no lists.
      input: values.length === 1 ? values[0] : values,
      ...(traits.noEmbeddingFormat === true ? {} : { encoding_format: "base64" }),
      ...(dimensions === null ? {} : { dimensions }),
      ...extraBody,
    };
    return { path: "/embeddings", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  },
  read: (body, { inputs, dimensions }, { traits }) =>
    wholeReading(body, traits, (answer) => {
      const vectors = inOrder(answer.data, inputs.length, "vectors").map((entry) => {
        const vector = vectorOf(at(entry, "embedding"));
        if (dimensions !== null && vector.length < dimensions) {
          throw notWhole(`its vectors have ${vector.length} numbers where ${dimensions} were asked for`);
        }
        return unitVector(dimensions === null ? vector : vector.subarray(0, dimensions));
      });
      if (vectors.some(({ length }) => length !== vectors[0]?.length)) throw notWhole("its vectors differ in length");
      return vectors;
    }),
  decodeFailure,
});

function vectorOf(wire: unknown): Float32Array {
  const vector = typeof wire === "string" ? float32OfBase64(wire) : Array.isArray(wire) ? numbersOf(wire) : null;
  if (vector === null || vector.length === 0 || vector.length > longestVector) throw notWhole("a vector of it is none");
  if (!vector.every(Number.isFinite)) throw notWhole("a vector of it holds what is no number");
  return vector;
}

function numbersOf(list: readonly unknown[]): Float32Array | null {
  return list.every((value) => typeof value === "number") ? Float32Array.from(list) : null;
}

/** Brought to length 1, as everybody here expects; most are already. */
function unitVector(vector: Float32Array): Float32Array {
  let square = 0;
  for (const value of vector) square += value * value;
  if (square === 0) throw notWhole("a vector of it is all zeros");
  const length = Math.sqrt(square);
  return vector.map((value) => value / length);
}
