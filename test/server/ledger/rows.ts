/** Rows as a test writes them: complete, and different only where the test says so. */
import type { Cost } from "../../../server/domain/money.ts";
import type { AttemptEnding, AttemptOpening, RequestEnding, RequestOpening } from "../../../server/ledger/rows.ts";

export const notPriced: Cost = { known: false, reason: "not_priced" };
export const usage = { promptTokens: 100, cachedTokens: 60, completionTokens: 20, reasoningTokens: 5 };
export const timings = { queueMs: 1, loadMs: 2, prefillMs: 30, decodeMs: 400 };

export function opening(id: string, change: Partial<RequestOpening> = {}): RequestOpening {
  return {
    id,
    startedAtMs: 1_700_000_000_000,
    callerKind: "keyless",
    keyId: null,
    callerName: "this computer",
    dialect: "openai-chat",
    alias: "lanthorn-demo",
    stream: true,
    ...change,
  };
}

export function attempt(requestId: string, change: Partial<AttemptOpening> = {}): AttemptOpening {
  return { requestId, number: 1, target: "engine/lanthorn-demo", reason: "only_target", offsetMs: 3, ...change };
}

export function attemptEnding(requestId: string, change: Partial<AttemptEnding> = {}): AttemptEnding {
  return {
    requestId,
    number: 1,
    status: "done",
    failureCode: null,
    durationMs: 433,
    usage,
    timings,
    cost: notPriced,
    ...change,
  };
}

export function ending(id: string, change: Partial<RequestEnding> = {}): RequestEnding {
  return {
    id,
    status: "done",
    finishReason: "stop",
    failureCode: null,
    durationMs: 440,
    ttftMs: 36,
    usage,
    timings,
    cost: notPriced,
    ...change,
  };
}
