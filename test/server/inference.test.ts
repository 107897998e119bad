/** The spine over a real ledger file: one request, one row, however it ends. */
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { keylessCaller } from "../../server/domain/caller.ts";
import { Failure } from "../../server/domain/failure.ts";
import type { BoxEvent } from "../../server/domain/ports.ts";
import { createInference } from "../../server/inference.ts";
import { type Ledger, openLedger } from "../../server/ledger/ledger.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { newRequestId } from "../../server/platform/ids.ts";
import { createRouter } from "../../server/router/router.ts";
import { chatRequest, collect } from "../support/chat-request.ts";
import { silentLog, temporaryFolder } from "../support/real-engine.ts";
import { finished, scriptedBackend, someUsage } from "../support/scripted-backend.ts";

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let ledger: Ledger;
beforeEach(async () => {
  folder = await temporaryFolder();
  ledger = openLedger(join(folder.path, "ledger.sqlite"), { clock: systemClock, log: silentLog });
});
afterEach(async () => {
  await ledger.close();
  await folder.remove();
});

function box(scripts: Parameters<typeof scriptedBackend>[2]) {
  const published: BoxEvent[] = [];
  const inference = createInference({
    router: createRouter([scriptedBackend("engine", ["m"], scripts)]),
    ledger: ledger.writer,
    clock: systemClock,
    log: silentLog,
    publish: (event) => published.push(event),
  });
  const facts = () => ({
    requestId: newRequestId(),
    caller: keylessCaller,
    dialect: "openai-chat",
    startedAtMs: systemClock.now(),
  });
  return { inference, facts, published };
}

const text = { type: "text", text: "hi" } as const;

describe("one row", () => {
  test("of a finished request, in the ledger before its last event is handed on", async () => {
    const { inference, facts, published } = box([[text, finished]]);
    const input = { ...facts(), request: chatRequest("x", { model: "m" }) };
    for await (const event of inference.chat(input, new AbortController().signal)) {
      if (event.type !== "finished") continue;
      const row = await ledger.reports.show(input.requestId);
      expect(row).toMatchObject({
        status: "done",
        finishReason: "stop",
        usage: someUsage,
        callerName: "this computer",
      });
      expect(row?.attempts).toMatchObject([{ number: 1, target: "engine/m", status: "done", reason: "only_target" }]);
      expect(row?.cost).toEqual({ known: false, reason: "not_priced" });
      expect(row?.ttftMs).toBeTypeOf("number");
    }
    expect(inference.closing(input.requestId)).toMatchObject({ target: "engine/m" });
    expect(published).toContainEqual({ type: "request", id: input.requestId, status: "done" });
  });

  test("of a request for a model that is not here: refused, no attempt", async () => {
    const { inference, facts } = box([]);
    const input = { ...facts(), request: chatRequest("x", { model: "nope" }) };
    await expect(collect(inference.chat(input, new AbortController().signal))).rejects.toMatchObject({
      code: "model_not_found",
    });
    expect(await ledger.reports.show(input.requestId)).toMatchObject({
      status: "refused",
      failureCode: "model_not_found",
      attempts: [],
    });
  });

  test("of a request whose only attempt failed", async () => {
    const { inference, facts } = box([new Failure("context_length_exceeded", "too long")]);
    const input = { ...facts(), request: chatRequest("x", { model: "m" }) };
    await expect(collect(inference.chat(input, new AbortController().signal))).rejects.toThrow("too long");
    expect(await ledger.reports.show(input.requestId)).toMatchObject({
      status: "failed",
      failureCode: "context_length_exceeded",
      attempts: [{ status: "failed", failureCode: "context_length_exceeded" }],
    });
  });

  test("of a request that its client left", async () => {
    const { inference, facts } = box([[text, "hold"]]);
    const input = { ...facts(), request: chatRequest("x", { model: "m" }) };
    const leaving = new AbortController();
    for await (const event of inference.chat(input, leaving.signal)) if (event.type === "text") leaving.abort();
    expect(await ledger.reports.show(input.requestId)).toMatchObject({ status: "aborted", usage: someUsage });
  });

  test("of a request whose reader stopped reading without a word", async () => {
    const { inference, facts } = box([[text, text, finished]]);
    const input = { ...facts(), request: chatRequest("x", { model: "m" }) };
    for await (const event of inference.chat(input, new AbortController().signal)) if (event.type === "text") break;
    expect(await ledger.reports.show(input.requestId)).toMatchObject({ status: "aborted" });
  });

  test("of a request that was refused before it could be tried", async () => {
    const { inference, facts } = box([]);
    const input = { ...facts(), alias: null, stream: false };
    await inference.refuse(input, new Failure("invalid_request", "no", { param: "messages" }));
    expect(await ledger.reports.show(input.requestId)).toMatchObject({
      status: "refused",
      failureCode: "invalid_request",
    });
  });
});

describe.each([86_400_000, -86_400_000])("a wall clock that is set by %i ms while a request runs", (jumpMs) => {
  test("gives a row whose times are those that passed", async () => {
    let setByMs = 0;
    const clock = { ...systemClock, now: () => systemClock.now() + setByMs };
    const inference = createInference({
      router: createRouter([scriptedBackend("engine", ["m"], [[text, text, finished]])]),
      ledger: ledger.writer,
      clock,
      log: silentLog,
      publish: () => {},
    });
    const startedAtMs = clock.now();
    const requestId = newRequestId();
    const request = chatRequest("x", { model: "m" });
    const input = { requestId, caller: keylessCaller, dialect: "openai-chat", session: null, request, startedAtMs };
    for await (const event of inference.chat(input, new AbortController().signal)) {
      if (event.type === "text") setByMs = jumpMs;
    }
    const row = await ledger.reports.show(requestId);
    expect(row).toMatchObject({ status: "done", startedAtMs });
    for (const ms of [row?.durationMs, row?.ttftMs, row?.attempts[0]?.durationMs, row?.attempts[0]?.offsetMs]) {
      expect(ms).toBeGreaterThanOrEqual(0);
      expect(ms).toBeLessThan(60_000);
    }
    // A range asked for by the wall clock of then has it.
    expect(await ledger.reports.summary({ fromMs: startedAtMs, toMs: startedAtMs + 1 })).toMatchObject({
      total: { requests: 1 },
    });
  });
});
