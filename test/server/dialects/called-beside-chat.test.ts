/** What goes to an upstream beside chats: embeddings, documents to be ranked, raw prompts; and what is made of its answers. */
import { describe, expect, test } from "vitest";
import type { CallFacts, CallTraits } from "../../../server/dialects/called.ts";
import { calledForPrompts, calledWhole, dialects } from "../../../server/dialects/index.ts";
import { calledOpenaiCompletions } from "../../../server/dialects/openai-completions/called.ts";
import { float32Base64, float32OfBase64 } from "../../../server/dialects/openai-embeddings/numbers.ts";
import type { ChatEvent, ChatRequest } from "../../../server/domain/chat.ts";
import type { EmbedInput, EmbedRequest, RerankRequest } from "../../../server/domain/embedding.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { chatRequest } from "../../support/chat-request.ts";

const facts = (traits: CallTraits = {}, maxTokens: number | null = null): CallFacts => ({
  ...{ model: "up", maxTokens, traits },
});
const thrownBy = (ask: () => unknown) => {
  try {
    ask();
  } catch (thrown) {
    return thrown;
  }
  return null;
};

describe("embeddings", () => {
  const embeddings = calledWhole["openai-embeddings"];
  const text = (words: string): EmbedInput => ({ type: "text", text: words });
  const request = (inputs: readonly EmbedInput[], dimensions: number | null = null): EmbedRequest => ({
    ...{ model: "alias", inputs, dimensions },
  });
  const sent = (asked: EmbedRequest, traits: CallTraits = {}) =>
    JSON.parse(embeddings.encodeRequest(asked, facts(traits)).body);
  const read = (asked: EmbedRequest, ...vectors: unknown[]) => {
    const data = vectors.map((embedding, index) => ({ index, embedding }));
    const reading = embeddings.read(JSON.stringify({ data }), asked, facts());
    return reading.type === "read" ? reading.result : reading.failure;
  };

  test("base64 is asked for, one input by itself, several as a list, tokens as they are", () => {
    expect(sent(request([text("a")]))).toEqual({ model: "up", input: "a", encoding_format: "base64" });
    expect(sent(request([text("a"), text("b")], 8))).toMatchObject({ input: ["a", "b"], dimensions: 8 });
    expect(sent(request([{ type: "tokens", tokens: [1, 2] }])).input).toEqual([1, 2]);
    expect(sent(request([text("a")]), { noEmbeddingFormat: true })).toEqual({ model: "up", input: "a" });
  });

  test("base64 and lists of numbers are the same vectors, of length 1", () => {
    const values = Float32Array.of(0.6, -0.8, 0);
    const [coded] = read(request([text("a")]), float32Base64(values)) as Float32Array[];
    const [listed] = read(request([text("a")]), [0.6, -0.8, 0]) as Float32Array[];
    expect(coded).toEqual(listed);
    expect([...(coded ?? [])]).toEqual([...values].map((value) => expect.closeTo(value, 6)));
    const [long] = read(request([text("a")]), [3, 4]) as Float32Array[];
    expect([...(long ?? [])]).toEqual([expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)]);
  });

  test("base64 is read back as it was written, whatever its length", () => {
    for (const length of [1, 2, 3, 4, 5, 64, 1023]) {
      const values = Float32Array.from({ length }, (_, index) => Math.sin(index + 1) * 10 ** ((index % 60) - 30));
      expect(float32OfBase64(float32Base64(values))).toEqual(values);
    }
    for (const wrong of ["A", "AAA", "AAAA", "AAAAAAA=", "AAAAA===", "AA-_AA==", "AACAPw==\n"]) {
      expect(float32OfBase64(wrong), wrong).toBeNull();
    }
    expect(float32OfBase64("AACAPw==")).toEqual(Float32Array.of(1));
  });

  test("an upstream that does not shorten is shortened here, and one that gives too little is none", () => {
    const [short] = read(request([text("a")], 2), [3, 4, 12]) as Float32Array[];
    expect([...(short ?? [])]).toEqual([expect.closeTo(0.6, 6), expect.closeTo(0.8, 6)]);
    expect(read(request([text("a")], 4), [3, 4, 12])).toMatchObject({ code: "upstream_failed" });
  });

  test.each([
    ["a vector of text", [["x"]]],
    ["an empty one", [[]]],
    ["zeros", [[0, 0]]],
    ["what is no base64", ["!!!!"]],
    ["an infinity in base64", ["AACAfw=="]],
    ["null among numbers", [[1, null]]],
  ])("%s is no answer", (_, vectors) => {
    expect(read(request([text("a")]), ...vectors)).toMatchObject({ code: "upstream_failed" });
  });

  test("vectors of two lengths are no answer", () => {
    expect(read(request([text("a"), text("b")]), [1, 0], [1])).toMatchObject({ code: "upstream_failed" });
  });
});

describe("reranking", () => {
  const request: RerankRequest = { model: "alias", query: "q", documents: ["a", "b", "c"] };
  const read = (scores: readonly object[], traits: CallTraits = {}) => {
    const reading = calledWhole.rerank.read(JSON.stringify({ results: scores }), request, facts(traits));
    return reading.type === "read" ? reading.result : reading.failure;
  };
  const scored = (...scores: number[]) => scores.map((relevance_score, index) => ({ index, relevance_score }));

  test("all documents are asked for, without their texts coming back", () => {
    expect(JSON.parse(calledWhole.rerank.encodeRequest(request, facts()).body)).toEqual({
      ...{ model: "up", query: "q", documents: ["a", "b", "c"], top_n: 3, return_documents: false },
    });
  });

  test("scores come back in the order of the documents, and logits become probabilities", () => {
    expect(read([...scored(0.1, 0.5, 0.9)].reverse())).toEqual([0.1, 0.5, 0.9]);
    expect(read(scored(-2, 0, 2))).toEqual([expect.closeTo(0.1192, 4), 0.5, expect.closeTo(0.8808, 4)]);
    // Where it is known what they are, nobody guesses.
    expect(read(scored(0, 0, 0), { rerankLogits: true })).toEqual([0.5, 0.5, 0.5]);
    expect(read(scored(0, 0.2, 1), { rerankLogits: false })).toEqual([0, 0.2, 1]);
  });

  test("scores of no document are no answer: they come sorted, and nobody knows whose they are", () => {
    expect(read(scored(0.9, 0.5, 0.1).map(({ relevance_score }) => ({ relevance_score })))).toBeInstanceOf(Failure);
    expect(read([{ index: 0, relevance_score: "high" }, ...scored(0, 1, 1).slice(1)])).toBeInstanceOf(Failure);
  });
});

describe("raw prompts", () => {
  const called = calledOpenaiCompletions;
  const raw = (wishes: Partial<ChatRequest> = {}): ChatRequest =>
    chatRequest("", {
      messages: [],
      completion: { prompts: ["def f("], suffix: null, echo: false },
      toolChoice: { type: "none" },
      ...wishes,
    });
  const sent = (request: ChatRequest, given = facts()) => JSON.parse(called.encodeRequest(request, given).body);
  const chunk = (choice: object, more: object = {}) => ({
    event: null,
    data: JSON.stringify({
      object: "text_completion",
      choices: [{ index: 0, finish_reason: null, ...choice }],
      ...more,
    }),
  });
  const usage = { prompt_tokens: 12, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 } };
  const texts = (events: readonly ChatEvent[]) => events.map((one) => (one.type === "text" ? one.text : "")).join("");

  test("they go beside OpenAI's two chat shapes, and beside no other", () => {
    expect(Object.keys(calledForPrompts)).toEqual(["openai-chat", "openai-responses"]);
    expect(calledForPrompts["openai-chat"]).toBe(called);
  });

  test("one prompt by itself, a suffix, what bounds it, and usage at the end of a stream", () => {
    expect(called.encodeRequest(raw(), facts()).path).toBe("/completions");
    const completion = { prompts: ["def f("], suffix: ")", echo: false };
    expect(sent(raw({ completion, stop: ["\n"] }), facts({}, 20))).toEqual({
      ...{ model: "up", prompt: "def f(", suffix: ")", max_tokens: 20, temperature: 0, stop: ["\n"] },
      ...{ stream: true, stream_options: { include_usage: true } },
    });
    const several = { prompts: ["a", [1, 2]], suffix: null, echo: true };
    expect(sent(raw({ completion: several, stream: false, choices: 2, logprobs: { top: 3 } }))).toEqual({
      ...{ model: "up", prompt: ["a", [1, 2]], echo: true, n: 2, logprobs: 3, temperature: 0 },
    });
  });

  test("a body of this very shape goes as it came, but for the closed list of edits", () => {
    const body = {
      model: "alias",
      prompt: "x",
      best_of: 1,
      zz_unknown: { a: 1 },
      top_k: 5,
      stream: true,
      max_tokens: 99,
    };
    const request = dialects["openai-completions"].decodeChat(body);
    expect(sent(request, facts({}, 50))).toEqual({
      ...{ model: "up", prompt: "x", best_of: 1, zz_unknown: { a: 1 }, stream: true, max_tokens: 50 },
      stream_options: { include_usage: true },
    });
    expect(sent(request, facts({ extendedSampling: true, noStreamOptions: true }))).toEqual({ ...body, model: "up" });
  });

  test("an Ollama prompt goes the same way", () => {
    const body = { model: "coder", prompt: "def f(", suffix: ")", options: { num_predict: 8, top_k: 3 } };
    const request = dialects["ollama-generate"].decodeChat(body);
    expect(sent(request, facts({ extendedSampling: true }, 8))).toMatchObject({
      ...{ prompt: "def f(", suffix: ")", max_tokens: 8, top_k: 3, stream: true },
    });
  });

  test.each([
    ["a conversation", chatRequest("hi"), "messages"],
    ["a format", raw({ responseFormat: { type: "json-object" } }), "format"],
    ["many stop strings", raw({ stop: ["a", "b", "c", "d", "e"] }), "stop"],
  ])("%s is refused by name", (_, request, param) => {
    expect(thrownBy(() => sent(request))).toMatchObject({ code: "unsupported", param });
  });

  test("a stream becomes text, an end and what it used", () => {
    const decoder = called.decoder(raw(), facts());
    const events = [
      ...decoder.frame(chunk({ text: "Hé" })),
      ...decoder.frame(chunk({ text: "llo 🏮" })),
      ...decoder.frame(chunk({ text: "", finish_reason: "length" })),
      ...decoder.frame({ event: null, data: JSON.stringify({ choices: [], usage }) }),
      ...decoder.frame({ event: null, data: "[DONE]" }),
      ...decoder.ended(),
    ];
    expect(texts(events)).toBe("Héllo 🏮");
    expect(events.filter(({ type }) => type !== "text" && type !== "frame")).toMatchObject([
      { type: "finished", finishReason: "length", usage: { promptTokens: 12, cachedTokens: 4, completionTokens: 5 } },
    ]);
  });

  test("in one piece it is the same, and without [DONE] too", () => {
    const body = { choices: [{ index: 0, text: "Hello", finish_reason: "stop" }], usage };
    const whole = called.decoder(raw({ stream: false }), facts()).whole(JSON.stringify(body));
    expect(whole).toMatchObject([
      { type: "text", text: "Hello" },
      { type: "finished", finishReason: "stop", upstream: { raw: usage } },
    ]);
    const decoder = called.decoder(raw(), facts());
    decoder.frame(chunk({ text: "Hello", finish_reason: "stop" }));
    expect(decoder.ended()).toMatchObject([{ type: "finished" }]);
  });

  test("several answers are told apart, each with its own end", () => {
    const decoder = called.decoder(raw({ choices: 2 }), facts());
    const events = [
      ...decoder.frame(chunk({ index: 1, text: "b", finish_reason: "length" })),
      ...decoder.frame(chunk({ index: 0, text: "a" })),
      ...decoder.frame(chunk({ index: 5, text: "nobody's" })),
      ...decoder.frame(chunk({ index: 0, text: "", finish_reason: "stop" })),
      ...decoder.ended(),
    ];
    expect(events.filter(({ type }) => type !== "frame")).toMatchObject([
      { type: "text", text: "b", choice: 1 },
      { type: "choice-finished", choice: 1, finishReason: "length" },
      { type: "text", text: "a", choice: 0 },
      { type: "choice-finished", choice: 0, finishReason: "stop" },
      { type: "finished", finishReason: "stop" },
    ]);
  });

  test("log-probabilities in the older shape", () => {
    const logprobs = { tokens: ["a"], token_logprobs: [-0.5], top_logprobs: [{ a: -0.5, b: -1 }], text_offset: [0] };
    const [event] = called.decoder(raw({ logprobs: { top: 2 } }), facts()).frame(chunk({ text: "a", logprobs }));
    expect(event).toMatchObject({
      logprobs: [{ text: "a", bytes: [97], logprob: -0.5, top: [{ text: "a" }, { text: "b", logprob: -1 }] }],
    });
  });

  test("S-26 what breaks off ends once as a failure, with what was used", () => {
    const cases: [string, (decoder: ReturnType<typeof called.decoder>) => readonly ChatEvent[], string][] = [
      ["no reason", (one) => [...one.frame(chunk({ text: "a" })), ...one.ended()], "upstream_cut"],
      ["[DONE] without one", (one) => one.frame({ event: null, data: "[DONE]" }), "upstream_cut"],
      ["an error", (one) => one.frame({ event: null, data: '{"error":{"code":503}}' }), "upstream_overloaded"],
      [
        "a reason that is an error",
        (one) => one.frame(chunk({ text: "a", finish_reason: "error" })),
        "upstream_failed",
      ],
      ["no JSON", (one) => one.frame({ event: null, data: "{{" }), "upstream_failed"],
      ["half a body", (one) => one.whole('{"choices":[{"text":"a'), "upstream_cut"],
      ["a body without choices", (one) => one.whole("{}"), "upstream_cut"],
    ];
    for (const [what, feed, code] of cases) {
      const decoder = called.decoder(raw(), facts());
      const events = [
        ...decoder.frame({ event: null, data: JSON.stringify({ choices: [], usage }) }),
        ...feed(decoder),
      ];
      expect(events.at(-1), what).toMatchObject({ type: "failed", failure: { code }, usage: { promptTokens: 12 } });
      expect([...decoder.ended(), ...decoder.frame(chunk({ text: "late" })), ...decoder.whole("{}")], what).toEqual([]);
    }
  });
});
