/** What a client of the OpenAI chat dialect reads: chunks, one completion, errors, models. */
import { describe, expect, test } from "vitest";
import { closingComment, costText, targetText } from "../../../server/dialects/closing-comment.ts";
import { dialects } from "../../../server/dialects/index.ts";
import type { ChatEvent } from "../../../server/domain/chat.ts";
import { Failure, type FailureCode, failureKinds } from "../../../server/domain/failure.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import { problemsWith } from "./openai-schemas.ts";

const dialect = dialects["openai-chat"];
const facts = { requestId: "req_1", createdAtS: 1_700_000_000, model: 'my "coder"', fingerprint: "build-1" };
const usage = { promptTokens: 10, cachedTokens: 4, completionTokens: 3, reasoningTokens: 1 };
const closing = { target: "engine/coder", cost: { known: false, reason: "not_priced" } } as const;

function encoder(includeUsage = false) {
  const body = {
    model: "coder",
    messages: [{ role: "user", content: "hi" }],
    stream_options: { include_usage: includeUsage },
  };
  return dialect.chatEncoder(dialect.decodeChat(body), facts);
}

interface Chunk {
  readonly choices: readonly { readonly delta: Record<string, unknown>; readonly finish_reason: string | null }[];
  readonly usage?: unknown;
}

function chunksOf(text: string): Chunk[] {
  return text
    .split("\n\n")
    .filter((frame) => frame.startsWith("data: {"))
    .map((frame) => JSON.parse(frame.slice(6)));
}

const awkward = 'line\n"quoted" \u2028 \ud83d\ude00 </script>';
const spoken: ChatEvent[] = [
  { type: "accepted", promptTokens: 10, queuePosition: 1 },
  { type: "started", promptTokens: 10, cachedTokens: 4 },
  { type: "reasoning", text: "hm" },
  { type: "text", text: awkward },
  { type: "text", text: "!" },
  { type: "finished", finishReason: "stop", usage, timings: noTimings },
];
const called: ChatEvent[] = [
  { type: "tool-call", index: 0, id: "call_a", name: "weather" },
  { type: "tool-arguments", index: 0, text: '{"city":' },
  { type: "tool-call", index: 1, id: "call_b", name: "time" },
  { type: "tool-arguments", index: 1, text: "{}" },
  { type: "tool-arguments", index: 0, text: '"Ulm"}' },
  { type: "finished", finishReason: "tool-calls", usage, timings: noTimings },
];

describe.each([
  ["with usage", true],
  ["without usage", false],
])("S-02 stream grammar, %s", (_name, includeUsage) => {
  test.each([
    ["text", spoken],
    ["calls", called],
    ["an empty answer", spoken.slice(-1)],
  ])("%s", (_what, events) => {
    const stream = encoder(includeUsage);
    const text = events.map((event) => stream.frames(event)).join("") + stream.close(closing);
    const chunks = chunksOf(text);
    expect(chunks.flatMap((chunk) => problemsWith("create-chat-completion-stream-response", chunk))).toEqual([]);
    for (const chunk of chunks) {
      expect(chunk).toMatchObject({ id: "chatcmpl-req_1", created: 1_700_000_000, model: 'my "coder"' });
    }
    const choices = chunks.flatMap((chunk) => chunk.choices);
    expect(choices.map((choice) => "role" in choice.delta)).toEqual(choices.map((_, index) => index === 0));
    const ends = choices.filter((choice) => choice.finish_reason !== null);
    expect(ends.map((choice) => choice.delta)).toEqual([{}]);
    expect(choices.at(-1)).toBe(ends[0]);
    const last = chunks.at(-1);
    if (includeUsage) {
      expect(last?.choices).toEqual([]);
      expect(last?.usage).toEqual({
        prompt_tokens: 10,
        completion_tokens: 3,
        total_tokens: 13,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 1 },
      });
      expect(chunks.slice(0, -1).map((chunk) => chunk.usage)).toEqual(chunks.slice(0, -1).map(() => null));
    } else {
      expect(text).not.toContain('"usage"');
      expect(last?.choices).toHaveLength(1);
    }
    expect(text.endsWith(": x-lanthorn-target=engine/coder cost=unknown(not_priced)\n\ndata: [DONE]\n\n")).toBe(true);
  });
});

test("the pieces of a stream are the text of the whole answer, whatever is in it", () => {
  const stream = encoder();
  const chunks = chunksOf(spoken.map((event) => stream.frames(event)).join(""));
  const deltas = chunks.flatMap((chunk) => chunk.choices).map((choice) => choice.delta);
  const whole = JSON.parse(encoder().whole(spoken));
  expect(deltas.map((delta) => delta.content ?? "").join("")).toBe(`${awkward}!`);
  expect(deltas.map((delta) => delta.reasoning_content ?? "").join("")).toBe("hm");
  expect(whole.choices[0].message).toEqual({
    role: "assistant",
    content: `${awkward}!`,
    reasoning_content: "hm",
    refusal: null,
  });
});

test("S-01 chat schema: a whole answer, spoken or called", () => {
  for (const events of [spoken, called]) {
    const whole = JSON.parse(encoder().whole(events));
    expect(problemsWith("create-chat-completion-response", whole)).toEqual([]);
    expect(whole.choices[0].message.refusal).toBeNull();
    expect(whole.usage.prompt_tokens + whole.usage.completion_tokens).toBe(whole.usage.total_tokens);
    expect(whole.system_fingerprint).toBe("build-1");
  }
});

test("parallel calls: id and name once, indices kept, fragments make the arguments", () => {
  const whole = JSON.parse(encoder().whole(called));
  expect(whole.choices[0]).toMatchObject({
    finish_reason: "tool_calls",
    message: {
      content: null,
      tool_calls: [
        { id: "call_a", type: "function", function: { name: "weather", arguments: '{"city":"Ulm"}' } },
        { id: "call_b", type: "function", function: { name: "time", arguments: "{}" } },
      ],
    },
  });
  const stream = encoder();
  const deltas = chunksOf(called.map((event) => stream.frames(event)).join("")).flatMap((chunk) => chunk.choices);
  const pieces = deltas.flatMap((choice) => (choice.delta.tool_calls ?? []) as Record<string, unknown>[]);
  expect(pieces.map((piece) => [piece.index, piece.id])).toEqual([
    [0, "call_a"],
    [0, undefined],
    [1, "call_b"],
    [1, undefined],
    [0, undefined],
  ]);
});

test("a stream that fails ends with one error frame and no [DONE]", () => {
  const stream = encoder(true);
  const failure = new Failure("worker_died", "The model's process ended.");
  const text =
    stream.frames({ type: "text", text: "half" }) +
    stream.frames({ type: "failed", failure, usage, timings: noTimings }) +
    stream.close(closing);
  const errors = text.split("\n\n").filter((frame) => frame.startsWith('data: {"error"'));
  expect(errors.map((frame) => JSON.parse(frame.slice(6)))).toEqual([
    { error: { message: "The model's process ended.", type: "server_error", param: null, code: "worker_died" } },
  ]);
  expect(text).not.toContain("[DONE]");
  expect(text).not.toContain('"finish_reason":"');
});

describe("S-03 error shape", () => {
  test.each(Object.keys(failureKinds) as FailureCode[])("%s", (code) => {
    const wire = dialect.encodeFailure(
      new Failure(code, "Words.", { param: "messages[0]", cause: new Error("/secret") }),
    );
    const body = JSON.parse(wire.body);
    expect(problemsWith("error-response", body)).toEqual([]);
    expect(body.error).toMatchObject({ message: "Words.", param: "messages[0]" });
    expect(wire.status).toBe(failureKinds[code].httpStatus);
    expect(wire.body).not.toContain("secret");
    const retryAfter = wire.headers["retry-after"];
    if (wire.status === 429 || wire.status === 503) expect(retryAfter).toMatch(/^([1-9]|[1-5]\d|60)$/);
    else expect(retryAfter).toBeUndefined();
  });

  test("S-28 a used-up budget is 402, and is not to be tried again", () => {
    const wire = dialect.encodeFailure(new Failure("budget_exceeded", "The budget of this month is used up."));
    expect([wire.status, wire.headers["x-should-retry"]]).toEqual([402, "false"]);
    const limited = dialect.encodeFailure(new Failure("rate_limited", "x"));
    expect(limited.headers["x-should-retry"]).toBeUndefined();
  });

  test("the codes that clients look for", () => {
    const codeOf = (code: FailureCode) => JSON.parse(dialect.encodeFailure(new Failure(code, "x")).body).error.code;
    expect(codeOf("unknown_key")).toBe("invalid_api_key");
    expect(codeOf("context_length_exceeded")).toBe("context_length_exceeded");
    expect(codeOf("model_not_found")).toBe("model_not_found");
    expect(codeOf("rate_limited")).toBe("rate_limit_exceeded");
  });
});

test("S-11 models: the list has OpenAI's shape and what an agent plans with", () => {
  const model = {
    alias: "org/coder:7b@q4",
    capabilities: ["chat" as const],
    embeddingLength: null,
    fileName: "coder.gguf",
    sizeBytes: 5,
    createdAtMs: 1_700_000_000_999,
    contextLength: 8192,
    slots: 4,
    demo: false,
  };
  const list = JSON.parse(dialect.encodeModels([model]));
  expect(problemsWith("list-models-response", list)).toEqual([]);
  const unknown = JSON.parse(dialect.encodeModels([{ ...model, contextLength: 0 }]));
  expect(unknown.data[0]).not.toHaveProperty("context_length");
  expect(list.data).toEqual([
    {
      id: "org/coder:7b@q4",
      object: "model",
      created: 1_700_000_000,
      owned_by: "lanthorn",
      context_length: 8192,
      slots: 4,
      capabilities: ["chat"],
      demo: false,
    },
  ]);
  expect(JSON.parse(dialect.encodeModel(model))).toEqual(list.data[0]);
});

test("costs are written in full, and an unknown one is never a number", () => {
  expect(costText({ known: true, nanos: 12_345, basis: "measured" })).toBe("0.000012345(measured)");
  expect(costText({ known: true, nanos: 3_000_000_001, basis: "billed" })).toBe("3.000000001(billed)");
  expect(costText({ known: false, reason: "not_priced" })).toBe("unknown(not_priced)");
  expect(targetText("engine/modèle\r\nx: y\ud800")).toBe("engine/mod%C3%A8le%0D%0Ax:%20y%EF%BF%BD");
  expect(closingComment({ ...closing, target: null })).toBe(": x-lanthorn-target=none cost=unknown(not_priced)\n\n");
});

describe("several answers", () => {
  const events: ChatEvent[] = [
    { type: "text", text: "a", choice: 1 },
    { type: "text", text: "b", choice: 0 },
    { type: "choice-finished", choice: 1, finishReason: "length" },
    { type: "text", text: "c", choice: 0 },
    { type: "choice-finished", choice: 0, finishReason: "stop" },
    { type: "finished", finishReason: "stop", usage, timings: noTimings },
  ];
  const body = { model: "coder", n: 2, messages: [{ role: "user", content: "hi" }] };

  test("S-02 each has one role and one end in the stream, and the schema holds", () => {
    const two = dialect.chatEncoder(dialect.decodeChat({ ...body, stream: true }), facts);
    const chunks = chunksOf(events.map((event) => two.frames(event)).join(""));
    for (const index of [0, 1]) {
      const own = chunks.flatMap(({ choices }) => choices).filter((choice) => Reflect.get(choice, "index") === index);
      expect(own.filter(({ delta }) => "role" in delta)).toHaveLength(1);
      expect(own.filter((choice) => choice.finish_reason !== null)).toHaveLength(1);
    }
    for (const chunk of chunks) expect(problemsWith("create-chat-completion-stream-response", chunk)).toEqual([]);
  });

  test("S-01 are choices of one whole answer", () => {
    const two = dialect.chatEncoder(dialect.decodeChat(body), facts);
    const answer = JSON.parse(two.whole(events));
    expect(answer.choices).toMatchObject([
      { index: 0, message: { content: "bc" }, finish_reason: "stop" },
      { index: 1, message: { content: "a" }, finish_reason: "length" },
    ]);
    expect(problemsWith("create-chat-completion-response", answer)).toEqual([]);
  });
});

test("S-01 log-probabilities are in the published shape, streamed and whole", () => {
  const logprobs = [
    { text: "h", bytes: [104], logprob: -0.25, top: [{ text: "h", bytes: [104], logprob: -0.25 }] },
    { text: "i", bytes: [105], logprob: Number.NEGATIVE_INFINITY, top: [] },
  ];
  const said: ChatEvent[] = [
    { type: "text", text: "hi", logprobs },
    { type: "finished", finishReason: "stop", usage, timings: noTimings },
  ];
  const request = dialect.decodeChat({ model: "coder", logprobs: true, messages: [{ role: "user", content: "x" }] });
  const [, chunk] = chunksOf(said.map((event) => dialect.chatEncoder(request, facts).frames(event)).join(""));
  const answer = JSON.parse(dialect.chatEncoder(request, facts).whole(said));
  expect(problemsWith("create-chat-completion-stream-response", chunk)).toEqual([]);
  expect(problemsWith("create-chat-completion-response", answer)).toEqual([]);
  expect(answer.choices[0].logprobs.content.map((one: { logprob: number }) => one.logprob)).toEqual([-0.25, -9999]);
});

test("signed thinking goes out and comes back with its text, its signature and whose it is", () => {
  const block = { text: "", signature: "c2lnbmVk", dialect: "anthropic-messages" };
  const events: ChatEvent[] = [
    { type: "reasoning", text: "hm, " },
    { type: "reasoning", text: "so" },
    { type: "reasoning-block", block },
    { type: "reasoning", text: "and" },
    { type: "reasoning-block", block: { ...block, signature: null } },
    {
      type: "reasoning-block",
      block: { text: "", signature: "b3BhcXVl", dialect: "anthropic-messages", redacted: true },
    },
    { type: "text", text: "Yes." },
    { type: "finished", finishReason: "stop", usage, timings: noTimings },
  ];
  const { encode, whole } = { encode: encoder(), whole: encoder() };
  const streamed = chunksOf(events.map((event) => encode.frames(event)).join(""));
  const details = streamed.flatMap(({ choices }) => (choices[0]?.delta.reasoning_details ?? []) as object[]);
  const { message } = JSON.parse(whole.whole(events)).choices[0];
  expect(message.reasoning_details).toEqual(details);

  const messages = [
    { role: "user", content: "hi" },
    {
      ...message,
      reasoning_details: [...details, { type: "reasoning.text", text: "x" }, 5, { ...details[0], data: "?" }],
    },
  ];
  const [, back] = dialect.decodeChat({ model: "coder", messages }).messages;
  expect(back).toMatchObject({
    reasoning: "hm, soand",
    reasoningBlocks: [
      { text: "hm, so", signature: "c2lnbmVk", dialect: "anthropic-messages" },
      { text: "", signature: "b3BhcXVl", dialect: "anthropic-messages", redacted: true },
    ],
  });
});
