/**
 * The dialect of `/v1/embeddings`. Pure; imports the domain only. The official SDKs ask for base64 when nobody says
 * otherwise, and decode it themselves; whoever sends nothing gets numbers, as at OpenAI.
 */
import { z } from "zod";
import type { EmbedRequest, Vectors } from "../../domain/embedding.ts";
import { estimatedInputTokens } from "../../domain/prompt-estimate.ts";
import { fieldFailure } from "../field-failure.ts";
import { encodeFailure } from "../openai-chat/failure.ts";
import { rateHeaders } from "../openai-chat/rate-headers.ts";
import type { WholeDialect } from "../whole-dialect.ts";
import { inputsOf } from "./inputs.ts";
import { float32Base64, float32Texts } from "./numbers.ts";

/** What is not named here (`user`) does not concern us and is dropped. */
const embeddingsBody = z.object({
  model: z.string().min(1),
  input: z.unknown(),
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().min(1).nullish(),
});

export const openaiEmbeddings: WholeDialect<EmbedRequest, Vectors> = Object.freeze({
  id: "openai-embeddings",
  decode: (body: unknown) => {
    const parsed = embeddingsBody.safeParse(body);
    if (!parsed.success) throw fieldFailure(parsed.error);
    const { model, input, encoding_format: format, dimensions } = parsed.data;
    const request: EmbedRequest = { model, inputs: inputsOf(input), dimensions: dimensions ?? null };
    const written = format === "base64" ? base64Text : float32Texts;
    return {
      request,
      estimatedTokens: estimatedInputTokens(request.inputs.map((one) => (one.type === "text" ? one.text : one.tokens))),
      encode: (vectors: Vectors, { promptTokens }: { readonly promptTokens: number }) => {
        const data = vectors.map(
          (vector, index) => `{"object":"embedding","index":${index},"embedding":${written(vector)}}`,
        );
        const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
        const rest = JSON.stringify({ model, usage });
        return `{"object":"list","data":[${data.join(",")}],${rest.slice(1)}`;
      },
    };
  },
  encodeFailure,
  rateHeaders,
});

function base64Text(vector: Float32Array): string {
  return JSON.stringify(float32Base64(vector));
}
