/**
 * The dialect of `/v1/rerank`: the shape that Jina began and Cohere, vLLM and llama-server share. Pure; imports the domain
 * only. Best first; scores are 0 to 1, as Cohere's, Jina's and vLLM's are (llama-server gives bare logits).
 */
import { z } from "zod";
import type { RerankRequest, Scores } from "../../domain/embedding.ts";
import { estimatedInputTokens } from "../../domain/prompt-estimate.ts";
import { badField, fieldFailure } from "../field-failure.ts";
import { encodeFailure } from "../openai-chat/failure.ts";
import { rateHeaders } from "../openai-chat/rate-headers.ts";
import type { WholeDialect } from "../whole-dialect.ts";

/** As many as embeddings take inputs. */
const mostDocuments = 2_048;

const document = z.union([z.string(), z.object({ text: z.string() })], {
  error: "must be a text, or an object with a text",
});

const rerankBody = z.object({
  model: z.string().min(1),
  query: z.string().min(1, "must not be empty"),
  documents: z.array(document).min(1, "must not be empty"),
  /** More than there are is all of them. */
  top_n: z.int().min(1).nullish(),
  return_documents: z.boolean().nullish(),
});

export const rerank: WholeDialect<RerankRequest, Scores> = Object.freeze({
  id: "rerank",
  decode: (body: unknown) => {
    refuseLongLists(body);
    const parsed = rerankBody.safeParse(body);
    if (!parsed.success) throw fieldFailure(parsed.error);
    const { model, query, top_n: most, return_documents: withDocuments } = parsed.data;
    const documents = parsed.data.documents.map((one) => (typeof one === "string" ? one : one.text));
    const empty = documents.findIndex((text) => text.trim() === "");
    if (empty !== -1) throw badField(`documents[${empty}]`, `'documents[${empty}]' must not be empty.`);
    return {
      request: { model, query, documents },
      // The query is read again beside each document.
      estimatedTokens: estimatedInputTokens(documents.map((text) => query + text)),
      encode: (scores: Scores, { promptTokens }: { readonly promptTokens: number }) => {
        const results = scores
          .map((score, index) => ({
            index,
            relevance_score: score,
            ...(withDocuments === true ? { document: { text: documents[index] } } : {}),
          }))
          .sort((left, right) => right.relevance_score - left.relevance_score)
          .slice(0, most ?? scores.length);
        const usage = { prompt_tokens: promptTokens, total_tokens: promptTokens };
        return JSON.stringify({ object: "list", model, results, usage });
      },
    };
  },
  encodeFailure,
  rateHeaders,
});

/** Before the schema looks at every one of them: millions of wrong ones would each cost an issue. */
function refuseLongLists(body: unknown): void {
  if (typeof body !== "object" || body === null || !("documents" in body) || !Array.isArray(body.documents)) return;
  const { length } = body.documents;
  if (length <= mostDocuments) return;
  throw badField("documents", `'documents' holds ${length} documents; at most ${mostDocuments} are taken at once.`);
}
