/** `/v1/completions` as clients and editors speak it: what a body means, and what comes back. */
import { describe, expect, test } from "vitest";
import { dialects } from "../../../server/dialects/index.ts";
import type { ChatEvent, ChosenLogprob } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { noTimings } from "../../../server/domain/usage.ts";

const dialect = dialects["openai-completions"];
const base = { model: "coder", prompt: "def " };

function refusal(body: unknown): Failure {
  try {
    dialect.decodeChat(body);
  } catch (thrown) {
    if (thrown instanceof Failure) return thrown;
    throw thrown;
  }
  throw new Error("was accepted");
}

describe("a body", () => {
  test.each([
    ["one text", "a", ["a"]],
    ["several texts", ["a", "b"], ["a", "b"]],
    ["token ids", [1, 2, 3], [[1, 2, 3]]],
    ["several lists of token ids", [[1, 2], [3]], [[1, 2], [3]]],
  ])("may hold %s", (_what, prompt, prompts) => {
    expect(dialect.decodeChat({ ...base, prompt }).completion).toEqual({ prompts, suffix: null, echo: false });
  });

  test("asks for 16 tokens where it does not say, as at OpenAI", () => {
    expect(dialect.decodeChat(base)).toMatchObject({ maxTokens: 16, choices: 1, logprobs: null, messages: [] });
  });

  test("with an empty suffix asks for none: editors send it at the end of a file", () => {
    expect(dialect.decodeChat({ ...base, suffix: "" }).completion?.suffix).toBeNull();
    expect(dialect.decodeChat({ ...base, suffix: "}" }).completion?.suffix).toBe("}");
  });

  test.each<[string, object, string]>([
    ["no prompt", { prompt: undefined }, "prompt"],
    ["an empty list", { prompt: [] }, "prompt"],
    ["texts and ids mixed", { prompt: ["a", 1] }, "prompt[1]"],
    ["an id below 0", { prompt: [-1] }, "prompt[0]"],
    ["too many answers in all", { prompt: Array(65).fill("a"), n: 2 }, "prompt"],
    ["n zero", { n: 0 }, "n"],
    ["best_of beyond n", { best_of: 2 }, "best_of"],
    ["too many logprobs", { logprobs: 6 }, "logprobs"],
    ["logprobs as in a chat", { logprobs: true }, "logprobs"],
    ["echo with logprobs", { echo: true, logprobs: 1 }, "echo"],
    ["echo with a suffix", { echo: true, suffix: "x" }, "echo"],
    ["max_tokens 0", { max_tokens: 0 }, "max_tokens"],
  ])("is refused for %s", (_what, change, param) => {
    expect(refusal({ ...base, ...change })).toMatchObject({ code: "invalid_request", param });
  });
});

describe("an answer", () => {
  const facts = { requestId: "req_1", createdAtS: 1, model: "coder", fingerprint: "f" };
  const usage = { promptTokens: 4, cachedTokens: 1, completionTokens: 2, reasoningTokens: 0 };
  const logprob = (text: string, value: number): ChosenLogprob => ({
    text,
    bytes: [...Buffer.from(text)],
    logprob: value,
    top: [{ text, bytes: [], logprob: value }],
  });
  const events: ChatEvent[] = [
    { type: "text", text: "ab", choice: 1, logprobs: [logprob("a", -0.5), logprob("b", Number.NEGATIVE_INFINITY)] },
    { type: "text", text: "x", choice: 0 },
    { type: "text", text: "c", choice: 1, logprobs: [logprob("c", -1)] },
    { type: "choice-finished", choice: 1, finishReason: "length" },
    { type: "choice-finished", choice: 0, finishReason: "stop" },
    { type: "finished", finishReason: "stop", usage, timings: noTimings },
  ];
  const encoder = (body: object) => dialect.chatEncoder(dialect.decodeChat({ ...base, ...body }), facts);

  test("whole has each choice with its own end, and lists of log-probabilities beside each other", () => {
    const answer = JSON.parse(encoder({ n: 2, logprobs: 1 }).whole(events));
    expect(answer).toMatchObject({ id: "cmpl-req_1", object: "text_completion", usage: { total_tokens: 6 } });
    expect(answer.choices).toEqual([
      { index: 0, text: "x", finish_reason: "stop", logprobs: expect.anything() },
      {
        index: 1,
        text: "abc",
        finish_reason: "length",
        logprobs: {
          tokens: ["a", "b", "c"],
          token_logprobs: [-0.5, -9999, -1],
          top_logprobs: [{ a: -0.5 }, { b: -9999 }, { c: -1 }],
          text_offset: [0, 1, 2],
        },
      },
    ]);
  });

  test("streamed has one end per choice, offsets that go on, and usage only when asked for", () => {
    const streamed = encoder({ n: 2, logprobs: 1, stream: true, stream_options: { include_usage: true } });
    const frames = events.map((event) => streamed.frames(event)).join("");
    const chunks = frames
      .split("\n\n")
      .filter((frame) => frame !== "")
      .map((frame) => JSON.parse(frame.slice("data: ".length)));
    const ends = chunks.flatMap(({ choices }) => choices).filter((choice) => choice.finish_reason !== null);
    expect(ends.map((choice) => [choice.index, choice.finish_reason])).toEqual([
      [1, "length"],
      [0, "stop"],
    ]);
    expect(chunks[2]?.choices[0].logprobs.text_offset).toEqual([2]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 4 } });
    expect(encoder({ n: 2 }).frames(events.at(-1) as ChatEvent)).toBe("");
  });
});
