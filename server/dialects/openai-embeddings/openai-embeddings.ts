/**
 * The dialect of `/v1/embeddings`. Pure; imports the domain only. The official SDKs ask for base64 when nobody says
 * otherwise, and decode it themselves; whoever sends nothing gets numbers, as at OpenAI.
 */
import type { EmbedInput, EmbedRequest, Vectors } from "../../domain/embedding.ts";
import { badField, fieldFailure } from "../field-failure.ts";
import { encodeFailure } from "../openai-chat/failure.ts";
import type { WholeDialect } from "../whole-dialect.ts";
import { float32Base64, float32Texts } from "./numbers.ts";
import { embeddingsBody, mostInputs, type WireEmbeddingsBody } from "./schema.ts";

export const openaiEmbeddings: WholeDialect<EmbedRequest, Vectors> = Object.freeze({
  id: "openai-embeddings",
  decode: (body: unknown) => {
    refuseLongLists(body);
    const parsed = embeddingsBody.safeParse(body);
    if (!parsed.success) throw fieldFailure(parsed.error);
    const wire = parsed.data;
    const request: EmbedRequest = {
      model: wire.model,
      inputs: inputsOf(wire.input),
      dimensions: wire.dimensions ?? null,
    };
    const written = wire.encoding_format === "base64" ? base64Text : float32Texts;
    return {
      request,
      encode: (vectors: Vectors, { promptTokens }: { readonly promptTokens: number }) => {
        const data = vectors.map(
          (vector, index) => `{"object":"embedding","index":${index},"embedding":${written(vector)}}`,
        );
        const rest = JSON.stringify({
          model: wire.model,
          usage: { prompt_tokens: promptTokens, total_tokens: promptTokens },
        });
        return `{"object":"list","data":[${data.join(",")}],${rest.slice(1)}`;
      },
    };
  },
  encodeFailure,
});

/** Says what is wrong with a list that is too long before each of its entries is looked at. */
function refuseLongLists(body: unknown): void {
  if (typeof body !== "object" || body === null || !("input" in body) || !Array.isArray(body.input)) return;
  const { input } = body;
  if (input.length === 0) throw badField("input", "'input' must not be empty.");
  // A flat list of tokens is one input; how long that may be, the model says.
  if (typeof input[0] !== "number" && input.length > mostInputs) {
    throw badField("input", `'input' holds ${input.length} inputs; at most ${mostInputs} are taken at once.`);
  }
}

function inputsOf(input: WireEmbeddingsBody["input"]): readonly EmbedInput[] {
  if (typeof input === "string") return [{ type: "text", text: input }];
  if (isTokens(input)) return [{ type: "tokens", tokens: input }];
  return input.map(
    (one): EmbedInput => (typeof one === "string" ? { type: "text", text: one } : { type: "tokens", tokens: one }),
  );
}

function isTokens(input: readonly unknown[]): input is readonly number[] {
  return typeof input[0] === "number";
}

function base64Text(vector: Float32Array): string {
  return JSON.stringify(float32Base64(vector));
}
