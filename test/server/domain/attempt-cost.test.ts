/** What an attempt is booked at, however it ended; with a price book of one line. */
import { describe, expect, test } from "vitest";
import { type AttemptFacts, costOfAttempt } from "../../../server/domain/attempt-cost.ts";
import type { EndEvent } from "../../../server/domain/chat.ts";
import { Failure, type FailureCode } from "../../../server/domain/failure.ts";
import type { UpstreamUsage } from "../../../server/domain/upstream-usage.ts";
import { noTimings, noUsage } from "../../../server/domain/usage.ts";
import { flatPricing, upstreamUsage } from "../../support/flat-pricing.ts";

const upstream = { provider: "openai", model: "gpt-small" };
const nothingSeen = { promptTokens: 100, cachedTokens: 0, contentCharacters: 0, reasoningCharacters: 0 };

function costOf(end: Partial<EndEvent> & Pick<EndEvent, "type">, seen: Partial<AttemptFacts["seen"]> = {}) {
  const whole = { usage: noUsage, timings: noTimings, finishReason: "stop", ...end } as EndEvent;
  const facts = { upstream, startedAtMs: 0, end: whole, seen: { ...nothingSeen, ...seen } };
  return costOfAttempt(facts, flatPricing());
}

const failedWith = (code: FailureCode, upstreamSaid?: UpstreamUsage) =>
  ({
    type: "failed",
    failure: new Failure(code, "no"),
    ...(upstreamSaid === undefined ? {} : { upstream: upstreamSaid, usage: upstreamSaid.usage }),
  }) as const;

test("what ran on this box has no price yet, and is not 0", () => {
  const end: EndEvent = { type: "finished", finishReason: "stop", usage: noUsage, timings: noTimings };
  const facts = { upstream: null, startedAtMs: 0, end, seen: nothingSeen };
  expect(costOfAttempt(facts, flatPricing())).toEqual({
    usage: noUsage,
    cost: { known: false, reason: "not_priced" },
    pricing: null,
  });
});

test("S-27 a finished attempt costs what its upstream said it used; the words are kept", () => {
  const said = upstreamUsage({ promptTokens: 1_000, completionTokens: 50 });
  const { cost, pricing, usage } = costOf({ type: "finished", upstream: said });
  expect(cost).toEqual({ known: true, nanos: 1_050, basis: "estimated" });
  expect(usage).toEqual(said.usage);
  expect(pricing).toMatchObject({ computedNanos: 1_050, reportedNanos: null, driftNanos: null, flags: [] });
  expect(pricing?.rawUsage).toEqual(said.raw);
});

test("S-27 what the provider itself says wins, and the drift is kept", () => {
  const said = { ...upstreamUsage({ promptTokens: 10, completionTokens: 0 }), reported: { nanos: 12, free: false } };
  const { cost, pricing } = costOf({ type: "finished", upstream: said });
  expect(cost).toEqual({ known: true, nanos: 12, basis: "billed" });
  expect(pricing).toMatchObject({ computedNanos: 10, reportedNanos: 12, driftNanos: 2 });
});

test("a model without a price is unknown, and never 0", () => {
  const facts = { provider: "openai", model: "nobody-knows" };
  const end: EndEvent = { type: "finished", finishReason: "stop", usage: noUsage, timings: noTimings };
  const said = upstreamUsage({ promptTokens: 5, completionTokens: 5 });
  const asked = { upstream: facts, startedAtMs: 0, end: { ...end, upstream: said }, seen: nothingSeen };
  for (const pricing of [flatPricing(), null]) {
    const { cost, usage } = costOfAttempt(asked, pricing);
    expect(cost).toEqual({ known: false, reason: "unknown_price" });
    expect(usage.promptTokens).toBe(5);
  }
});

describe("an attempt whose upstream could not say what it used", () => {
  test("costs its prompt and what was seen, flagged, when the reader left", () => {
    const { cost, usage, pricing } = costOf({ type: "aborted" }, { contentCharacters: 40, reasoningCharacters: 8 });
    expect(usage).toEqual({ promptTokens: 100, cachedTokens: 0, completionTokens: 10, reasoningTokens: 2 });
    expect(cost).toEqual({ known: true, nanos: 110, basis: "estimated" });
    expect(pricing?.flags).toContain("usage_absent");
  });

  test("costs at least what was seen when it said only how it began", () => {
    const began = upstreamUsage({ promptTokens: 80, completionTokens: 1 });
    const { usage, pricing } = costOf(failedWith("upstream_cut", began), { contentCharacters: 400 });
    expect(usage).toMatchObject({ promptTokens: 80, completionTokens: 100 });
    expect(pricing?.flags).toContain("completion_estimated");
  });

  test.each<FailureCode>(["upstream_timeout", "upstream_cut", "internal"])("costs its prompt after %s", (code) => {
    expect(costOf(failedWith(code)).cost).toEqual({ known: true, nanos: 100, basis: "estimated" });
  });

  test.each<FailureCode>([
    "upstream_rate_limited",
    "upstream_overloaded",
    "upstream_failed",
    "upstream_unreachable",
    "upstream_key_refused",
    "upstream_model_missing",
    "ledger_unavailable",
    "queue_full",
  ])("S-25 one charge: costs nothing after %s, for nothing was computed", (code) => {
    const { cost, pricing } = costOf(failedWith(code));
    expect(cost).toEqual({ known: true, nanos: 0, basis: "estimated" });
    expect(pricing?.flags).toEqual(["not_charged"]);
  });

  test("costs what was seen when it failed in the middle, whatever the failure is called", () => {
    expect(costOf(failedWith("upstream_failed"), { contentCharacters: 4 }).cost).toMatchObject({ nanos: 101 });
  });
});
