/** The spine and budgets: what attempts hold, settle and are refused, over a real ledger file and the real price arithmetic. */
import { describe, expect, test } from "vitest";
import { type BudgetPorts, createBudgets } from "../../server/access/budgets.ts";
import type { BudgetSetting } from "../../server/access/budget-setting.ts";
import type { Backend } from "../../server/backends/backend.ts";
import type { Caller } from "../../server/domain/caller.ts";
import type { ChatRequest, EndEvent } from "../../server/domain/chat.ts";
import { Failure } from "../../server/domain/failure.ts";
import type { BoxEvent } from "../../server/domain/ports.ts";
import { overrideRow } from "../../server/domain/pricing/override.ts";
import { createPricing } from "../../server/domain/pricing/price-list.ts";
import type { RouteSetting } from "../../server/domain/routing/settings.ts";
import { noTimings, noUsage } from "../../server/domain/usage.ts";
import { createInference } from "../../server/inference.ts";
import type { Ledger } from "../../server/ledger/ledger.ts";
import { newRequestId } from "../../server/platform/ids.ts";
import { createRouter } from "../../server/router/router.ts";
import { chatRequest, collect } from "../support/chat-request.ts";
import { upstreamUsage } from "../support/flat-pricing.ts";
import { manualClock } from "../support/manual-clock.ts";
import { silentLog } from "../support/real-engine.ts";
import { scriptedBackend } from "../support/scripted-backend.ts";
import { freshLedger } from "./ledger/open-ledger.ts";

/** A nano-USD per token of the prompt, two for each of the answer. */
const flat = overrideRow({ provider: "openai", model: "m", prompt: "0.001", completion: "0.002" });
const pricing = createPricing({
  book: [],
  overrides: [flat],
  worstCase: { prompt: 10_000, completion: 10_000 },
});
const text = { type: "text", text: "hello" } as const;
const ended = (promptTokens: number, completionTokens: number): EndEvent => {
  const upstream = upstreamUsage({ promptTokens, completionTokens });
  return { type: "finished", finishReason: "stop", usage: upstream.usage, timings: noTimings, upstream };
};
const jonas: Caller = { kind: "keyless", keyId: null, name: "jonas" };
const nanos = (count: number) => `0.${String(count).padStart(9, "0")}`;

const cap = (usd: string, change: Partial<BudgetSetting> = {}): BudgetSetting => {
  return { usd, of: "all", every: "month", hard: true, warnAt: 0.8, ...change };
};

interface Wishes {
  readonly caps?: Readonly<Record<string, BudgetSetting>>;
  readonly backends: readonly Backend[];
  readonly routes?: Readonly<Record<string, RouteSetting>>;
  readonly unknownPrice?: "hold" | "refuse";
  readonly ledger?: Ledger;
  readonly clock?: ReturnType<typeof manualClock>;
  readonly zone?: string;
}

function box({ caps = {}, backends, routes = {}, unknownPrice = "hold", zone = "UTC", ...wishes }: Wishes) {
  const ledger = wishes.ledger ?? freshLedger().ledger;
  const clock = wishes.clock ?? manualClock(Date.parse("2026-11-26T12:00:00Z"));
  const events: BoxEvent[] = [];
  const changes: string[] = [];
  const budgets = createBudgets({
    settings: { zone, outputTokens: 100, unknownPrice, caps },
    ...{ clock, log: silentLog, pricing, localModels: () => ["coder"], writeSetting: () => {} },
    publish: (event) => void events.push(event),
    spentIn: spentIn(ledger),
    record: { write: ({ what }) => void changes.push(what), close: () => {} },
  });
  const budgetLeft = (_: string, person: string) => budgets.left({ keyId: null, person });
  const inference = createInference({
    router: createRouter(backends, { routes, clock, pricing, budgetLeft, random: () => 0 }),
    ...{ ledger: ledger.writer, clock, log: silentLog, publish: () => {}, pricing, reserve: budgets.reserve },
    upstreamOf: ({ backendId, model }) => (backendId === "engine" ? null : { provider: backendId, model }),
  });
  const ask = (change: Partial<ChatRequest> = {}, caller = jonas, signal = new AbortController().signal) => {
    const facts = { requestId: newRequestId(), caller, dialect: "openai-chat", startedAtMs: clock.now() };
    const request = chatRequest("x", { model: "m", maxTokens: 50, ...change });
    return { id: facts.requestId, events: inference.chat({ ...facts, request }, signal) };
  };
  return { ledger, clock, budgets, inference, ask, events, changes };
}

function spentIn(ledger: Ledger): BudgetPorts["spentIn"] {
  return (day, fromMs, toMs) =>
    ledger.spentIn(fromMs, toMs).map(({ spentNanos, overrunNanos, ...spender }) => {
      return { day, spender, spentNanos, overrunNanos };
    });
}

const openai = (...answers: Parameters<typeof scriptedBackend>[2]) => scriptedBackend("openai", ["m"], answers);
const inTurn = (...targets: string[]): Readonly<Record<string, RouteSetting>> => ({
  m: { groups: [{ targets: targets.map((target) => ({ target })) }], retries: 0, maxAttempts: 1 },
});

describe("S-28 an attempt that costs money", () => {
  test("is held at its worst on its open row, and settled at what it cost", async () => {
    const { ask, budgets, ledger } = box({ caps: { team: cap("1") }, backends: [openai([text, ended(10, 20)])] });
    const { id, events } = ask();
    let whileOpen = 0;
    for await (const event of events) if (event.type === "text") whileOpen = budgets.heldNanos();
    const row = await ledger.reports.show(id);
    expect(whileOpen).toBeGreaterThan(100);
    expect(row?.attempts[0]).toMatchObject({ pricing: { heldNanos: whileOpen }, cost: { nanos: 50 } });
    expect(budgets.list()).toMatchObject([{ name: "team", spentNanos: 50, heldNanos: 0, state: "ok" }]);
    expect(budgets.list()[0]?.leftNanos).toBe(1_000_000_000 - 50);
  });

  test("that does not fit is refused before anything is sent, in words that say how it stands and what still works", async () => {
    const cloud = openai([text, ended(10, 20)]);
    const { ask, budgets, ledger, changes } = box({
      caps: { jonas: cap(nanos(120), { of: "person:jonas" }) },
      backends: [cloud],
    });
    const { id, events } = ask();
    const refusal = await collect(events).catch((thrown: unknown) => thrown);
    expect(refusal).toMatchObject({ code: "budget_exceeded" });
    const { message } = refusal as Failure;
    expect(message).toContain("Budget reached: jonas has used $0.00 of $0.00000012 this month");
    expect(message).toContain('"coder" still works');
    expect(message).toContain("2026-12-01 (UTC)");
    expect(cloud.asked).toEqual([]);
    expect(budgets.heldNanos()).toBe(0);
    expect(changes).toEqual(["start", "refuse"]);
    // It was tried here and cost nothing.
    expect(await ledger.reports.show(id)).toMatchObject({
      ...{ status: "failed", failureCode: "budget_exceeded", knownCostNanos: 0 },
      attempts: [{ status: "failed", pricing: { provider: "openai", heldNanos: null } }],
    });
    // Somebody else has no such budget.
    expect((await collect(ask({}, { ...jonas, name: "mira" }).events)).end).toMatchObject({ type: "finished" });
  });

  test("of a route that has a local target goes there, however many others are refused first", async () => {
    const local = scriptedBackend("engine", ["m"], [[text, ended(1, 1)]]);
    const { ask, ledger } = box({
      caps: { team: cap("0") },
      backends: [openai(), scriptedBackend("groq", ["m"], []), local],
      routes: inTurn("openai/m", "groq/m", "engine/m"),
    });
    const { id, events } = ask();
    expect((await collect(events)).end).toMatchObject({ type: "finished" });
    const tries = (await ledger.reports.show(id))?.attempts.map(({ target, failureCode }) => [target, failureCode]);
    expect(tries).toEqual([
      ["openai/m", "budget_exceeded"],
      ["groq/m", "budget_exceeded"],
      ["engine/m", null],
    ]);
  });

  test("without a bound of its own gets one upstream, and its row says so; without a budget it gets none", async () => {
    const cloud = openai([text, ended(1, 1)], [text, ended(1, 1)], [text, ended(1, 1)]);
    const { ask, budgets, ledger } = box({ caps: { team: cap("1") }, backends: [cloud] });
    const { id, events } = ask({ maxTokens: null });
    await collect(events);
    await collect(ask({ maxTokens: 70 }).events);
    budgets.remove("team");
    await collect(ask({ maxTokens: null }).events);
    expect(cloud.asked.map(({ maxTokens }) => maxTokens)).toEqual([100, 70, null]);
    expect((await ledger.reports.show(id))?.notes).toContainEqual({ code: "answer_bounded", detail: "100 tokens" });
  });

  test("that a provider made dearer than the bound allows is booked and flagged", async () => {
    const { ask, budgets, ledger } = box({ caps: { team: cap("1") }, backends: [openai([text, ended(10, 5_000)])] });
    const { id, events } = ask();
    await collect(events);
    const pricing = (await ledger.reports.show(id))?.attempts[0]?.pricing;
    expect(pricing?.flags).toContain("over_hold");
    const overrun = 10_010 - (pricing?.heldNanos ?? 0);
    expect(budgets.list()).toMatchObject([{ spentNanos: 10_010, overrunNanos: overrun }]);
  });

  test("holds nothing any more once it failed, was aborted or left by its reader", async () => {
    const cloud = openai(
      new Failure("upstream_failed", "no"),
      [text, { type: "aborted", usage: noUsage, timings: noTimings }],
      [text, text, ended(1, 1)],
      [text, { type: "failed", failure: new Failure("upstream_cut", "cut"), usage: noUsage, timings: noTimings }],
    );
    const { ask, budgets, ledger } = box({ caps: { team: cap("1") }, backends: [cloud], routes: inTurn("openai/m") });
    await collect(ask().events).catch(() => null);
    await collect(ask().events);
    for await (const event of ask().events) if (event.type === "text") break;
    await collect(ask().events).catch(() => null);
    const gone = new AbortController();
    gone.abort();
    await collect(ask({}, jonas, gone.signal).events).catch(() => null);
    expect(budgets.heldNanos()).toBe(0);
    const [{ spentNanos } = { spentNanos: -1 }] = budgets.list();
    const { total } = await ledger.reports.summary();
    expect(spentNanos).toBe(total.knownCostNanos);
    expect(spentNanos).toBeGreaterThan(0);
  });
});

test("S-28 a ledger that cannot be written refuses what costs money, and nothing stays held", async () => {
  const { ledger } = freshLedger();
  const failing = new Failure("ledger_unavailable", "The ledger cannot be written at the moment.");
  const writer = { ...ledger.writer, openPaidAttempt: () => Promise.reject(failing) };
  const cloud = openai([text, ended(1, 1)]);
  const { ask, budgets } = box({ caps: { team: cap("1") }, backends: [cloud], ledger: { ...ledger, writer } });
  await expect(collect(ask().events)).rejects.toMatchObject({ code: "ledger_unavailable" });
  expect([cloud.asked.length, budgets.heldNanos()]).toEqual([0, 0]);
  expect(budgets.list()).toMatchObject([{ spentNanos: 0, heldNanos: 0 }]);
});

describe("a model without a price", () => {
  const answered = () => scriptedBackend("groq", ["m"], [[text, ended(10, 20)]]);

  test("is held at the worst, and counted at the worst of what it used; its cost stays unknown", async () => {
    const { ask, budgets, ledger } = box({ caps: { team: cap("1") }, backends: [answered()] });
    const { id, events } = ask();
    await collect(events);
    expect(await ledger.reports.show(id)).toMatchObject({ cost: { known: false, reason: "unknown_price" } });
    expect(budgets.list()).toMatchObject([{ spentNanos: 300, heldNanos: 0, overrunNanos: 0 }]);
    await ledger.reports.summary();
    const again = box({ caps: { team: cap("1") }, backends: [], ledger });
    expect(again.budgets.list()).toMatchObject([{ spentNanos: 300, heldNanos: 0, overrunNanos: 0 }]);
  });

  test("is refused where the settings say so", async () => {
    const cloud = answered();
    const { ask } = box({ caps: { team: cap("1") }, backends: [cloud], unknownPrice: "refuse" });
    await expect(collect(ask().events)).rejects.toMatchObject({
      code: "budget_exceeded",
      message: /No price is known/,
    });
    expect(cloud.asked).toEqual([]);
  });
});

test("local attempts never ask a budget", async () => {
  const { ask, budgets } = box({
    caps: { team: cap("0") },
    backends: [scriptedBackend("engine", ["m"], [[text, ended(1, 1)]])],
  });
  expect((await collect(ask().events)).end).toMatchObject({ type: "finished" });
  expect(budgets.list()).toMatchObject([{ spentNanos: 0, state: "over" }]);
});

test("a soft budget warns in the row, in an event and in the list, and refuses nothing", async () => {
  const { ask, budgets, ledger, events } = box({
    caps: { soft: cap(nanos(60), { hard: false }) },
    backends: [openai([text, ended(10, 20)], [text, ended(10, 20)])],
  });
  const { id, events: answer } = ask();
  await collect(answer);
  await collect(ask().events);
  expect((await ledger.reports.show(id))?.notes).toMatchObject([{ code: "budget_near" }]);
  expect(budgets.list()).toMatchObject([{ spentNanos: 100, leftNanos: 0, state: "over", hard: false }]);
  expect(events).toMatchObject([{ type: "budget", budget: { name: "soft", state: "over" } }]);
});

test("S-28 a restart knows what was spent, and what a killed process held is booked", async () => {
  const first = box({ caps: { team: cap("1") }, backends: [openai([text, ended(10, 20)])] });
  await collect(first.ask().events);
  const { ledger, clock } = first;
  // What the next process would find after a kill: an open row, booked by the ledger when it is opened (`recover.ts`).
  await ledger.reports.summary();
  const again = box({ caps: { team: cap("1"), mine: cap("1", { of: "person:jonas" }) }, backends: [], ledger, clock });
  expect(again.budgets.list()).toMatchObject([
    { name: "team", spentNanos: 50, heldNanos: 0 },
    { name: "mine", spentNanos: 50, heldNanos: 0 },
  ]);
});

test("S-28 a day's budget begins anew at midnight of its zone, also on a day of 25 hours", async () => {
  const clock = manualClock(Date.parse("2026-10-24T23:30:00Z"));
  const answers = Array.from({ length: 4 }, () => [text, ended(10, 95)] as const);
  const { ask, budgets } = box({
    ...{
      caps: { day: cap(nanos(400), { every: "day" }) },
      backends: [openai(...answers)],
      clock,
      zone: "Europe/Berlin",
    },
  });
  const asked = async () =>
    collect(ask({ maxTokens: 100 }).events).then(
      () => "answered",
      ({ code }: Failure) => code,
    );
  expect([await asked(), await asked()]).toEqual(["answered", "budget_exceeded"]);
  const hourMs = 3_600_000;
  expect(budgets.list()).toMatchObject([
    { fromMs: Date.parse("2026-10-24T22:00:00Z"), resetsAtMs: Date.parse("2026-10-25T23:00:00Z") },
  ]);
  // 23 hours later it is half past eleven in the evening of the same day there.
  clock.advance(23 * hourMs);
  expect(await asked()).toBe("budget_exceeded");
  clock.advance(hourMs / 2);
  expect(await asked()).toBe("answered");
  expect(budgets.list()).toMatchObject([{ spentNanos: 200, fromMs: Date.parse("2026-10-25T23:00:00Z") }]);
});

test("a rule hears what is left of the caller's budget", async () => {
  const cheap = scriptedBackend("engine", ["m"], [[text, ended(1, 1)]]);
  const cloud = openai([text, ended(10, 20)]);
  const { ask } = box({
    caps: { team: cap(nanos(240)) },
    backends: [cloud, cheap],
    routes: {
      m: {
        groups: [
          { name: "far", targets: [{ target: "openai/m" }] },
          { name: "near", targets: [{ target: "engine/m" }] },
        ],
        rules: [{ when: { budgetLeftBelow: 0.8 }, use: ["near"] }],
      },
    },
  });
  await collect(ask().events);
  await collect(ask().events);
  expect([cloud.asked.length, cheap.asked.length]).toEqual([1, 1]);
});
