/** Lines of batches as they come, and as we write them. */
import { describe, expect, test } from "vitest";
import {
  answerLine,
  LineJudge,
  mostLines,
  unrunLine,
  writtenLine,
} from "../../../server/dialects/openai-batch/lines.ts";
import { decodeBatch, pageOf } from "../../../server/dialects/openai-batch/objects.ts";

const chat = "/v1/chat/completions";
const one = (custom_id: unknown, more: object = {}) =>
  JSON.stringify({ custom_id, method: "POST", url: chat, body: { model: "m" }, ...more });

describe("a line that comes", () => {
  test.each([
    ["no JSON", "{", "invalid_json_line", null],
    ["a list", "[]", "invalid_request", null],
    ["a number", "7", "invalid_json_line", null],
    ["a number for a name", one(7), "invalid_request", "custom_id"],
    ["no name", one(""), "invalid_request", "custom_id"],
    ["GET", one("a", { method: "GET" }), "invalid_request", "method"],
    ["another endpoint", one("a", { url: "/v1/embeddings" }), "mismatched_endpoint", "url"],
    ["no model", one("a", { body: {} }), "invalid_request", "body.model"],
    ["a stream", one("a", { body: { model: "m", stream: true } }), "invalid_request", "body.stream"],
    ["what is none", null, "unreadable_line", null],
  ])("%s is a problem of that line", (_name, text, code, param) => {
    const judge = new LineJudge(chat);
    judge.read(one("first"));
    judge.read("  ");
    expect(judge.read(text)).toBeNull();
    expect(judge.problems).toEqual([{ line: 3, code, param, message: expect.any(String) }]);
  });

  test("its body is kept as it is, whatever else is in it", () => {
    const body = { model: "m", messages: [{ role: "user", content: "\u2028" }], some_new_field: [1, null] };
    expect(new LineJudge(chat).read(one("a", { body }))).toEqual({ customId: "a", body });
  });

  test("one too many ends the reading with one problem", () => {
    const judge = new LineJudge(chat);
    for (let number = 0; number < mostLines + 5; number += 1) judge.read(one(String(number)));
    expect(judge.problems).toMatchObject([{ line: mostLines + 1, code: "too_many_tasks" }]);
    expect(judge.isFull).toBe(true);
  });
});

describe("a line we wrote", () => {
  const answer = (body: object) => answerLine("ä\n", { requestId: "req_1", status: 200, body: JSON.stringify(body) });

  test("is one line in OpenAI's form", () => {
    const text = answer({ object: "x" });
    expect(text.endsWith("}\n")).toBe(true);
    expect(text.trimEnd()).not.toContain("\n");
    expect(JSON.parse(text)).toEqual({
      id: "batch_req_1",
      custom_id: "ä\n",
      response: { status_code: 200, request_id: "req_1", body: { object: "x" } },
      error: null,
    });
  });

  test("says whose it is and what it used, in the words of each endpoint", () => {
    const chatUsage = {
      prompt_tokens: 9,
      completion_tokens: 4,
      prompt_tokens_details: { cached_tokens: 5 },
      completion_tokens_details: { reasoning_tokens: 2 },
    };
    const anthropicUsage = {
      input_tokens: 4,
      cache_read_input_tokens: 5,
      cache_creation_input_tokens: 0,
      output_tokens: 4,
    };
    const used = { promptTokens: 9, cachedTokens: 5, completionTokens: 4 };
    expect(writtenLine(answer({ usage: chatUsage }))).toEqual({
      customId: "ä\n",
      usage: { ...used, reasoningTokens: 2 },
    });
    expect(writtenLine(answer({ usage: anthropicUsage }))?.usage).toEqual({ ...used, reasoningTokens: 0 });
    expect(writtenLine(answer({ error: { message: "no" } }))?.usage.promptTokens).toBe(0);
    expect(writtenLine(unrunLine("req_2", "b", "batch_expired", "late"))?.customId).toBe("b");
  });

  test("cut anywhere is no line", () => {
    const text = answer({ usage: { prompt_tokens: 1 } }).trimEnd();
    for (let at = 0; at < text.length; at += 1) expect(writtenLine(text.slice(0, at))).toBeNull();
  });
});

test("a batch asks for an endpoint that there is, and for 24h", () => {
  const wish = { input_file_id: "file-1", endpoint: chat, completion_window: "24h" };
  expect(decodeBatch(wish)).toEqual({ inputFile: "file-1", endpoint: chat, metadata: null, outputKeepMs: null });
  expect(() => decodeBatch({ ...wish, endpoint: "/v1/images" })).toThrow(
    expect.objectContaining({ param: "endpoint" }),
  );
  expect(() => decodeBatch({ ...wish, completion_window: "1h" })).toThrow(
    expect.objectContaining({ param: "completion_window" }),
  );
});

test("a list is read to its end page by page, and a cursor nobody knows is an error", () => {
  const items = ["a", "b", "c"].map((id) => ({ id }));
  const query = (text: string) => new URLSearchParams(text);
  expect(pageOf(items, query("limit=2"), 100)).toMatchObject({ first_id: "a", last_id: "b", has_more: true });
  expect(pageOf(items, query("limit=2&after=b"), 100)).toMatchObject({ data: [{ id: "c" }], has_more: false });
  expect(() => pageOf(items, query("after=z"), 100)).toThrow(expect.objectContaining({ param: "after" }));
  expect(() => pageOf(items, query("limit=0"), 100)).toThrow(expect.objectContaining({ param: "limit" }));
});
