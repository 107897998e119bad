/** What every dialect that answers in one piece promises, run over the registry. */
import { describe, expect, test } from "vitest";
import { wholeDialects } from "../../server/dialects/index.ts";
import { Failure, type FailureCode, failureKinds } from "../../server/domain/failure.ts";
import { noUsage } from "../../server/domain/usage.ts";

const usage = { ...noUsage, promptTokens: 9 };
/** A body each understands, and its answer to that. */
const answers = {
  "openai-embeddings": () =>
    wholeDialects["openai-embeddings"].decode({ model: "org/m:1@q", input: "hi" }).encode([Float32Array.of(1)], usage),
  rerank: () => wholeDialects.rerank.decode({ model: "org/m:1@q", query: "q", documents: ["d"] }).encode([0.5], usage),
  "ollama-embed": () =>
    wholeDialects["ollama-embed"].decode({ model: "org/m:1@q", input: "hi" }).encode([Float32Array.of(1)], usage),
  "ollama-embeddings": () =>
    wholeDialects["ollama-embeddings"].decode({ model: "org/m:1@q", prompt: "hi" }).encode([Float32Array.of(1)], usage),
} satisfies Record<keyof typeof wholeDialects, () => string>;

const openaiMeaning = { model: "org/m:1@q", usage: { prompt_tokens: 9, total_tokens: 9 } };
/** What each says of the model and of what was used. */
const meanings: Record<keyof typeof wholeDialects, object> = {
  "openai-embeddings": openaiMeaning,
  rerank: openaiMeaning,
  "ollama-embed": { model: "org/m:1@q", embeddings: [[1]], prompt_eval_count: 9, total_duration: 0, load_duration: 0 },
  "ollama-embeddings": { embedding: [1] },
};

describe.each(Object.entries(wholeDialects))("dialect %s", (id, dialect) => {
  test("its id is its name in the registry", () => {
    expect(dialect.id).toBe(id);
  });

  test("its answer names the model as the client wrote it, and its usage adds up", () => {
    expect(JSON.parse(answers[id as keyof typeof answers]())).toMatchObject(meanings[id as keyof typeof answers]);
  });

  test.each([undefined, null, 5, "text", [], {}, { model: 5 }, JSON.parse('{"__proto__":{"model":"m"}}')])(
    "a body that is none of its own is a 400: %j",
    (body) => {
      expect(() => dialect.decode(body)).toThrow(expect.objectContaining({ code: "invalid_request" }));
    },
  );

  test.each(Object.keys(failureKinds) as FailureCode[])("failure %s keeps its status, code and words", (code) => {
    const wire = dialect.encodeFailure(new Failure(code, "words", { param: "input" }));
    expect(wire.status).toBe(failureKinds[code].httpStatus);
    const { error } = JSON.parse(wire.body);
    if (id.startsWith("ollama")) expect(error).toBe("words");
    else expect(error).toMatchObject({ message: "words", param: "input" });
    if (wire.status === 429 || wire.status === 503) expect(wire.headers["retry-after"]).toMatch(/^[1-9]\d?$/);
  });
});
