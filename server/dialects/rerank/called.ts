/**
 * The rerank wire that Jina, Cohere, vLLM and llama-server share, called. Pure; imports the domain only.
 *
 * Scores are taken as they come: within 0 and 1 they are probabilities, as ours are. Anything else is a logit of that upstream
 * (llama-server), and becomes one by the logistic function, all of an answer alike.
 */
import type { RerankRequest, Scores } from "../../domain/embedding.ts";
import type { CalledWholeDialect } from "../called-whole.ts";
import { decodeFailure } from "../openai-chat/called-failure.ts";
import { at } from "../usage/figures.ts";
import { inOrder, notWhole, wholeReading } from "../whole-body.ts";

export const calledRerank: CalledWholeDialect<RerankRequest, Scores> = Object.freeze<
  CalledWholeDialect<RerankRequest, Scores>
>({
  id: "rerank",
  encodeRequest: ({ query, documents }, { model, extraBody }) => {
    // All of them: which are the best is decided here.
    const body = { model, query, documents, top_n: documents.length, return_documents: false, ...extraBody };
    return { path: "/rerank", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
  },
  read: (body, { documents }, { traits }) =>
    wholeReading(body, traits, (answer) => {
      const scores = inOrder(answer.results, documents.length, "scores").map((entry) => {
        // Those who leave the number out sort by score, and then nobody knows whose it is.
        if (at(entry, "index") === undefined && documents.length > 1) throw notWhole("its scores are of no document");
        const score = at(entry, "relevance_score") ?? at(entry, "score");
        if (typeof score !== "number" || !Number.isFinite(score)) throw notWhole("a score of it is no number");
        return score;
      });
      const areLogits = traits.rerankLogits ?? scores.some((score) => score < 0 || score > 1);
      return areLogits ? scores.map((score) => 1 / (1 + Math.exp(-score))) : scores;
    }),
  decodeFailure,
});
