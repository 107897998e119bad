/** What every wire shape that we call and that is answered in one piece promises, run over the registry. */
import { describe, expect, test } from "vitest";
import { RandomSource } from "../../models/random/numbers.ts";
import type { CallFacts } from "../../server/dialects/called.ts";
import type { CalledWholeDialect, WholeReading } from "../../server/dialects/called-whole.ts";
import { calledWhole } from "../../server/dialects/index.ts";
import { Failure } from "../../server/domain/failure.ts";
import { diceOf, mutatedBytes, mutatedJson } from "../support/mutate.ts";

interface Sample<Request extends { readonly model: string }, Result> {
  readonly dialect: CalledWholeDialect<Request, Result>;
  /** Of two inputs. */
  readonly request: Request;
  /** An answer to it that used 9 tokens. */
  readonly answer: { readonly usage: object; readonly [list: string]: unknown };
  /** Which field holds one entry per input. */
  readonly list: string;
  /** How many results there are in what was read. */
  count(result: Result): number;
}

/** So that each sample keeps its own types. */
function sample<Request extends { readonly model: string }, Result>(own: Sample<Request, Result>) {
  const { dialect, request, answer, list } = own;
  return {
    ...{ id: dialect.id, answer, list },
    call: (facts: CallFacts) => dialect.encodeRequest(request, facts),
    read: (body: string): WholeReading<unknown> => dialect.read(body, request, facts),
    counted: (): number | null => {
      const reading = dialect.read(JSON.stringify(answer), request, facts);
      return reading.type === "read" ? own.count(reading.result) : null;
    },
    decodeFailure: dialect.decodeFailure,
  };
}

const facts: CallFacts = { model: "up/m", maxTokens: null, traits: {}, extraBody: { zz_own: 1 } };
const usage = { prompt_tokens: 9, total_tokens: 9 };

const samples = {
  "openai-embeddings": sample({
    dialect: calledWhole["openai-embeddings"],
    request: { model: "alias", inputs: ["a", "b"].map((text) => ({ type: "text" as const, text })), dimensions: null },
    answer: {
      object: "list",
      data: [
        { index: 1, embedding: [0, 2] },
        { index: 0, embedding: "AACAPwAAAAA=" },
      ],
      usage,
    },
    list: "data",
    count: (vectors) => vectors.length,
  }),
  rerank: sample({
    dialect: calledWhole.rerank,
    request: { model: "alias", query: "q", documents: ["a", "b"] },
    answer: {
      results: [
        { index: 1, relevance_score: 0.9 },
        { index: 0, relevance_score: 0.1 },
      ],
      usage,
    },
    list: "results",
    count: (scores) => scores.length,
  }),
} satisfies Record<keyof typeof calledWhole, ReturnType<typeof sample>>;

describe.each(Object.entries(samples))("called dialect %s", (id, one) => {
  const entries = one.answer[one.list] as readonly object[];
  const failureOf = (body: unknown) => {
    const reading = one.read(typeof body === "string" ? body : JSON.stringify(body));
    if (reading.type === "read") throw new Error("it was taken for an answer");
    expect(reading.failure.message).not.toMatch(/undefined|NaN|\[object/);
    return reading;
  };

  test("its id is its name in the registry", () => {
    expect(one.id).toBe(id);
  });

  test("a call has the upstream's name for the model, the provider's own fields, and no key", () => {
    const { path, headers, body } = one.call(facts);
    expect(path).toMatch(/^\/[a-z]+$/);
    expect(JSON.parse(body)).toMatchObject({ model: "up/m", zz_own: 1 });
    expect(Object.keys(headers)).toEqual(["content-type"]);
  });

  test("an answer has one result per input, and says what it used in its own words too", () => {
    expect(one.counted()).toBe(2);
    const { upstream } = one.read(JSON.stringify(one.answer));
    expect(upstream).toMatchObject({ usage: { promptTokens: 9, completionTokens: 0 }, flags: [], raw: usage });
  });

  test("a sum of tokens is the prompt's; without usage that is said", () => {
    const total = one.read(JSON.stringify({ ...one.answer, usage: { total_tokens: 7 } })).upstream;
    expect(total).toMatchObject({ usage: { promptTokens: 7 }, flags: [], raw: { total_tokens: 7 } });
    const none = one.read(JSON.stringify({ ...one.answer, usage: undefined })).upstream;
    expect(none).toMatchObject({ flags: ["usage_absent"], raw: null });
  });

  test.each([
    ["one too few", (list: readonly unknown[]) => list.slice(1)],
    ["one too many", (list: readonly unknown[]) => [...list, list[0]]],
    ["one twice", (list: readonly unknown[]) => [list[0], list[0]]],
    ["one of no input", (list: readonly object[]) => [list[0], { ...list[1], index: 7 }]],
    ["one that is nothing", (list: readonly unknown[]) => [list[0], null]],
    ["none at all", () => undefined],
  ])("%s is no answer, and what it used is known all the same", (_, change) => {
    const { failure, upstream } = failureOf({ ...one.answer, [one.list]: change(entries) });
    expect(failure.code).toBe("upstream_failed");
    expect(upstream.usage.promptTokens).toBe(9);
  });

  test("S-26 half of an answer is cut, a web page is no answer, an error under 200 is that error", () => {
    const whole = JSON.stringify(one.answer);
    for (let at = 1; at < whole.length; at += 1) {
      expect(failureOf(whole.slice(0, at)).failure.code).toBe("upstream_cut");
    }
    expect(failureOf("").failure.code).toBe("upstream_failed");
    expect(failureOf("<html>busy</html>").failure.code).toBe("upstream_failed");
    const busy = { error: { message: "Slow down.", type: "rate_limit_error", code: 429 } };
    expect(failureOf(busy).failure.code).toBe("upstream_rate_limited");
  });

  test("a refusal is the chat's", () => {
    const body = '{"error":{"message":"no such model","code":"model_not_found"}}';
    expect(one.decodeFailure({ status: 404, headers: {}, body, nowMs: 0 }).code).toBe("upstream_model_missing");
  });

  test("whatever comes is an answer or one failure, and nothing is thrown", () => {
    const dice = diceOf(new RandomSource(20_261_126));
    let read = 0;
    for (let round = 0; round < 1_500; round += 1) {
      const text = Buffer.from(JSON.stringify(mutatedJson(one.answer, dice)) ?? "");
      const reading = one.read((dice.below(3) === 0 ? mutatedBytes(text, dice) : text).toString("utf8"));
      if (reading.type === "read") read += 1;
      else expect(reading.failure).toBeInstanceOf(Failure);
      expect(Number.isSafeInteger(reading.upstream.usage.promptTokens)).toBe(true);
    }
    expect(read).toBeGreaterThan(50);
    expect(read).toBeLessThan(1_450);
  });
});
