/** Reranking on the wire, as Jina, Cohere, vLLM and llama-server share it. */
import { expect, test } from "vitest";
import { rerank } from "../../../server/dialects/rerank/rerank.ts";
import { noUsage } from "../../../server/domain/usage.ts";

const decode = (wishes: object) =>
  rerank.decode({ model: "ranker", query: "q", documents: ["a", "b", "c"], ...wishes });
const usage = { ...noUsage, promptTokens: 30 };

test("documents are texts or objects with a text", () => {
  const { request } = decode({ documents: ["a", { text: "b", title: "x" }], rank_fields: ["text"] });
  expect(request).toEqual({ model: "ranker", query: "q", documents: ["a", "b"] });
});

test("the best comes first, with its place in the request; equal ones keep their order", () => {
  expect(JSON.parse(decode({}).encode([0.25, 0.75, 0.25], usage))).toEqual({
    object: "list",
    model: "ranker",
    results: [
      { index: 1, relevance_score: 0.75 },
      { index: 0, relevance_score: 0.25 },
      { index: 2, relevance_score: 0.25 },
    ],
    usage: { prompt_tokens: 30, total_tokens: 30 },
  });
});

test("as many as asked for, with their documents when asked for", () => {
  const call = decode({ top_n: 2, return_documents: true, documents: ["a", { text: "b" }, "c"] });
  expect(JSON.parse(call.encode([0.1, 0.2, 0.3], usage)).results).toEqual([
    { index: 2, relevance_score: 0.3, document: { text: "c" } },
    { index: 1, relevance_score: 0.2, document: { text: "b" } },
  ]);
  expect(JSON.parse(decode({ top_n: 99 }).encode([0.1, 0.2, 0.3], usage)).results).toHaveLength(3);
});

test.each([
  [{ documents: [] }, "documents"],
  [{ documents: ["a", " "] }, "documents[1]"],
  [{ documents: ["a", 5] }, "documents[1]"],
  [{ documents: [{ title: "x" }] }, "documents[0].text"],
  [{ documents: Array.from({ length: 2_049 }, () => "a") }, "documents"],
  [{ query: "" }, "query"],
  [{ top_n: 0 }, "top_n"],
  [{ model: 5 }, "model"],
  [{ return_documents: "yes" }, "return_documents"],
])("%j is refused by name (%#)", (wishes, param) => {
  expect(() => decode(wishes)).toThrow(expect.objectContaining({ code: "invalid_request", param }));
});
