/**
 * The dialects of `/api/embed` and of the older `/api/embeddings`. Pure; imports the domain only.
 *
 * Ollama cuts an input that is too long without a word unless told not to. Here nothing is cut: it is refused, whatever
 * `truncate` says.
 */
import { z } from "zod";
import type { EmbedRequest, Vectors } from "../../domain/embedding.ts";
import { estimatedInputTokens } from "../../domain/prompt-estimate.ts";
import { noTimings, type Timings, type Usage } from "../../domain/usage.ts";
import { badField, fieldFailure } from "../field-failure.ts";
import { float32Texts } from "../openai-embeddings/numbers.ts";
import type { WholeDialect } from "../whole-dialect.ts";
import { nanosOf } from "./encode.ts";
import { encodeFailure } from "./failure.ts";

/** As many as OpenAI's route takes. */
const mostInputs = 2_048;

const embedBody = z.object({
  model: z.string().min(1),
  input: z.unknown(),
  dimensions: z.int().min(1).nullish(),
  truncate: z.boolean().nullish(),
});

const embeddingsBody = z.object({ model: z.string().min(1), prompt: z.string().min(1, "must not be empty") });

export const ollamaEmbed: WholeDialect<EmbedRequest, Vectors> = Object.freeze({
  id: "ollama-embed",
  decode: (body: unknown) => {
    const parsed = embedBody.safeParse(body);
    if (!parsed.success) throw fieldFailure(parsed.error);
    const { model, input, dimensions } = parsed.data;
    const texts = textsOf(input);
    return {
      request: {
        model,
        inputs: texts.map((text) => ({ type: "text" as const, text })),
        dimensions: dimensions ?? null,
      },
      estimatedTokens: estimatedInputTokens(texts),
      encode: (vectors: Vectors, { promptTokens }: Usage, timings: Timings = noTimings) => {
        const { queueMs, loadMs, prefillMs, decodeMs } = timings;
        const rest = JSON.stringify({
          total_duration: nanosOf(queueMs + loadMs + prefillMs + decodeMs),
          load_duration: nanosOf(loadMs),
          prompt_eval_count: promptTokens,
        });
        return `{"model":${JSON.stringify(model)},"embeddings":[${vectors.map(float32Texts).join(",")}],${rest.slice(1)}`;
      },
    };
  },
  encodeFailure,
});

export const ollamaEmbeddings: WholeDialect<EmbedRequest, Vectors> = Object.freeze({
  id: "ollama-embeddings",
  decode: (body: unknown) => {
    const parsed = embeddingsBody.safeParse(body);
    if (!parsed.success) throw fieldFailure(parsed.error);
    const { model, prompt } = parsed.data;
    return {
      request: { model, inputs: [{ type: "text" as const, text: prompt }], dimensions: null },
      estimatedTokens: estimatedInputTokens([prompt]),
      encode: ([vector]: Vectors) => `{"embedding":${vector === undefined ? "[]" : float32Texts(vector)}}`,
    };
  },
  encodeFailure,
});

function textsOf(input: unknown): readonly string[] {
  if (typeof input === "string") return [notEmpty(input, "input")];
  if (!Array.isArray(input)) throw badField("input", "Invalid value for 'input': must be a text or a list of texts.");
  const entries: readonly unknown[] = input;
  if (entries.length === 0) throw badField("input", "'input' must not be empty.");
  if (entries.length > mostInputs) {
    throw badField("input", `'input' holds ${entries.length} inputs; at most ${mostInputs} are taken at once.`);
  }
  return entries.map((entry, index) => notEmpty(entry, `input[${index}]`));
}

function notEmpty(entry: unknown, name: string): string {
  if (typeof entry !== "string") throw badField(name, `Invalid value for '${name}': must be a text.`);
  if (entry === "") throw badField(name, `'${name}' must not be empty.`);
  return entry;
}
