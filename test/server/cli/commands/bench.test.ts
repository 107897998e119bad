/** `lanthorn bench`: what is measured, and when it is refused. */
import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { median, together } from "../../../../server/cli/bench-figures.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { type Asked, busyState, idleState, servedModels, startAdminStub } from "../admin-stub.ts";
import { lanthorn } from "../run-command.ts";

/** Answers a chat like a model whose tokens are words, 20 for the template. */
function chat(response: ServerResponse, asked: Asked): void {
  const body = asked.body as { max_tokens: number; messages: { content: string }[] };
  response.writeHead(200, { "content-type": "text/event-stream" });
  const send = (value: object) => response.write(`data: ${JSON.stringify(value)}\n\n`);
  response.write(": keep-alive\n\n");
  send({ choices: [{ delta: { role: "assistant" } }] });
  for (let token = 0; token < body.max_tokens; token += 1) send({ choices: [{ delta: { content: "lamp " } }] });
  const promptTokens = 20 + (body.messages[0]?.content.trim().split(/\s+/u).length ?? 0);
  send({ choices: [], usage: { prompt_tokens: promptTokens, completion_tokens: body.max_tokens } });
  response.end("data: [DONE]\n\n");
}

describe("at a running server", () => {
  test("measures one stream, four streams and a cold prompt", async () => {
    const stub = await startAdminStub({
      "GET /admin/state": idleState,
      "GET /v1/models": servedModels,
      "POST /v1/chat/completions": chat,
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url, LANTHORN_API_KEY: "lth_admin" };
    const { code, stdout, stderr } = await lanthorn(["bench", "--tokens", "16", "--json"], { environment });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const answer = JSON.parse(stdout);
    // The demo is not what somebody who asks for no model wants to know about.
    expect(answer).toMatchObject({ alias: "coder", completionTokens: 16, streams: [{ streams: 1 }, { streams: 4 }] });
    // The filler is sized by the tokens the server counts, so that every tokenizer gets about a thousand.
    expect(answer.prefill.promptTokens).toBeGreaterThan(900);
    expect(answer.prefill.promptTokens).toBeLessThan(1100);
    const chats = stub.asked.filter((asked) => asked.method === "POST").map((asked) => asked.body);
    expect(chats).toHaveLength(8);
    for (const body of chats) {
      expect(body).toMatchObject({ model: "coder", ignore_eos: true, cache_prompt: false, temperature: 0 });
    }
  });

  test("in words", async () => {
    const stub = await startAdminStub({
      "GET /admin/state": idleState,
      "GET /v1/models": servedModels,
      "POST /v1/chat/completions": chat,
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { stdout, stderr } = await lanthorn(["bench", "coder", "--tokens", "8"], { environment });
    expect(stdout).toMatch(
      /^coder, 8 tokens each\n\nSTREAMS +EACH +TOGETHER +FIRST TOKEN\n +1 .*\n +4 .*\n\nprefill {3}/u,
    );
    expect(stderr).toBe("2 slots: of four streams some wait in line.\nMeasuring coder\n");
  });

  test("a busy box is exit 6, unless --anyway", async () => {
    const stub = await startAdminStub({
      "GET /admin/state": busyState,
      "GET /v1/models": servedModels,
      "POST /v1/chat/completions": chat,
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const refused = await lanthorn(["bench"], { environment });
    expect(refused.code).toBe(6);
    expect(refused.stderr).toContain("next   lanthorn bench coder --anyway");
    expect(stub.asked.map((asked) => asked.method)).toEqual(["GET", "GET"]);
    expect(await lanthorn(["bench", "--anyway", "--tokens", "4"], { environment })).toMatchObject({ code: 0 });
  });

  test("a model that is not here is exit 5, with the nearest one", async () => {
    const stub = await startAdminStub({ "GET /admin/state": idleState, "GET /v1/models": servedModels });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { code, stderr } = await lanthorn(["bench", "codr"], { environment });
    expect(code).toBe(5);
    expect(stderr).toContain('Did you mean "coder"?');
  });

  test("an answer that fails half way is a failure of the bench", async () => {
    const stub = await startAdminStub({
      "GET /admin/state": idleState,
      "GET /v1/models": servedModels,
      "POST /v1/chat/completions": (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.end('data: {"error":{"message":"The worker ended.","code":"worker_died"}}\n\n');
      },
    });
    const environment = { LANTHORN_HOME: temporaryFolder(), LANTHORN_URL: stub.url };
    const { code, stderr } = await lanthorn(["bench", "--json"], { environment });
    expect(code).toBe(1);
    expect(JSON.parse(stderr).error).toMatchObject({ code: "worker_died", message: "The worker ended." });
  });
});

test("no server is exit 3", async () => {
  expect(await lanthorn(["bench"], { environment: { LANTHORN_HOME: temporaryFolder() } })).toMatchObject({ code: 3 });
});

describe("figures", () => {
  const run = (startedAtMs: number, firstTokenMs: number, lastTokenMs: number, completionTokens: number) => ({
    startedAtMs,
    firstTokenMs,
    lastTokenMs,
    promptTokens: 10,
    completionTokens,
  });

  test("each is a stream's own pace, together is what the box gives", () => {
    // 100 tokens after the first in 2 s and in 4 s, begun at the same time.
    expect(together([run(0, 500, 2500, 101), run(0, 500, 4500, 101)])).toEqual({
      streams: 2,
      tokensPerSecondEach: 37.5,
      tokensPerSecondTogether: 50,
      firstTokenMs: 500,
    });
  });

  test("one token has no pace", () => {
    expect(together([run(0, 5, 5, 1)])).toMatchObject({ tokensPerSecondEach: null, tokensPerSecondTogether: null });
  });

  test("the median of an even number is the mean of its middle", () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2])]).toEqual([2, 2.5]);
  });
});
