/** Copies of answered requests: after the client, in rows of their own, within their budget, never past a data class. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Backend } from "../../../../server/backends/backend.ts";
import { keylessCaller } from "../../../../server/domain/caller.ts";
import type { DataClass } from "../../../../server/domain/model.ts";
import { createInference } from "../../../../server/inference.ts";
import { type Ledger, openLedger } from "../../../../server/ledger/ledger.ts";
import { systemClock } from "../../../../server/platform/clock.ts";
import { newRequestId } from "../../../../server/platform/ids.ts";
import { createRouter } from "../../../../server/router/router.ts";
import { createShadowBudget } from "../../../../server/router/shadow.ts";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { silentLog, temporaryFolder } from "../../../support/real-engine.ts";
import { scriptedBackend } from "../../../support/scripted-backend.ts";
import { flatPricing } from "../../../support/flat-pricing.ts";
import { saying } from "../../../support/mode-answers.ts";

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

function box(random: number, perDayUsd = 1) {
  const engine = scriptedBackend("engine", ["m"], [saying("first"), saying("second")]);
  const scripted = scriptedBackend("cloud", ["big"], [saying("copy")]);
  const cloud: Backend = { ...scripted, kind: "cloud" };
  const routes = {
    ask: { groups: [{ targets: [{ target: "engine/m" }] }], shadow: { target: "cloud/big", share: 0.5, perDayUsd } },
  };
  const inference = createInference({
    router: createRouter([engine, cloud], { routes }),
    ...{ ledger: ledger.writer, clock: systemClock, log: silentLog, publish: () => {}, random: () => random },
    ...{ pricing: flatPricing(), copies: { spentSince: ledger.copies.since } },
    upstreamOf: ({ backendId, model }) => (backendId === "cloud" ? { provider: "cloud", model } : null),
  });
  const ask = async (data: DataClass | null) => {
    const requestId = newRequestId();
    const facts = { requestId, caller: keylessCaller, dialect: "openai-chat", startedAtMs: systemClock.now() };
    const wishes = { role: null, task: null, tier: null, data };
    const input = { ...facts, wishes, request: chatRequest("x", { model: "ask" }) };
    const answer = await collect(inference.chat(input, new AbortController().signal));
    return { requestId, answer, askedBefore: scripted.asked.length };
  };
  return { ask, cloud: scripted };
}

/** Everything that was begun after the answer is over when nothing is open any more. */
async function rows(count: number) {
  const look = async () => {
    const all = await ledger.reports.recent(10);
    expect(all.filter(({ status }) => status !== "open")).toHaveLength(count);
    return all;
  };
  return vi.waitFor(look, { timeout: 15_000, interval: 20 });
}

test("a copy has a row of its own that names the request, and the client had its answer before", async () => {
  const { ask } = box(0.4);
  const { requestId, answer, askedBefore } = await ask(null);
  expect(answer.text).toBe("first");
  expect(askedBefore).toBe(0);
  const [copy, original] = await rows(2);
  expect(original).toMatchObject({ id: requestId, attempts: [{ target: "engine/m" }] });
  expect(copy).toMatchObject({
    ...{ alias: "cloud/big", dialect: "shadow", callerName: "shadow", status: "done" },
    notes: [{ code: "shadow_of", detail: requestId }],
    attempts: [{ target: "cloud/big", reason: "shadow" }],
  });
});

test("none is made outside the share, and none goes where the data must not", async () => {
  const unlucky = box(0.6);
  await unlucky.ask(null);
  const local = box(0.4);
  await local.ask("local");
  // One turn of the loop is when a copy would begin.
  await new Promise((done) => setImmediate(() => setImmediate(done)));
  await rows(2);
  expect([...unlucky.cloud.asked, ...local.cloud.asked]).toEqual([]);
});

test("a day's copies cost what the route allows, and the next day begins anew", () => {
  let nowMs = 0;
  const startOfDay = (atMs: number) => Math.floor(atMs / 86_400_000) * 86_400_000;
  const budget = createShadowBudget({ clock: { now: () => nowMs }, random: () => 0, startOfDay });
  const bounds = { alias: "a", target: "cloud/big", share: 1, perDayUsd: 0.001 };
  expect(budget.begins(bounds)).toBe(true);
  expect(budget.begins(bounds)).toBe(false);
  budget.done(bounds, { known: true, nanos: 999_999, basis: "measured" });
  expect(budget.begins(bounds)).toBe(true);
  budget.done(bounds, { known: true, nanos: 1, basis: "measured" });
  expect(budget.begins(bounds)).toBe(false);
  nowMs = 86_400_000;
  expect(budget.begins(bounds)).toBe(true);
  budget.done(bounds, { known: false, reason: "unknown_price" });
  expect(budget.begins(bounds)).toBe(false);
});

test("what a day's copies have cost outlives a restart: it is read from their rows", async () => {
  // 15 nano-USD are what one copy costs.
  const first = box(0.4, 15e-9);
  await first.ask(null);
  const [copy] = await rows(2);
  expect(copy?.cost).toMatchObject({ known: true, nanos: 15 });
  await ledger.close();
  ledger = openLedger(join(folder.path, "ledger.sqlite"), { clock: systemClock, log: silentLog });
  expect(ledger.copies.since(0)).toEqual([{ alias: "ask", target: "cloud/big", nanos: 15, hasUnknown: false }]);
  const again = box(0.4, 15e-9);
  await again.ask(null);
  await new Promise((done) => setImmediate(() => setImmediate(done)));
  expect(again.cloud.asked).toEqual([]);
  const richer = box(0.4, 16e-9);
  await richer.ask(null);
  await rows(5);
  expect(richer.cloud.asked).toHaveLength(1);
});

test("a copy that a killed process left open counts for whoever copies to that target, as unknown", () => {
  const spent = [{ alias: null, target: "cloud/big", nanos: 0, hasUnknown: true }];
  const parts = { clock: { now: () => 0 }, random: () => 0, startOfDay: () => 0, spentSince: () => spent };
  const budget = createShadowBudget(parts);
  expect(budget.begins({ alias: "a", target: "cloud/big", share: 1, perDayUsd: 1_000 })).toBe(false);
  expect(budget.begins({ alias: "b", target: "cloud/other", share: 1, perDayUsd: 1_000 })).toBe(true);
});
