/** One request as a picture in text. */
import { expect, test } from "vitest";
import { requestAnswer } from "../../../server/cli/answers.ts";
import { waterfallText } from "../../../server/cli/waterfall.ts";
import { someRequest } from "./admin-stub.ts";

const request = requestAnswer.parse({ ...someRequest, startedAtMs: new Date(2026, 10, 12, 14, 2, 11).getTime() });

test("parts follow each other on one axis, and say what they did", () => {
  expect(waterfallText(request)).toBe(
    [
      "req_7Q2M00000000000000000a   jonas   coder → engine/coder   done, stopped by the model   14.8 s   local: not yet priced",
      " queue   2.1 s  █████",
      " prefill 3.4 s       ███████                      41.2 K in: 35.1 K from cache, 6,148 new at 1.8 K tok/s",
      " decode  9.3 s              ████████████████████  412 out at 44 tok/s",
      " Tokens   41.2 K in (35.1 K cached), 412 out; first token 5.5 s",
      " Asked    12 Nov 2026 14:02:11, openai-chat, streamed",
      " Why here 1 engine/coder: the only place that serves this model, done",
    ].join("\n"),
  );
});

test("a refused request has no bars, and says so", () => {
  const refused = {
    ...request,
    status: "refused" as const,
    finishReason: null,
    failureCode: "queue_full" as const,
    ttftMs: null,
    durationMs: 3,
    attempts: [],
  };
  expect(waterfallText(refused).split("\n")).toEqual([
    "req_7Q2M00000000000000000a   jonas   coder → reached no model   refused: queue_full   3 ms   no cost",
    " Tokens   41.2 K in (35.1 K cached), 412 out; first token none sent",
    " Asked    12 Nov 2026 14:02:11, openai-chat, streamed",
  ]);
});

test("several attempts share the axis and are numbered", () => {
  const [attempt] = request.attempts;
  if (attempt === undefined) throw new Error("the sample has one");
  const timings = { queueMs: 0, loadMs: 0, prefillMs: 7400, decodeMs: 0 };
  const first = { ...attempt, status: "failed" as const, failureCode: "worker_died" as const, timings };
  const second = { ...attempt, number: 2, offsetMs: 7400, timings };
  const lines = waterfallText({ ...request, attempts: [first, second] }).split("\n");
  expect(lines[1]).toMatch(/^ 1 prefill 7\.4 s {2}█{16} {18}/u);
  expect(lines[2]).toMatch(/^ 2 prefill 7\.4 s {18}█{16} /u);
  expect(lines.slice(-2)).toEqual([
    " Why here 1 engine/coder: the only place that serves this model, failed: worker_died",
    "          2 engine/coder: the only place that serves this model, done",
  ]);
});

test("what was paid is told per attempt: the amount, the drift, and how it was reached", () => {
  const [attempt] = request.attempts;
  if (attempt === undefined) throw new Error("the sample has one");
  const cost = { known: true, nanos: 103_050_000, basis: "billed" } as const;
  const pricing = {
    ...{ provider: "openrouter", model: "acme/large", requestId: "gen-77", serviceTier: "standard", heldNanos: null },
    ...{ computedNanos: 103_000_000, reportedNanos: 103_050_000, driftNanos: 50_000, priceId: "acme/large@2026-11" },
    parts: [
      { what: "prompt", count: 41_200, picosEach: { numerator: 5_000_000, denominator: 2 } },
      { what: "completion", count: 0, picosEach: { numerator: 1, denominator: 3 } },
    ],
    flags: ["cached_clamped"],
    audio: { promptTokens: 0, cachedTokens: 0, completionTokens: 0 },
    rawUsage: null,
  };
  const first = { ...attempt, status: "failed" as const, failureCode: "worker_died" as const };
  const second = { ...attempt, number: 2, target: "openrouter/acme/large", cost, pricing };
  const known = { knownCostNanos: 103_050_000, unknownCostAttempts: 1 };
  const lines = waterfallText({ ...request, ...known, attempts: [first, second] }).split("\n");
  expect(lines[0]).toMatch(/coder → openrouter\/acme\/large .* \$0\.1031 \+ 1 of 2 attempts without a price$/u);
  expect(lines.slice(-5)).toEqual([
    " Cost     1 local: not yet priced",
    "          2 $0.103050000 billed, the provider said $0.103050000, the price book $0.103000000 (drift 0.000050000)",
    "            41,200 prompt at $2.5/M + 0 completion at $3.33333e-7/M   by acme/large@2026-11",
    "            flagged: cached_clamped",
    "            there it is gen-77",
  ]);
});

test("what another box calls an attempt is told, so that its ledger can be asked", () => {
  const [attempt] = request.attempts;
  if (attempt === undefined) throw new Error("the sample has one");
  const lines = waterfallText({ ...request, attempts: [{ ...attempt, upstreamRequestId: "req_9" }] }).split("\n");
  expect(lines).toContain(" There    1 is req_9");
  expect(waterfallText(request)).not.toContain("There");
});

test("names cannot draw on the terminal", () => {
  expect(waterfallText({ ...request, callerName: "\u001b[2J" })).toContain("\\u001b[2J");
});
