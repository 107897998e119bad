/** The exact response cache, through the spine: rows, costs and what each caller gets. */
import { describe, expect, test } from "vitest";
import type { Caller } from "../../server/domain/caller.ts";
import type { ChatEvent } from "../../server/domain/chat.ts";
import type { CacheRule } from "../../server/domain/kept-answer.ts";
import { noTimings } from "../../server/domain/usage.ts";
import { createInference } from "../../server/inference.ts";
import { newRequestId } from "../../server/platform/ids.ts";
import { createAnswerCache } from "../../server/router/answer-cache.ts";
import { createRouter } from "../../server/router/router.ts";
import { chatRequest, collect } from "../support/chat-request.ts";
import { manualClock } from "../support/manual-clock.ts";
import { recordedLog } from "../support/recorded-log.ts";
import { finished, scriptedBackend, someUsage } from "../support/scripted-backend.ts";
import { freshLedger } from "./ledger/open-ledger.ts";

const text = (words: string): ChatEvent => ({ type: "text", text: words });
const jonas: Caller = { kind: "admin", keyId: null, name: "jonas" };
const ayo: Caller = { kind: "keyless", keyId: null, name: "ayo" };
const warm = { sampling: { ...chatRequest("x").sampling, temperature: 0.7 } };
const greedy = { sampling: { ...chatRequest("x").sampling, temperature: 0 } };

function box(
  rule: Partial<CacheRule> = {},
  scripts: readonly (readonly (ChatEvent | "hold")[])[] = [],
  maxBytes = 100_000,
) {
  const backend = scriptedBackend("engine", ["m"], scripts);
  const clock = manualClock();
  const { ledger } = freshLedger();
  const answers = createAnswerCache({
    rules: { m: { ttlMs: 60_000, sharedAcrossKeys: false, sampled: false, ...rule } },
    maxBytes,
    clock,
  });
  const inference = createInference({
    ...{
      router: createRouter([backend]),
      ledger: ledger.writer,
      clock,
      log: recordedLog(),
      publish: () => {},
      answers,
    },
  });
  const ask = async (prompt = "hi", caller: Caller = jonas, wishes: object = greedy) => {
    const requestId = newRequestId();
    const facts = { requestId, caller, dialect: "openai-chat", startedAtMs: 0 };
    const answer = await collect(
      inference.chat(
        { ...facts, request: chatRequest(prompt, { model: "m", ...wishes }) },
        new AbortController().signal,
      ),
    );
    return { ...answer, requestId };
  };
  return { backend, clock, ledger, answers, inference, ask };
}

describe("an alias whose answers are kept", () => {
  test("gives the very same answer again, without cost, and says where it came from", async () => {
    const { ask, backend, ledger, inference } = box({}, [[text("Hel"), text("lo"), finished]]);
    expect((await ask()).text).toBe("Hello");
    const again = await ask();
    expect(again).toMatchObject({ text: "Hello", end: { type: "finished", finishReason: "stop", usage: someUsage } });
    expect(backend.asked).toHaveLength(1);
    expect(inference.closing(again.requestId)).toMatchObject({ target: "cache/m", cost: { known: true, nanos: 0 } });
    expect(await ledger.reports.show(again.requestId)).toMatchObject({
      status: "done",
      usage: { promptTokens: 0, completionTokens: 0 },
      cost: { known: true, nanos: 0 },
      attempts: [{ target: "cache/m", reason: "cache_hit", status: "done" }],
    });
  });

  test("keeps each key's answers to itself, unless the owner says otherwise", async () => {
    const apart = box();
    await apart.ask("hi", jonas);
    await apart.ask("hi", ayo);
    expect(apart.backend.asked).toHaveLength(2);
    const shared = box({ sharedAcrossKeys: true });
    await shared.ask("hi", jonas);
    await shared.ask("hi", ayo);
    expect(shared.backend.asked).toHaveLength(1);
  });

  test("does not keep what was drawn by chance, unless the owner says so", async () => {
    const chance = box();
    await chance.ask("hi", jonas, warm);
    await chance.ask("hi", jonas, warm);
    expect(chance.backend.asked).toHaveLength(2);
    const sampled = box({ sampled: true });
    await sampled.ask("hi", jonas, warm);
    await sampled.ask("hi", jonas, warm);
    expect(sampled.backend.asked).toHaveLength(1);
  });

  test("does not keep what failed, was withheld or paused", async () => {
    const bad: readonly ChatEvent[] = [
      { type: "aborted", usage: someUsage, timings: noTimings },
      { type: "finished", finishReason: "content-filter", usage: someUsage, timings: noTimings },
      { type: "finished", finishReason: "pause", usage: someUsage, timings: noTimings },
    ];
    const { ask, backend, answers } = box(
      {},
      bad.map((end) => [text("x"), end]),
    );
    for (const _ of bad) await ask();
    expect(backend.asked).toHaveLength(bad.length);
    expect(answers.view().answers).toBe(0);
  });

  test("forgets by time, by room, and with the key", async () => {
    const { ask, backend, clock, answers } = box({ ttlMs: 1_000 });
    await ask();
    clock.advance(1_001);
    await ask();
    expect(backend.asked).toHaveLength(2);
    answers.forget("admin:");
    expect(answers.view()).toMatchObject({ answers: 0, bytes: 0 });
    const small = box(
      {},
      Array.from({ length: 30 }, () => [text("x".repeat(50)), finished]),
      4_000,
    );
    for (let count = 0; count < 30; count += 1) await small.ask(`prompt ${count}`);
    expect(small.answers.view().bytes).toBeLessThanOrEqual(4_000);
    expect(small.answers.view().answers).toBeGreaterThan(3);
  });
});

test("an alias that is not named is asked every time", async () => {
  const { backend, inference } = box();
  const other = scriptedBackend("engine", ["n"], []);
  expect(other.asked).toEqual([]);
  expect(backend.asked).toEqual([]);
  await expect(
    collect(
      inference.chat(
        {
          requestId: newRequestId(),
          caller: jonas,
          dialect: "openai-chat",
          startedAtMs: 0,
          request: chatRequest("x", { model: "n" }),
        },
        new AbortController().signal,
      ),
    ),
  ).rejects.toMatchObject({ code: "model_not_found" });
});
