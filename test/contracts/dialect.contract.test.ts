/** What every dialect promises, run over the registry: a new one is tested the moment it is listed. */
import { describe, expect, test } from "vitest";
import { type DialectId, dialects } from "../../server/dialects/index.ts";
import type { Dialect } from "../../server/dialects/dialect.ts";
import type { ChatEvent } from "../../server/domain/chat.ts";
import { Failure, type FailureCode, failureKinds } from "../../server/domain/failure.ts";
import { noTimings } from "../../server/domain/usage.ts";

/** What the suite must know of a dialect to speak it. */
interface Sample {
  body(wishes: { stream: boolean; text: string }): unknown;
  /** The text in one stream's bytes, or in one whole answer. */
  textOfStream(bytes: string): string;
  textOfWhole(json: unknown): string;
  /** What the request must say for this body. */
  meaning(wishes: { text: string }): object;
  readonly terminator: string;
  /** What ends every frame; absent: an empty line. */
  readonly frameEnd?: RegExp;
}

const linesOf = (bytes: string) =>
  bytes
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

const samples: Record<DialectId, Sample> = {
  "openai-chat": {
    body: ({ stream, text }) => ({ model: "coder", stream, messages: [{ role: "user", content: text }] }),
    textOfStream: (bytes) =>
      bytes
        .split("\n\n")
        .filter((frame) => frame.startsWith("data: {"))
        .map((frame) => JSON.parse(frame.slice(6)).choices[0]?.delta.content ?? "")
        .join(""),
    textOfWhole: (json) => (json as { choices: { message: { content: string } }[] }).choices[0]?.message.content ?? "",
    meaning: ({ text }) => ({ messages: [{ role: "user", content: [{ type: "text", text }] }], completion: null }),
    terminator: "data: [DONE]",
  },
  "openai-completions": {
    body: ({ stream, text }) => ({ model: "coder", stream, prompt: text }),
    textOfStream: (bytes) =>
      bytes
        .split("\n\n")
        .filter((frame) => frame.startsWith("data: {"))
        .map((frame) => JSON.parse(frame.slice(6)).choices[0]?.text ?? "")
        .join(""),
    textOfWhole: (json) => (json as { choices: { text: string }[] }).choices[0]?.text ?? "",
    meaning: ({ text }) => ({ messages: [], completion: { prompts: [text], suffix: null, echo: false } }),
    terminator: "data: [DONE]",
  },
  "anthropic-messages": {
    body: ({ stream, text }) => ({
      ...{ model: "coder", stream, max_tokens: 50 },
      messages: [{ role: "user", content: [{ type: "text", text }] }],
    }),
    textOfStream: (bytes) =>
      bytes
        .split("\n\n")
        .filter((frame) => frame.startsWith("event: content_block_delta\ndata: {"))
        .map((frame) => JSON.parse(frame.slice(frame.indexOf("{"))).delta.text ?? "")
        .join(""),
    textOfWhole: (json) => (json as { content: { text: string }[] }).content[0]?.text ?? "",
    meaning: ({ text }) => ({ messages: [{ role: "user", content: [{ type: "text", text }] }], completion: null }),
    terminator: "event: message_stop\ndata: {",
  },
  ollama: {
    body: ({ stream, text }) => ({ model: "coder", stream, messages: [{ role: "user", content: text }] }),
    textOfStream: (bytes) =>
      linesOf(bytes)
        .map(({ message }) => message.content)
        .join(""),
    textOfWhole: (json) => (json as { message: { content: string } }).message.content,
    meaning: ({ text }) => ({ messages: [{ role: "user", content: [{ type: "text", text }] }], completion: null }),
    terminator: '"done":true',
    frameEnd: /^.*\n$/,
  },
  "ollama-generate": {
    body: ({ stream, text }) => ({ model: "coder", stream, prompt: text }),
    textOfStream: (bytes) =>
      linesOf(bytes)
        .map(({ response }) => response)
        .join(""),
    textOfWhole: (json) => (json as { response: string }).response,
    meaning: ({ text }) => ({ messages: [{ role: "user", content: [{ type: "text", text }] }], completion: null }),
    terminator: '"done":true',
    frameEnd: /^.*\n$/,
  },
  "openai-responses": {
    body: ({ stream, text }) => ({ model: "coder", stream, input: text }),
    textOfStream: (bytes) =>
      bytes
        .split("\n\n")
        .filter((frame) => frame.startsWith("event: response.output_text.delta\n"))
        .map((frame) => JSON.parse(frame.slice(frame.indexOf("data: ") + 6)).delta)
        .join(""),
    textOfWhole: (json) => {
      const { output } = json as { output: { content: { text: string }[] }[] };
      return output.flatMap(({ content }) => content.map(({ text }) => text)).join("");
    },
    meaning: ({ text }) => ({ messages: [{ role: "user", content: [{ type: "text", text }] }], completion: null }),
    terminator: "event: response.completed",
  },
};

const usage = { promptTokens: 7, cachedTokens: 0, completionTokens: 2, reasoningTokens: 0 };
const closing = { target: "engine/coder", cost: { known: false, reason: "not_priced" } } as const;
const pieces = ["Hé", "llo ", "😀", '"\\\n\u0000', "data: [DONE]\n\n"];
const finished: ChatEvent = { type: "finished", finishReason: "stop", usage, timings: noTimings };
const answer: ChatEvent[] = [
  { type: "accepted", promptTokens: 7, queuePosition: 3 },
  { type: "started", promptTokens: 7, cachedTokens: 0 },
  ...pieces.map((text): ChatEvent => ({ type: "text", text })),
  finished,
];

describe.each(Object.entries(dialects) as [DialectId, Dialect][])("dialect %s", (id, dialect) => {
  const sample = samples[id];
  const begin = (stream: boolean) => {
    const request = dialect.decodeChat(sample.body({ stream, text: "hi" }));
    const facts = { requestId: "req_1", createdAtS: 1, model: request.model, fingerprint: "f" };
    return { request, encoder: dialect.chatEncoder(request, facts) };
  };

  test("its id is its name in the registry", () => {
    expect(dialect.id).toBe(id);
  });

  test("a body becomes the request that was meant", () => {
    const { request } = begin(true);
    expect(request).toMatchObject({
      model: "coder",
      stream: true,
      ...sample.meaning({ text: "hi" }),
    });
    expect(begin(false).request.stream).toBe(false);
  });

  test.each([null, [], "x", 5, {}])("the body %j is an invalid request, never a crash", (body) => {
    expect(() => dialect.decodeChat(body)).toThrow(expect.objectContaining({ code: "invalid_request" }));
  });

  test("streamed and whole, the same text arrives", () => {
    const { encoder } = begin(true);
    const bytes = answer.map((event) => encoder.frames(event)).join("") + encoder.close(closing);
    expect(sample.textOfStream(bytes)).toBe(pieces.join(""));
    expect(sample.textOfWhole(JSON.parse(begin(false).encoder.whole(answer)))).toBe(pieces.join(""));
  });

  test("every frame is whole, and nothing is said before there is something to say", () => {
    const { encoder } = begin(true);
    for (const event of answer) {
      const frames = encoder.frames(event);
      if (event.type === "accepted" || event.type === "started") expect(frames).toBe("");
      // What ends an answer may wait for what closes it.
      else if (event !== finished || frames !== "") expect(frames).toMatch(sample.frameEnd ?? /\n\n$/);
    }
  });

  test("the terminator comes after a finished answer, with where it ran and what it cost, and after no other", () => {
    const whole = begin(true).encoder;
    whole.frames(finished);
    expect(whole.close(closing)).toContain(sample.terminator);
    expect(whole.close(closing)).toContain("engine/coder");

    const failed = begin(true).encoder;
    const failure = new Failure("worker_died", "Gone.");
    const said = begin(true).encoder.failure?.(failure) ?? dialect.failureFrame(failure);
    expect(failed.frames({ type: "failed", failure, usage, timings: noTimings })).toBe(said);
    expect(failed.close(closing)).not.toContain(sample.terminator);

    const aborted = begin(true).encoder;
    expect(aborted.frames({ type: "aborted", usage, timings: noTimings })).toBe("");
    expect(aborted.close(closing)).not.toContain(sample.terminator);
  });

  test.each(Object.keys(failureKinds) as FailureCode[])(
    "failure %s keeps its status, its words and its secrets",
    (code) => {
      const failure = new Failure(code, "Plain words.", { cause: new Error("inside story") });
      const wire = dialect.encodeFailure(failure);
      expect(wire.status).toBe(failureKinds[code].httpStatus);
      expect(() => JSON.parse(wire.body)).not.toThrow();
      for (const text of [wire.body, dialect.failureFrame(failure)]) {
        expect(text).toContain("Plain words.");
        expect(text).not.toContain("inside story");
      }
      const isVain = /^(budget_exceeded|upstream_(key_refused|quota|model_missing))$/.test(code);
      // SDKs ask again on 502 by themselves.
      expect(wire.headers["x-should-retry"]).toBe(isVain ? "false" : undefined);
      if (wire.status === 429 || wire.status === 503) {
        expect(Number(wire.headers["retry-after"])).toSatisfy((s: number) => Number.isInteger(s) && s >= 1 && s <= 60);
      }
    },
  );

  test("the keep-alive is a whole frame", () => {
    expect(dialect.keepAlive).toMatch(sample.frameEnd ?? /\n\n$/);
    const keepAlive = begin(true).encoder.keepAlive?.();
    if (keepAlive !== undefined) expect(keepAlive).toMatch(sample.frameEnd ?? /\n\n$/);
  });
});
